import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { completeWords, completion } from '../../src/commands/completion.ts';
import { COMPLETION_SCRIPTS } from '../../src/commands/completion-scripts.ts';
import { buildProgram } from '../../src/program.ts';
import { startPhases } from '../../src/ui/phases.ts';
import { tempDir } from '../helpers/cli.ts';
import { ambientOf } from '../policy/ambient.ts';
import { keptContext } from './command-context.ts';

const PROGRAM = buildProgram({
  command: null,
  phases: startPhases(),
  context: () => {
    throw new Error('completion runs no command');
  },
});

const MAP = `version: 1
capabilities:
  publish-preview:
    provider: local-issuer
    audience: https://artifacts.example.com
    scope: [artifacts:read]
    ttl: 15m
    rules: [{allow: {environment: preview}}]
  prune-cache:
    provider: local-issuer
    audience: https://artifacts.example.com
    scope: [cache:write]
    ttl: 15m
    rules: [{allow: {environment: preview}}]
`;

function inFolder(map: string | null = MAP) {
  const cwd = tempDir();
  if (map !== null) writeFileSync(join(cwd, 'capabilities.yaml'), map, { mode: 0o644 });
  return keptContext(ambientOf({ cwd, env: { HOME: cwd, CAPWRAP_HOME: join(cwd, 'state') } })).context;
}

describe('the words', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['a command', ['ru'], ['run']],
    ['a nested command', ['audit', 'v'], ['verify']],
    ['a capability', ['run', '-c', ''], ['publish-preview', 'prune-cache']],
    ['a capability that began', ['run', '--capability', 'pu'], ['publish-preview']],
    ['a capability in one word', ['run', '--capability=pr'], ['--capability=prune-cache']],
    ['a capability that bash split', ['run', '--capability', '=', 'pr'], ['prune-cache']],
    [
      'a capability behind a lone equals sign',
      ['run', '--capability', '='],
      ['publish-preview', 'prune-cache'],
    ],
    ['the argument of explain', ['explain', 'pu'], ['publish-preview']],
    ['the argument of init', ['init', '--aws-role', 'pru'], ['prune-cache']],
    ['choices of an option', ['check', '--format', 'g'], ['github']],
    ['choices of an argument', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['an option', ['run', '--capab'], ['--capability']],
    ['an option of every command', ['run', '--qui'], ['--quiet']],
    [
      'the dashes before a command',
      ['run', '--'],
      expect.arrayContaining(['--', '--json', '--ttl']) as never,
    ],
    ['no dashes where none belong', ['list', '--'], expect.not.arrayContaining(['--']) as never],
    ['nothing for a file', ['-f', ''], []],
    ['nothing for free text', ['run', '-j', ''], []],
    ['nothing behind the dashes', ['run', '-c', 'x', '--', 'pu'], []],
    ['a command behind an option with a value', ['-f', 'capabilities.yaml', 'expl'], ['explain']],
    ['nothing for what is not known', ['nonsense', '--x', 'y'], []],
  ];
  test.each(cases)('%s', async (_name, words, expected) => {
    expect(await completeWords(inFolder(), words, PROGRAM)).toEqual(expected);
  });

  it('offers every command and no hidden one', async () => {
    const words = await completeWords(inFolder(), [''], PROGRAM);
    expect(words).toEqual(
      expect.arrayContaining(['run', 'list', 'explain', 'check', 'trust', 'doctor', 'completion']),
    );
    expect(words.filter((word) => word.startsWith('_'))).toEqual([]);
  });

  it('takes the map that the words name', async () => {
    const context = inFolder(null);
    const other = join(tempDir(), 'other.yaml');
    writeFileSync(other, MAP, { mode: 0o644 });
    expect(await completeWords(context, ['run', '-c', 'pu'], PROGRAM)).toEqual([]);
    for (const words of [['-f', other], [`--map=${other}`], ['--map', '=', other]]) {
      expect(await completeWords(context, [...words, 'run', '-c', 'pu'], PROGRAM)).toEqual([
        'publish-preview',
      ]);
    }
  });

  it('suggests no capability of a map that is broken', async () => {
    expect(await completeWords(inFolder('version: ['), ['run', '-c', ''], PROGRAM)).toEqual([]);
  });
});

describe('the command', () => {
  test.each(['bash', 'zsh', 'fish'] as const)('prints the script for %s', async (shell) => {
    const kept = keptContext(ambientOf({ cwd: '/' }));
    expect(await completion(kept.context, { shell })).toBe(0);
    expect(kept.text()).toBe(COMPLETION_SCRIPTS[shell]);
    expect(kept.text()).not.toMatch(/\beval "\$\{|eval \$/);
  });

  it('refuses another shell', async () => {
    await expect(
      completion(keptContext(ambientOf({ cwd: '/' })).context, { shell: 'csh' }),
    ).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: '"csh" is no shell that completion is made for',
      hint: 'capwrap completion bash|zsh|fish',
    });
  });
});

const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;
const skipped = (shell: string) => (has(shell) ? '' : ` (${shell} is not installed)`);

/** A `capwrap` that notes its words and answers with two of its own. */
function fakeCapwrap(answer = 'publish-preview\\nprune-cache\\n') {
  const folder = tempDir();
  const program = join(folder, 'capwrap');
  writeFileSync(
    program,
    `#!/bin/sh\nfor w in "$@"; do printf '%s\\n' "$w"; done > ${folder}/asked\nprintf '${answer}'\n`,
  );
  chmodSync(program, 0o755);
  const asked = () =>
    existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n') : null;
  return { folder, asked };
}

describe.skipIf(!has('bash'))(`in bash${skipped('bash')}`, () => {
  /** Calls the function that bash calls on Tab, with the words as bash hands them over: not expanded. */
  function complete(fake: { folder: string }, words: readonly string[], before = '') {
    const script = join(fake.folder, 'completion.bash');
    writeFileSync(script, COMPLETION_SCRIPTS.bash);
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const code = `set -u; ${before}source ${script}; source ${script}; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}
      _capwrap; complete -p capwrap >&2; for w in "\${COMPREPLY[@]:-}"; do printf '%s\\n' "$w"; done`;
    const result = spawnSync('bash', ['--norc', '--noprofile', '-c', code], {
      cwd: fake.folder,
      env: { PATH: `${fake.folder}:${process.env['PATH'] ?? ''}`, HOME: fake.folder },
      encoding: 'utf8',
    });
    expect(result.stderr.trim()).toBe('complete -o bashdefault -o default -F _capwrap capwrap');
    return result.stdout.split('\n').filter((line) => line !== '');
  }

  it('asks capwrap, and offers what it answers', () => {
    const fake = fakeCapwrap();
    expect(complete(fake, ['capwrap', 'run', '-c', 'p'])).toEqual(['publish-preview', 'prune-cache']);
    expect(fake.asked()).toEqual(['__complete', '--', 'run', '-c', 'p']);
  });

  it('asks the capwrap that was typed', () => {
    const fake = fakeCapwrap();
    expect(complete(fake, ['~/capwrap', ''])).toEqual(['publish-preview', 'prune-cache']);
    expect(complete(fake, ['./capwrap', ''])).toEqual(['publish-preview', 'prune-cache']);
  });

  it('runs nothing that is being typed', () => {
    const fake = fakeCapwrap();
    complete(fake, ['capwrap', 'run', '$(touch sprung)', '`touch sprung`', '; touch sprung', '']);
    expect(fake.asked()).toEqual([
      '__complete',
      '--',
      'run',
      '$(touch sprung)',
      '`touch sprung`',
      '; touch sprung',
    ]);
    expect(existsSync(join(fake.folder, 'sprung'))).toBe(false);
  });

  it('offers programs behind the dashes, and asks nothing', () => {
    const fake = fakeCapwrap();
    expect(complete(fake, ['capwrap', 'run', '-c', 'x', '--', 'capwr'])).toEqual(['capwrap']);
    expect(complete(fake, ['capwrap', 'run', '--', 'make', 'x'])).toEqual([]);
    expect(fake.asked()).toBeNull();
  });

  it('hands the words behind the dashes to the bash-completion package where it is loaded', () => {
    const fake = fakeCapwrap();
    const loaded = '_command_offset() { COMPREPLY=("offset $1"); }; ';
    expect(complete(fake, ['capwrap', 'run', '--', 'make', 'x'], loaded)).toEqual(['offset 3']);
  });

  it('stays silent where capwrap fails', () => {
    const fake = fakeCapwrap('');
    expect(complete(fake, ['/nowhere/capwrap', ''])).toEqual([]);
    expect(complete(fake, ['capwrap', '-f', ''])).toEqual([]);
  });
});

describe.skipIf(!has('zsh'))(`in zsh${skipped('zsh')}`, () => {
  it('offers what capwrap answers', () => {
    const fake = fakeCapwrap('publish-preview\\n');
    writeFileSync(join(fake.folder, 'completion.zsh'), COMPLETION_SCRIPTS.zsh);
    // A shell inside a shell, because zsh completes only where there is a terminal.
    const code = `zmodload zsh/zpty; zpty -b inner zsh -f -i
      zpty -w inner 'PS1="ready> "; unsetopt prompt_cr; autoload -Uz compinit; compinit -u -D; source completion.zsh; print lo""aded'
      zpty -r -m inner out '*loaded*'
      zpty -w -n inner $'capwrap run -c pu\\t'
      zpty -r -m inner out '*publish-preview*'; print -r -- "$out"; zpty -d inner`;
    const result = spawnSync('zsh', ['-f', '-c', code], {
      cwd: fake.folder,
      env: { PATH: `${fake.folder}:${process.env['PATH'] ?? ''}`, HOME: fake.folder, TERM: 'dumb' },
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(result.stdout).toContain('publish-preview');
    expect(fake.asked()).toEqual(['__complete', '--', 'run', '-c', 'pu']);
  });
});

describe.skipIf(!has('fish'))(`in fish${skipped('fish')}`, () => {
  function complete(fake: { folder: string }, line: string): string[] {
    const script = join(fake.folder, 'completion.fish');
    writeFileSync(script, COMPLETION_SCRIPTS.fish);
    const result = spawnSync(
      'fish',
      ['--no-config', '-c', `source ${script}; complete -C ${JSON.stringify(line)}`],
      {
        cwd: fake.folder,
        env: { PATH: `${fake.folder}:${process.env['PATH'] ?? ''}`, HOME: fake.folder, TERM: 'dumb' },
        encoding: 'utf8',
      },
    );
    return result.stdout
      .split('\n')
      .map((row) => row.split('\t')[0] ?? '')
      .filter((word) => word !== '');
  }

  it('offers what capwrap answers', () => {
    const fake = fakeCapwrap();
    expect(complete(fake, 'capwrap run -c p').sort()).toEqual(['prune-cache', 'publish-preview']);
    expect(fake.asked()).toEqual(['__complete', '--', 'run', '-c', 'p']);
  });

  it('completes another command behind the dashes, and files where there is no answer', () => {
    const fake = fakeCapwrap('');
    expect(complete(fake, 'capwrap run -c x -- capwr')).toContain('capwrap');
    expect(fake.asked()).toBeNull();
    expect(complete(fake, 'capwrap -f compl')).toContain('completion.fish');
  });
});

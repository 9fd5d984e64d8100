/** The child's environment comes out of a shell as it was meant to be. */
import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canTakeByName, execChain } from '../../src/runner/exec-chain.ts';
import { shellPassage } from '../../src/runner/shell-passage.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { NOT_LINUX } from '../matrix/ground.ts';

const CAT = findTool('cat') ?? '/bin/cat';
const command = {
  argv: ['cat', '/proc/self/environ'],
  cwd: '/',
  path: CAT,
  fault: null,
  sha256: null,
} as const;
const PLAIN = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

type Env = Readonly<Record<string, string>>;

/** The environment of a command that takes a "terminal" by name; `shell` stands in for `/bin/sh`. */
async function comesOut(env: Env, shell?: string): Promise<{ readonly env: Env; readonly said: string }> {
  const passage = shellPassage(env, () => false);
  if (passage === null) throw new Error('nothing is secret');
  const { file, argv } = execChain(command, { ignored: [], taking: { path: '/dev/null', passage } });
  const [argv0 = '', ...args] = argv;
  const child = spawn(shell ?? file, args, {
    argv0,
    cwd: '/',
    env: Object.assign(Object.create(null), passage.env),
    detached: true,
  });
  const texts = { out: '', said: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (texts.said += chunk.toString('latin1')));
  await new Promise((resolve) => child.on('close', resolve));
  const entries = texts.out.split('\0').slice(0, -1);
  const pairs = entries.map((one) => /^([^=]*)=(.*)$/s.exec(one)?.slice(1) ?? [one, '']);
  return { env: Object.fromEntries(pairs), said: texts.said };
}

/** Strings as the file shows them, byte by byte. */
const bytes = (env: Env): Env =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]),
  );

/** Names that some shell changes or makes. */
const SPECIAL = [
  ...['_', 'PWD', 'OLDPWD', 'SHLVL', 'IFS', 'OPTIND', 'OPTERR', 'PPID', 'PS1', 'PS2', 'PS4', 'LINENO', 'ENV'],
  ...['LC_ALL', 'LANG', 'POSIXLY_CORRECT', 'SHELLOPTS', 'BASHOPTS', 'BASH_ENV', 'BASH_XTRACEFD', 'BASH'],
  ...['RANDOM', 'SECONDS', 'EPOCHSECONDS', 'HISTCMD', 'COLUMNS', 'LINES', 'TMOUT', 'MAIL', 'CDPATH', 'UID'],
];
const SHELLS = [undefined, ...['bash', 'busybox'].map((name) => findTool(name) ?? name)];

describe.skipIf(NOT_LINUX || !canTakeByName(CAT))('the environment behind a shell', () => {
  it.each(SHELLS)('is the same, whatever is in it: %s', async (shell) => {
    if (shell !== undefined && (!shell.startsWith('/') || shell.endsWith('busybox'))) return;
    const name = fc.oneof(fc.constantFrom(...SPECIAL), fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,12}$/));
    const safe = name.filter((one) => !/^(?:LD_|GLIBC|MALLOC_|GCONV|LOCPATH|NLSPATH)/.test(one));
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '5', '/', '/nowhere', 'a\'b"c$d`e', 'x\ny', '-u', '() { :; }', 'xx_YY'),
    );
    const anyEnv = fc
      .dictionary(
        safe,
        value.map((text) => text.replaceAll('\0', '')),
        { maxKeys: 12 },
      )
      .map((made) => ({ ...made, ...PLAIN }));
    await fc.assert(
      fc.asyncProperty(anyEnv, async (env) => {
        expect(await comesOut(env, shell)).toEqual({ env: bytes(env), said: '' });
      }),
      {
        numRuns: 20,
        examples: [[PLAIN], [{ ...Object.fromEntries(SPECIAL.map((one) => [one, 'x 7'])), ...PLAIN }]],
      },
    );
  });

  it('has no PATH where the child has none', async () => {
    const { env } = await comesOut({ A: '1' });
    expect(env).toEqual({ A: '1' });
  });
});

describe('what goes around the shell', () => {
  const isSecret = (text: string) => text.includes('secret');

  it('is nothing secret: then there is no such way', () => {
    expect(shellPassage({ PWD: 'a secret' }, isSecret)).toBeNull();
    expect(shellPassage({ OLDPWD: '/x', SHLVL: 'secret' }, isSecret)).toBeNull();
  });

  it('is only what a shell has a use for: a secret goes through it', () => {
    const passage = shellPassage({ TOKEN: 'a secret', PWD: '/x', PATHS: 'secret', LANG: 'C' }, isSecret);
    expect(passage?.env).toEqual({ TOKEN: 'a secret', PATHS: 'secret' });
    expect(passage?.set).toEqual(['PWD=/x', 'LANG=C']);
    expect(passage?.unset).toEqual(expect.arrayContaining(['SHLVL', '_', 'PATH']));
    expect(passage?.unset).not.toContain('PWD');
  });
});

it.skipIf(NOT_LINUX)(`keeps a path with "=" apart from assignments${needs('setpriv')}`, () => {
  const passage = shellPassage({ A: '1' }, () => false);
  if (passage === null || !canTakeByName('/some/A=1')) return;
  const odd = { ...command, argv: ['A=1', '--', 'x'], path: '/some/A=1' };
  const { argv } = execChain(odd, { ignored: ['SIGHUP'], taking: { path: '/dev/pts/0', passage } });
  expect(argv.slice(0, 4)).toEqual(['/bin/sh', '-c', ': <"$0"; exec "$@"', '/dev/pts/0']);
  const tail = argv.slice(argv.findIndex((word) => word.endsWith('setpriv')));
  expect(tail.slice(1)).toEqual(['--pdeathsig', 'KILL', '--', 'A=1', '--', 'x']);
});

import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { loadConfig } from '../../src/request/git/load-config.ts';
import { parseConfig } from '../../src/request/git/parse-config.ts';
import { matchPathPattern } from '../../src/request/git/path-pattern.ts';
import { GitFault } from '../../src/request/git/read-file.ts';
import { readGit } from '../../src/request/git/read-git.ts';
import { tempDir } from '../helpers/cli.ts';
import { fakeGitDir, HAS_GIT, makeRepo, NO_GIT, optionsWithHome, put, tryGit } from './git-fixture.ts';

/** What git lists, or null where it refuses the file. A name without a value is listed without `\n`. */
function gitList(file: string, home: string): (readonly [string, string | null])[] | null {
  const { status, stdout } = tryGit(home, home, 'config', '--file', file, '--null', '--list');
  if (status !== 0) return null;
  return stdout
    .split('\0')
    .slice(0, -1)
    .map((item) => {
      const at = item.indexOf('\n');
      return at < 0 ? ([item, null] as const) : ([item.slice(0, at), item.slice(at + 1)] as const);
    });
}

function ownList(text: string): (readonly [string, string | null])[] | null {
  try {
    return parseConfig(Buffer.from(text), 'config').map(({ key, value }) => [key, value] as const);
  } catch (error) {
    if (error instanceof GitFault) return null;
    throw error;
  }
}

/** Pieces that make and break configs. Inner tabs are left out: git 2.45 began to keep them. */
const piece = fc.constantFrom(
  ...[
    '[core]',
    '[remote "origin"]',
    '[a.B]',
    '[x "y\\"z\\\\"]',
    '[S "T.u"]',
    '["',
    '[bad',
    ']',
    '[-]',
    '[a ]',
  ],
  ...[
    'url',
    'Name-1',
    'k',
    '1k',
    ' = ',
    '=',
    '"',
    '\\',
    '\\n',
    '\\t',
    '\\x',
    '\\\n',
    '#',
    ';',
    'v w',
    ' ',
    '  ',
  ],
  ...['\n', '\r\n', '\r', '\n', '\n', 'ü', 'value', '\\"', '\\b', '\t\n', '\uFEFF'],
);
const rubbish = fc.array(piece, { maxLength: 24 }).map((pieces) => `[s]\n${pieces.join('')}`);

const setting = fc
  .tuple(fc.constantFrom('url', 'fetch', 'insteadOf', 'Path'), fc.string({ maxLength: 20 }).map(plain))
  .map(([name, value]) => `\t${name} = "${value.replace(/["\\]/g, '\\$&')}"\n`);
const section = fc.tuple(
  fc.constantFrom('[core]', '[remote "o.r"]', '[url "https://h/"]'),
  fc.array(setting),
);
const sensible = fc
  .array(section)
  .map((all) => all.map(([head, lines]) => `${head}\n${lines.join('')}`).join(''));

function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '');
}

describe.skipIf(!HAS_GIT)(`config beside the real git${HAS_GIT ? '' : ` (${NO_GIT})`}`, () => {
  const samples = [
    ...fc.sample(rubbish, { numRuns: 110, seed: 1 }),
    ...fc.sample(sensible, { numRuns: 40, seed: 2 }),
    '[a]\nb\n',
    '[a]b=c',
    '[a] b = c ; comment\n',
    '[a]\nb = "c ; d" e # f\n',
    '[a]\nb = c \\\n  d\n',
    '[a]\nb = c\\',
    '\uFEFF[a]\nb=c\n',
    '[a]\r\nb = c\r\n',
    '[A.B]\nC = D\n',
    '[a "B"]\nc = \n',
    '[a "B\nC"]\nd = e\n',
    '[a]\nb = "c\n',
    '[a]\nb c\n',
    '[a]\nb == c\n',
  ];

  it('reads, and refuses, what git does', () => {
    const home = tempDir();
    const file = join(home, 'config');
    for (const text of samples) {
      writeFileSync(file, text);
      expect(ownList(text), JSON.stringify(text)).toEqual(gitList(file, home));
    }
  });

  const rewrites: readonly (readonly [string, string])[] = [
    ['gh:acme/app', '[url "git@github.com:"]\ninsteadOf = gh:\n'],
    ['https://github.com/acme/app', '[url "https://mirror.example/gh/"]\ninsteadOf = https://github.com/\n'],
    ['gh:acme/app', '[url "https://a/x/"]\ninsteadOf = gh:\n[url "https://b/y/"]\ninsteadOf = gh:acme/\n'],
    ['gh:acme/app', '[url "https://a/x/"]\ninsteadOf = gh:\n[url "https://b/y/"]\ninsteadOf = gh:\n'],
    ['gh:acme/app', '[url "https://b/y/"]\npushInsteadOf = gh:\n[url "https://a/x/"]\ninsteadOf = gh:\n'],
  ];
  test.each(rewrites)('rewrites %s as git does, from %j', (url, config) => {
    const home = tempDir();
    const repo = makeRepo(join(home, 'r'), url);
    put(home, '.gitconfig', config);
    const expected = tryGit(repo, home, 'remote', 'get-url', 'origin').stdout.trim();
    const path = expected.replace(/^https:\/\/[^/]+\/|^[^:]+:/, '').replace(/\.git$/, '');
    expect(readGit(repo, optionsWithHome(home)).repo.value).toBe(path);
  });

  const conditions: readonly (readonly [string, (repo: string) => string])[] = [
    ['gitdir: of a directory', (repo) => `gitdir:${repo}/`],
    ['gitdir: with stars', () => 'gitdir:**/work/*/.git'],
    ['gitdir: relative', () => 'gitdir:work/'],
    ['gitdir: below home', () => 'gitdir:~/work/'],
    ['gitdir: beside the config', () => 'gitdir:./work/'],
    ['gitdir: elsewhere', () => 'gitdir:/elsewhere/'],
    ['gitdir: in the wrong case', () => 'gitdir:~/WORK/'],
    ['gitdir/i: in the wrong case', () => 'gitdir/i:**/WORK/'],
    ['onbranch:', () => 'onbranch:main'],
    ['onbranch: with a slash', () => 'onbranch:ma*'],
    ['onbranch: another', () => 'onbranch:feat/'],
  ];
  test.each(conditions)('judges %s as git does', (_name, condition) => {
    const home = tempDir();
    const repo = makeRepo(join(home, 'work/r'), 'gh:acme/app');
    put(home, '.gitconfig', `[includeIf "${condition(repo)}"]\npath = extra\n`);
    put(home, 'extra', '[url "https://h/found/"]\ninsteadOf = gh:\n');
    const found = tryGit(repo, home, 'remote', 'get-url', 'origin').stdout.includes('found');
    expect(readGit(repo, optionsWithHome(home)).repo.value).toBe(found ? 'found/acme/app' : 'acme/app');
  });
});

describe('includes', () => {
  const scene = { gitDir: '/nowhere', branch: 'main', home: null };

  it('puts the included settings where the include stands', () => {
    const dir = tempDir();
    put(dir, 'config', '[a]\nb = 1\n[include]\npath = more\n[a]\nb = 3\n');
    put(dir, 'more', '[a]\nb = 2\n');
    const values = loadConfig([join(dir, 'config')], scene).filter(({ key }) => key === 'a.b');
    expect(values.map(({ value }) => value)).toEqual(['1', '2', '3']);
  });

  it('follows an include in the repository to its remote', () => {
    const top = tempDir();
    fakeGitDir(join(top, '.git'), { config: '[include]\npath = ../shared\n' });
    put(top, 'shared', '[remote "origin"]\nurl = h:acme/app\n');
    expect(readGit(top, optionsWithHome(top)).repo.value).toBe('acme/app');
  });

  it('gives up on a circle and on a flood', () => {
    const dir = tempDir();
    put(dir, 'config', '[include]\npath = config\n[include]\npath = config\n');
    expect(() => loadConfig([join(dir, 'config')], scene)).toThrow(/is included too deeply/);
  });

  it('leaves a file aside that can have no say, and knows nothing where it could', () => {
    const top = tempDir();
    fakeGitDir(join(top, '.git'), { config: '[remote "origin"]\nurl = gh:acme/app\n' });
    for (const condition of ['hasconfig:remote.*.url:gh:**', 'gitdir:/a[bc]/', 'novel:x']) {
      put(top, '.gitconfig', `[includeIf "${condition}"]\npath = extra\n`);
      put(top, 'extra', '[user]\nemail = a@example.com\n');
      expect(readGit(top, optionsWithHome(top)).repo.value).toBe('acme/app');
      put(top, 'extra', '[url "https://h/other/"]\ninsteadOf = gh:acme/\n');
      expect(readGit(top, optionsWithHome(top)).repo).toMatchObject({
        value: null,
        from: expect.stringMatching(/includes a file under a condition that only git can judge$/),
      });
    }
  });

  it('is not flooded by a device', () => {
    const top = tempDir();
    fakeGitDir(join(top, '.git'), { config: '[remote "origin"]\nurl = h:a/b\n' });
    symlinkSync('/dev/zero', join(top, '.gitconfig'));
    expect(readGit(top, optionsWithHome(top)).repo.from).toMatch(/\.gitconfig is not a regular file$/);
  });
});

describe('path patterns', () => {
  const cases: readonly (readonly [string, string, boolean | null])[] = [
    ['/a/*/c', '/a/b/c', true],
    ['/a/*/c', '/a/b/b/c', false],
    ['/a/**/c', '/a/c', true],
    ['/a/**/c', '/a/b/b/c', true],
    ['**/c', 'c', true],
    ['/a/**', '/a', false],
    ['/a/**', '/a/b', true],
    ['/a/b*d?f', '/a/bcccdef', true],
    ['/a/b**d', '/a/bxd', true],
    ['/a/[b]', '/a/b', null],
    ['', '', true],
  ];
  test.each(cases)('%s beside %s', (pattern, text, expected) => {
    expect(matchPathPattern(pattern, text, false)).toBe(expected);
  });

  it('takes no exponential time', () => {
    // With it, these would not come back.
    expect(matchPathPattern(`${'*a'.repeat(200)}b`, 'a'.repeat(2000), false)).toBe(false);
    expect(matchPathPattern(`${'**/a/'.repeat(100)}b`, 'a/'.repeat(1000), false)).toBe(false);
  });
});

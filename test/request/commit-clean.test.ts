import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, test } from 'vitest';
import { readCommitClean } from '../../src/request/git/commit-clean.ts';
import { readGit } from '../../src/request/git/read-git.ts';
import { tempDir } from '../helpers/cli.ts';
import { git, HAS_GIT, makeRepo, NO_GIT, optionsWithHome, put, tryGit } from './git-fixture.ts';

function clean(repo: string, home: string) {
  const options = optionsWithHome(home);
  return readCommitClean(readGit(repo, options), options);
}

function gitSaysClean(repo: string, home: string): string {
  return String(tryGit(repo, home, 'status', '--porcelain').stdout === '');
}

type Step = readonly [string, (repo: string) => void];

const STEPS: readonly Step[] = [
  ['modify', (repo) => appendFileSync(join(repo, 'a.txt'), 'more')],
  ['modify, same size', (repo) => put(repo, 'src/b.txt', 'SRC/B.TXT\n')],
  ['touch', (repo) => utimesSync(join(repo, 'a.txt'), 1, 1)],
  ['same bytes again', (repo) => put(repo, 'src/b.txt')],
  ['make executable', (repo) => chmodSync(join(repo, 'run.sh'), 0o755)],
  ['make private', (repo) => chmodSync(join(repo, 'run.sh'), 0o600)],
  ['delete', (repo) => rmSync(join(repo, 'src/b.txt'), { force: true })],
  ['delete a directory', (repo) => rmSync(join(repo, 'src'), { recursive: true, force: true })],
  ['untracked', (repo) => put(repo, 'new.txt')],
  ['untracked below', (repo) => put(repo, 'fresh/deep/new.txt')],
  ['empty directory', (repo) => mkdirSync(join(repo, 'hollow/inner'), { recursive: true })],
  ['ignored', (repo) => put(repo, 'x.log')],
  ['ignored directory', (repo) => put(repo, 'node_modules/p/index.js')],
  ['ignored but wanted', (repo) => put(repo, 'keep.log')],
  ['ignored by the directory', (repo) => put(repo, 'src/out.tmp')],
  ['ignored in the wrong case', (repo) => put(repo, 'X.LOG')],
  ['ignored by info/exclude', (repo) => put(repo, 'mine.txt')],
  ['ignored by the user', (repo) => put(repo, '.DS_Store')],
  ['beside a tracked file in an ignored directory', (repo) => put(repo, 'dist/extra.js')],
  ['stage all', (repo) => git(repo, 'add', '-A')],
  ['commit', (repo) => git(repo, 'commit', '-q', '--allow-empty', '-m', 'x')],
  ['unstage from the index', (repo) => tryGit(repo, repo, 'rm', '-q', '--cached', 'a.txt')],
  ['intent to add', (repo) => tryGit(repo, repo, 'add', '-N', 'new.txt')],
  [
    'rename',
    (repo) => existsSync(join(repo, 'a.txt')) && renameSync(join(repo, 'a.txt'), join(repo, 'c.txt')),
  ],
  ['reset', (repo) => git(repo, 'reset', '-q', '--hard')],
  ['pack', (repo) => git(repo, 'gc', '-q')],
  ['detach', (repo) => git(repo, 'checkout', '-q', '--detach')],
  ['index version 4', (repo) => git(repo, 'update-index', '--index-version', '4')],
  ['file becomes a link', (repo) => relink(join(repo, 'run.sh'), 'a.txt')],
  ['link moves', (repo) => relink(join(repo, 'link'), 'src/b.txt')],
  [
    'file becomes a directory',
    (repo) => {
      rmSync(join(repo, 'a.txt'), { recursive: true, force: true });
      mkdirSync(join(repo, 'a.txt'));
    },
  ],
  [
    'FIFO',
    (repo) => {
      if (!existsSync(join(repo, 'fifo'))) execFileSync('mkfifo', [join(repo, 'fifo')]);
    },
  ],
  [
    'repository inside',
    (repo) => {
      mkdirSync(join(repo, 'inner'), { recursive: true });
      git(join(repo, 'inner'), 'init', '-q');
    },
  ],
  ['stop ignoring', (repo) => put(repo, '.gitignore', '')],
];

/** An earlier step may have removed what a later one works on. */
function whereItApplies(step: () => void): void {
  try {
    step();
  } catch {
    // then the two sides are compared as they are
  }
}

function relink(path: string, target: string): void {
  rmSync(path, { force: true, recursive: true });
  symlinkSync(target, path);
}

const made = realpathSync(mkdtempSync(join(tmpdir(), 'capwrap-test-')));
afterAll(() => rmSync(made, { recursive: true }));
let isMade = false;

/** A home directory with a repository in it; made once and copied. */
function template(): { home: string; repo: string } {
  if (!isMade) makeTemplate(made);
  isMade = true;
  const home = tempDir();
  cpSync(made, home, { recursive: true, verbatimSymlinks: true });
  return { home, repo: join(home, 'r') };
}

function makeTemplate(home: string): void {
  const repo = makeRepo(join(home, 'r'));
  put(repo, 'run.sh', '#!/bin/sh\n');
  put(repo, '.gitignore', '*.log\n!keep.log\nnode_modules/\n/dist\n');
  put(repo, 'src/.gitignore', '*.tmp\n');
  put(repo, 'dist/tracked.js');
  put(repo, '.git/info/exclude', 'mine.txt\n');
  put(home, '.config/git/ignore', '.DS_Store\n');
  symlinkSync('a.txt', join(repo, 'link'));
  git(repo, 'add', '-A');
  git(repo, 'add', '-f', 'dist/tracked.js');
  git(repo, 'commit', '-q', '-m', 'second');
}

describe.skipIf(!HAS_GIT)(`beside the real git${HAS_GIT ? '' : ` (${NO_GIT})`}`, () => {
  it('says what git status says, after any steps', async () => {
    const { home, repo } = template();
    const singles = STEPS.map((step) => [step]);
    const mixes = fc.sample(fc.array(fc.constantFrom(...STEPS), { minLength: 2, maxLength: 5 }), {
      numRuns: 9,
      seed: 7,
    });
    const seen = { true: 0, false: 0 };
    for (const [index, steps] of [...singles, ...mixes].entries()) {
      const copy = join(home, `copy${index}`);
      cpSync(repo, copy, { recursive: true, verbatimSymlinks: true });
      for (const [, step] of steps) whereItApplies(() => step(copy));
      const fact = await clean(copy, home);
      const expected = gitSaysClean(copy, home);
      expect(fact, `${steps.map(([name]) => name).join(', ')}: ${fact.from}`).toMatchObject({
        value: expected,
        source: 'observed',
      });
      seen[expected as 'true' | 'false']++;
      rmSync(copy, { recursive: true });
    }
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(10);
  });

  it('names the first difference', async () => {
    const { home, repo } = template();
    put(repo, 'src/new.txt');
    expect((await clean(repo, home)).from).toBe('untracked: src/new.txt');
    appendFileSync(join(repo, 'a.txt'), 'x');
    expect((await clean(repo, home)).from).toBe('modified: a.txt');
    git(repo, 'add', '-A');
    expect((await clean(repo, home)).from).toBe('staged: a.txt');
  });

  it('reads linked work trees, and their own index', async () => {
    const { home, repo } = template();
    git(repo, 'worktree', 'add', '-q', join(home, 'linked'));
    put(join(home, 'linked'), 'mine.txt');
    appendFileSync(join(repo, 'a.txt'), 'x');
    expect((await clean(join(home, 'linked'), home)).value).toBe('true');
    appendFileSync(join(home, 'linked', 'a.txt'), 'x');
    expect((await clean(join(home, 'linked'), home)).from).toBe('modified: a.txt');
  });

  it('is not fooled by a merge that was never resolved', async () => {
    const { home, repo } = template();
    put(repo, 'a.txt', 'stashed\n');
    git(repo, 'stash', '-q');
    put(repo, 'a.txt', 'committed\n');
    git(repo, 'commit', '-qam', 'other');
    tryGit(repo, repo, 'stash', 'pop');
    put(repo, 'a.txt', 'committed\n');
    expect(await clean(repo, home)).toMatchObject({ value: gitSaysClean(repo, home), from: 'staged: a.txt' });
  });

  it('is not fooled by a kept modification time', async () => {
    const { home, repo } = template();
    const { atime, mtime } = statSync(join(repo, 'a.txt'));
    git(repo, 'update-index', '--assume-unchanged', 'a.txt');
    put(repo, 'a.txt', 'A.txt\n');
    utimesSync(join(repo, 'a.txt'), atime, mtime);
    expect((await clean(repo, home)).value).toBe('false');
  });

  it('is not fooled by a directory that became a link to a copy of itself', async () => {
    const { home, repo } = template();
    renameSync(join(repo, 'src'), join(home, 'moved'));
    symlinkSync(join(home, 'moved'), join(repo, 'src'));
    expect(await clean(repo, home)).toMatchObject({
      value: gitSaysClean(repo, home),
      from: expect.stringMatching(/src/),
    });
  });

  const unsure: readonly (readonly [string, (repo: string, home: string) => void, RegExp])[] = [
    [
      'a populated submodule',
      (repo, home) => {
        git(
          repo,
          '-c',
          'protocol.file.allow=always',
          'submodule',
          '--quiet',
          'add',
          makeRepo(join(home, 's')),
          'lib',
        );
        git(repo, 'commit', '-qam', 'lib');
      },
      /"lib" is a submodule/,
    ],
    [
      'line-end conversion',
      (repo) => {
        put(repo, '.gitattributes', '*.txt eol=crlf\n');
        git(repo, 'add', '-A');
        git(repo, 'commit', '-qm', 'attributes');
        rmSync(join(repo, 'a.txt'));
        git(repo, 'checkout', 'a.txt');
      },
      /content filters/,
    ],
    [
      'SHA-256',
      (repo) => {
        rmSync(join(repo, '.git'), { recursive: true });
        git(repo, 'init', '-q', '--object-format=sha256');
        git(repo, 'commit', '-q', '--allow-empty', '-m', 'x');
      },
      /SHA-256/,
    ],
    ['a split index', (repo) => git(repo, 'update-index', '--split-index'), /extension "link"/],
    [
      'a damaged index',
      (repo) => writeFileSync(join(repo, '.git/index'), 'DIRCrubbish-rubbish-rubbish-rubbish'),
      /index/,
    ],
    ['no commit', (repo) => git(repo, 'checkout', '-q', '--orphan', 'new'), /no commit yet/],
    [
      'a missing object',
      (repo) => rmSync(join(repo, '.git/objects'), { recursive: true }),
      /no git work tree/,
    ],
    [
      'a missing tree',
      (repo) => {
        const tree = git(repo, 'rev-parse', 'HEAD:src');
        rmSync(join(repo, '.git/objects', tree.slice(0, 2), tree.slice(2)));
      },
      /could not be compared/,
    ],
  ];
  test.each(unsure)('does not know with %s', async (_name, prepare, reason) => {
    const { home, repo } = template();
    prepare(repo, home);
    expect(await clean(repo, home)).toMatchObject({
      value: null,
      source: 'unknown',
      from: expect.stringMatching(reason),
    });
  });

  it('takes an empty submodule directory and a sparse checkout as git does', async () => {
    const { home, repo } = template();
    git(repo, 'update-index', '--add', '--cacheinfo', `160000,${'a'.repeat(40)},lib`);
    git(repo, 'commit', '-qm', 'lib');
    mkdirSync(join(repo, 'lib'));
    git(repo, 'update-index', '--skip-worktree', 'a.txt');
    rmSync(join(repo, 'a.txt'));
    expect(gitSaysClean(repo, home)).toBe('true');
    expect((await clean(repo, home)).value).toBe('true');
  });

  it('writes nothing and starts nothing', async () => {
    const { home, repo } = template();
    const trap = join(home, 'trap.sh');
    writeFileSync(trap, `#!/bin/sh\ntouch ${home}/sprung\n`);
    chmodSync(trap, 0o755);
    git(repo, 'config', 'core.fsmonitor', trap);
    git(repo, 'config', 'filter.x.clean', trap);
    put(repo, '.git/info/attributes', '* filter=x\n');
    utimesSync(join(repo, 'a.txt'), 1, 1);
    const before = [readFileSync(join(repo, '.git/index')), lstatSync(join(repo, '.git/index')).mtimeMs];
    rmSync(join(home, 'sprung'), { force: true });
    expect((await clean(repo, home)).value).toBe('true');
    expect([readFileSync(join(repo, '.git/index')), lstatSync(join(repo, '.git/index')).mtimeMs]).toEqual(
      before,
    );
    expect(existsSync(join(home, 'sprung'))).toBe(false);
  });
});

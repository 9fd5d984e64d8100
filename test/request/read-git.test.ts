import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { readGit } from '../../src/request/git/read-git.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { fakeGitDir, git, HAS_GIT, makeRepo, NO_GIT, optionsWithHome, put, UID } from './git-fixture.ts';

const OID = 'a'.repeat(40);

function read(cwd: string, home = cwd) {
  return readGit(cwd, optionsWithHome(home));
}

describe.skipIf(!HAS_GIT)(`beside the real git${HAS_GIT ? '' : ` (${NO_GIT})`}`, () => {
  it('reads repository, branch and commit, from the top and from below', () => {
    const repo = makeRepo(join(tempDir(), 'r'));
    const head = git(repo, 'rev-parse', 'HEAD');
    for (const cwd of [repo, join(repo, 'src')]) {
      const facts = read(cwd);
      expect(facts.workTree).toBe(repo);
      expect(facts.repo).toEqual({
        value: 'acme/web-app',
        source: 'observed',
        from: 'remote "origin" in .git/config (github.com)',
      });
      expect(facts.branch).toEqual({ value: 'main', source: 'observed', from: '.git/HEAD' });
      expect(facts.commit).toEqual({ value: head, source: 'observed', from: '.git/refs/heads/main' });
    }
  });

  it('reads packed refs, also beside a directory of the same name', () => {
    const repo = makeRepo(join(tempDir(), 'r'));
    git(repo, 'checkout', '-q', '-b', 'feat/x');
    git(repo, 'tag', '-a', 'v1', '-m', 'one');
    git(repo, 'pack-refs', '--all');
    mkdirSync(join(repo, '.git/refs/heads/feat/x'), { recursive: true });
    const facts = read(repo);
    expect(facts.branch.value).toBe('feat/x');
    expect(facts.commit).toMatchObject({ value: git(repo, 'rev-parse', 'HEAD'), from: '.git/packed-refs' });
  });

  it('does not take the end of another ref for the ref', () => {
    const repo = makeRepo(join(tempDir(), 'r'));
    git(repo, 'branch', 'x/main');
    git(repo, 'pack-refs', '--all');
    git(repo, 'checkout', '-q', '--orphan', 'ain');
    expect(read(repo).commit.value).toBeNull();
  });

  it('knows the branch of a repository without a commit', () => {
    const repo = tempDir();
    git(repo, 'init', '-q', '-b', 'trunk');
    const facts = read(repo);
    expect(facts.branch.value).toBe('trunk');
    expect(facts.commit).toEqual({ value: null, source: 'unknown', from: 'the branch has no commit yet' });
    expect(facts.repo.from).toBe('.git/config names no remote');
  });

  it('says that HEAD is detached and still knows the commit', () => {
    const repo = makeRepo(join(tempDir(), 'r'));
    git(repo, 'checkout', '-q', '--detach');
    const facts = read(repo);
    expect(facts.branch).toEqual({
      value: null,
      source: 'unknown',
      from: 'HEAD is detached: no branch is checked out',
    });
    expect(facts.commit.value).toBe(git(repo, 'rev-parse', 'HEAD'));
  });

  it('follows symbolic refs to the branch that a commit would go to', () => {
    const repo = makeRepo(join(tempDir(), 'r'));
    git(repo, 'symbolic-ref', 'refs/heads/feat/alias', 'refs/heads/main');
    git(repo, 'symbolic-ref', 'HEAD', 'refs/heads/feat/alias');
    expect(read(repo).branch.value).toBe(git(repo, 'branch', '--show-current'));
  });

  it('reads linked work trees', () => {
    const base = tempDir();
    const repo = makeRepo(join(base, 'r'));
    git(repo, 'worktree', 'add', '-q', '-b', 'feat/y', join(base, 'linked'));
    const facts = read(join(base, 'linked'));
    expect(facts.workTree).toBe(join(base, 'linked'));
    expect(facts.branch.value).toBe('feat/y');
    expect(facts.repo.value).toBe('acme/web-app');
    expect(facts.commit.value).toBe(git(repo, 'rev-parse', 'HEAD'));
    expect(facts.commonDir).toBe(join(repo, '.git'));
    expect(facts.gitDir).toBe(join(repo, '.git/worktrees/linked'));
  });

  it('reads a linked work tree of a bare repository, and the settings of its own', () => {
    const base = tempDir();
    const repo = makeRepo(join(base, 'r'));
    git(base, 'clone', '-q', '--bare', repo, join(base, 'bare'));
    git(join(base, 'bare'), 'remote', 'set-url', 'origin', 'https://github.com/acme/bare.git');
    git(join(base, 'bare'), 'worktree', 'add', '-q', join(base, 'wt'), 'main');
    expect(read(join(base, 'wt'))).toMatchObject({ workTree: join(base, 'wt'), branch: { value: 'main' } });
    git(join(base, 'bare'), 'config', 'extensions.worktreeConfig', 'true');
    git(join(base, 'wt'), 'config', '--worktree', 'remote.origin.url', '');
    git(
      join(base, 'wt'),
      'config',
      '--worktree',
      '--add',
      'remote.origin.url',
      'https://github.com/acme/own.git',
    );
    expect(read(join(base, 'wt')).repo.value).toBe('acme/own');
  });

  it('reads submodules, whose work tree is named by their config', () => {
    const base = tempDir();
    const sub = makeRepo(join(base, 'sub'), 'https://example.com/acme/sub');
    const repo = makeRepo(join(base, 'r'));
    git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', sub, 'lib');
    git(join(repo, 'lib'), 'remote', 'set-url', 'origin', 'https://example.com/group/acme/sub.git');
    const facts = read(join(repo, 'lib'));
    expect(facts.workTree).toBe(join(repo, 'lib'));
    expect(facts.repo.value).toBe('group/acme/sub');
    expect(facts.commit.value).toBe(git(sub, 'rev-parse', 'HEAD'));
  });

  it('reads SHA-256 repositories', () => {
    const repo = tempDir();
    git(repo, 'init', '-q', '-b', 'main', '--object-format=sha256');
    git(repo, 'commit', '-q', '--allow-empty', '-m', 'x');
    expect(read(repo).commit.value).toBe(git(repo, 'rev-parse', 'HEAD'));
    expect(read(repo).commit.value).toHaveLength(64);
  });

  it('believes nothing inside a bare repository or a .git directory', () => {
    const base = tempDir();
    const repo = makeRepo(join(base, 'r'));
    git(base, 'clone', '-q', '--bare', repo, join(base, 'bare'));
    for (const cwd of [join(base, 'bare'), join(repo, '.git'), join(repo, '.git/refs')]) {
      const facts = read(cwd);
      expect(facts.repo.from).toMatch(/is a bare repository or the inside of one: nothing is checked out$/);
      expect([facts.repo.value, facts.branch.value, facts.commit.value, facts.workTree]).toEqual([
        null,
        null,
        null,
        null,
      ]);
    }
  });

  it('starts nothing that a poisoned repository asks for', () => {
    const base = tempDir();
    const repo = makeRepo(join(base, 'r'));
    const trap = join(base, 'trap.sh');
    writeFileSync(trap, `#!/bin/sh\ntouch ${base}/sprung\n`);
    chmodSync(trap, 0o755);
    for (const key of ['core.fsmonitor', 'core.sshCommand', 'core.pager', 'diff.external', 'core.editor']) {
      git(repo, 'config', key, trap);
    }
    git(repo, 'config', 'core.hooksPath', base);
    git(repo, 'config', 'alias.status', `!${trap}`);
    expect(read(repo).branch.value).toBe('main');
    expect(() => readFileSync(join(base, 'sprung'))).toThrow('ENOENT');
  });
});

describe('git directories written by hand', () => {
  it('says that there is no repository', () => {
    const facts = read(tempDir());
    expect(facts.workTree).toBeNull();
    expect(facts.repo).toEqual({
      value: null,
      source: 'unknown',
      from: 'no git work tree at or above the working directory',
    });
  });

  const faults: readonly (readonly [
    string,
    Readonly<Record<string, string>>,
    'repo' | 'branch' | 'commit',
    RegExp,
  ])[] = [
    [
      'a reftable',
      { config: '[core]\nrepositoryformatversion=1\n[extensions]\nrefStorage=reftable' },
      'branch',
      /reftable/,
    ],
    ['a reftable marker', { HEAD: 'ref: refs/heads/.invalid\n' }, 'branch', /reftable/],
    ['a later format', { config: '[core]\nrepositoryformatversion=7' }, 'repo', /format version/],
    [
      'an unknown extension',
      { config: '[core]\nrepositoryformatversion=1\n[extensions]\nnovel=1' },
      'repo',
      /extension/,
    ],
    ['a ref outside', { HEAD: 'ref: refs/heads/../../../../etc/passwd\n' }, 'branch', /no valid ref/],
    ['a control character', { HEAD: 'ref: refs/heads/a\u001b[31mb\n' }, 'branch', /no valid ref/],
    [
      'a circle',
      { 'refs/heads/main': 'ref: refs/heads/other', 'refs/heads/other': 'ref: refs/heads/main' },
      'branch',
      /circle/,
    ],
    ['rubbish in a ref', { 'refs/heads/main': 'rubbish' }, 'commit', /\.git\/refs\/heads\/main is not a ref/],
    ['a broken config', { config: '[core\nbare' }, 'repo', /line that git would refuse \(line 2\)/],
    ['a huge HEAD', { HEAD: `ref: refs/heads/${'x'.repeat(20_000)}` }, 'branch', /larger than/],
    [
      'a remote without a path',
      { config: '[remote "origin"]\nurl = https://example.com' },
      'repo',
      /without a path/,
    ],
    [
      'two remotes',
      { config: '[remote "a"]\nurl=h:x/y\n[remote "b"]\nurl=h:x/y' },
      'repo',
      /several remotes/,
    ],
    [
      'two repositories',
      { config: '[remote "origin"]\nurl=h:x/y\nurl=h:x/z' },
      'repo',
      /several repositories/,
    ],
    ['a NUL byte', { config: '[remote "origin"]\nurl=h:x/y\0z' }, 'repo', /NUL/],
    [
      'no branch',
      { HEAD: 'ref: refs/remotes/origin/main\n', 'refs/remotes/origin/main': OID },
      'branch',
      /not a branch/,
    ],
  ];
  test.each(faults)('%s makes the fact unknown', (_name, files, fact, reason) => {
    const top = tempDir();
    fakeGitDir(join(top, '.git'), files);
    expect(read(top)[fact]).toMatchObject({
      value: null,
      source: 'unknown',
      from: expect.stringMatching(reason),
    });
  });

  it('follows a symbolic link at .git and symbolic links that stand for symbolic refs', () => {
    const base = tempDir();
    fakeGitDir(join(base, 'real'), { 'refs/heads/main': OID });
    rmSync(join(base, 'real/HEAD'));
    symlinkSync('refs/heads/main', join(base, 'real/HEAD'));
    mkdirSync(join(base, 'top'));
    symlinkSync(join(base, 'real'), join(base, 'top/.git'));
    expect(read(join(base, 'top'))).toMatchObject({ branch: { value: 'main' }, commit: { value: OID } });
  });

  it('refuses a .git file that points nowhere or is none', () => {
    const top = tempDir();
    put(top, '.git', 'gitdir: ../nowhere\n');
    expect(read(top).repo.from).toMatch(/points at something that is no git directory$/);
    put(top, '.git', 'rubbish');
    expect(read(top).repo.from).toMatch(/is not a "gitdir:" file$/);
  });

  it('is not held up by a FIFO', () => {
    const top = tempDir();
    fakeGitDir(join(top, '.git'));
    rmSync(join(top, '.git/HEAD'));
    execFileSync('mkfifo', [join(top, '.git/HEAD')]);
    expect(read(top).branch.from).toMatch(/HEAD is not a regular file$/);
  });

  it('uses the only remote where there is no origin, and not the upstream of the branch', () => {
    const top = tempDir();
    const only = '[remote "upstream"]\nurl = https://example.com/acme/only.git\n';
    fakeGitDir(join(top, '.git'), { config: only });
    expect(read(top).repo).toMatchObject({
      value: 'acme/only',
      from: 'remote "upstream" in .git/config (example.com)',
    });
    const fork =
      '[remote "origin"]\nurl=h:acme/app\n[remote "fork"]\nurl=h:evil/app\n[branch "main"]\nremote=fork\n';
    put(top, '.git/config', fork);
    expect(read(top).repo.value).toBe('acme/app');
  });

  it('never lets credentials of a URL into a fact', () => {
    const secret = 'ghp_S3cretS3cretS3cret';
    const urls = [
      `https://user:${secret}@github.com/acme/app.git`,
      `https://${secret}@github.com:443/acme/app`,
      `https://us/er:${secret}@github.com/acme/app`,
      `https://user:${secret}/x@github.com/acme/app`,
      `https://user:p@${secret}@github.com/acme/app`,
      `user:${secret}@github.com:acme/app`,
      `ext::sh -c ${secret}`,
      `https://github.com/acme/app?token=${secret}`,
      `weird://${secret}@host/x`,
      `/srv/${secret}/x.git`,
    ];
    for (const url of urls) {
      const top = tempDir();
      fakeGitDir(join(top, '.git'), { config: `[remote "origin"]\nurl = "${url}"\n` });
      expectNowhere([secret], { texts: [JSON.stringify(read(top))] });
    }
    const top = tempDir();
    fakeGitDir(join(top, '.git'), { config: `[remote "https://u:${secret}@h/x"]\nurl = https://h/a/b\n` });
    expectNowhere([secret], { texts: [JSON.stringify(read(top))] });
  });

  it('does not believe a repository of another user unless safe.directory names it', (context) => {
    if (UID !== 0) return context.skip('only root can give a file to another user');
    const home = tempDir();
    const top = join(home, 'r');
    fakeGitDir(join(top, '.git'), { config: '[remote "origin"]\nurl = h:acme/app\n' });
    chownSync(join(top, '.git'), 1234, 1234);
    expect(read(top, home).repo.from).toBe(
      `the repository belongs to user 1234, and git's safe.directory does not name ${top}`,
    );
    for (const named of [top, '*', `${home}/*`]) {
      put(home, '.gitconfig', `[safe]\n directory = ${named}\n`);
      expect(read(top, home).repo.value, named).toBe('acme/app');
    }
    put(home, '.gitconfig', `[safe]\n directory = *\n directory =\n`);
    expect(read(top, home).repo.value).toBeNull();
    put(home, '.gitconfig', '');
    put(top, '.git/config', '[safe]\ndirectory = *\n[remote "origin"]\nurl = h:acme/app\n');
    expect(read(top, home).repo.value).toBeNull();
  });

  it('believes a repository of root', () => {
    const top = tempDir();
    fakeGitDir(join(top, '.git'), { config: '[remote "origin"]\nurl = h:acme/app\n' });
    const facts = readGit(top, { ...optionsWithHome(top), uid: 4711 });
    if (UID === 0) expect(facts.repo.value).toBe('acme/app');
    else expect(facts.repo.from).toContain(`belongs to user ${UID}`);
  });

  it('keeps working when the repository is moved under its feet', () => {
    const base = tempDir();
    fakeGitDir(join(base, 'a/.git'));
    renameSync(join(base, 'a'), join(base, 'b'));
    expect(read(join(base, 'a')).repo.from).toBe('the working directory is gone');
  });
});

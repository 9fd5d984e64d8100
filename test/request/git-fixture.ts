/** Repositories made by the real git, away from the machine's own configuration. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GitOptions } from '../../src/request/git/read-git.ts';

/** Whether the machine has git; tests that compare with it are skipped otherwise. */
export const HAS_GIT = spawnSync('git', ['--version']).status === 0;
export const NO_GIT = 'git is not installed: nothing to compare with';

export const UID = process.getuid?.() ?? 0;

/** Options that keep the machine's own git configuration out. */
export function optionsWithHome(home: string): GitOptions {
  return { uid: UID, home, xdgConfigHome: null, systemConfig: join(home, 'no-system-config') };
}

/** Runs git in `cwd` and returns what it prints, without the last newline. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    env: gitEnv(cwd),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).replace(/\n$/, '');
}

/** As `git`, but a failure is an answer. */
export function tryGit(
  cwd: string,
  home: string,
  ...args: string[]
): { status: number | null; stdout: string } {
  const result = spawnSync('git', args, { cwd, env: { ...gitEnv(cwd), HOME: home }, encoding: 'utf8' });
  return { status: result.status, stdout: result.stdout };
}

function gitEnv(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.com',
    GIT_AUTHOR_DATE: '2024-01-01T00:00:00Z',
    GIT_COMMITTER_DATE: '2024-01-01T00:00:00Z',
    GIT_ALLOW_PROTOCOL: 'file',
  };
}

/** Writes a file and the directories above it. */
export function put(root: string, path: string, content = `${path}\n`): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** A repository on `main` with one commit and the remote `origin`. */
export function makeRepo(dir: string, url = 'git@github.com:acme/web-app.git'): string {
  mkdirSync(dir, { recursive: true });
  git(dir, 'init', '-q', '-b', 'main');
  put(dir, 'a.txt');
  put(dir, 'src/b.txt');
  git(dir, 'add', '-A');
  git(dir, 'commit', '-q', '-m', 'first');
  git(dir, 'remote', 'add', 'origin', url);
  return dir;
}

/** The least that git takes for a git directory, written by hand. */
export function fakeGitDir(dir: string, files: Readonly<Record<string, string>> = {}): string {
  mkdirSync(join(dir, 'objects'), { recursive: true });
  mkdirSync(join(dir, 'refs', 'heads'), { recursive: true });
  const all = { HEAD: 'ref: refs/heads/main\n', config: '[core]\n\tbare = false\n', ...files };
  for (const [name, content] of Object.entries(all)) put(dir, name, content);
  return dir;
}

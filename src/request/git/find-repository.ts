/** Finds the repository around a directory as git does (gitrepository-layout(5)), from files alone. */
import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { GitFault, LIMITS, readGitFile } from './read-file.ts';

/** A repository that was found; nothing in it has been believed yet. */
export interface Repository {
  /** The directory that holds `.git`. */
  readonly top: string;
  /** This work tree's own directory: HEAD and index. */
  readonly gitDir: string;
  /** What linked work trees share: config, refs, objects. Elsewhere the same as `gitDir`. */
  readonly commonDir: string;
  /** True for a linked work tree. */
  readonly linked: boolean;
  /** User ids of everything that decides what the repository says: `.git`, its target, the top directory. */
  readonly owners: readonly number[];
}

/**
 * The repository at or above `start`, or null where there is none. Neither `GIT_DIR` nor any other variable moves it.
 * Like git, the search ends at a file system's border. Throws a GitFault for a broken `.git` file, and inside a bare
 * repository or a `.git` directory: a directory that came with a checkout must not pass for a repository.
 */
export function findRepository(start: string): Repository | null {
  const device = statOf(start)?.dev;
  if (device === undefined) throw new GitFault('the working directory is gone');
  for (let dir = realpathSync(start); ; dir = dirname(dir)) {
    if (statOf(dir)?.dev !== device) return null;
    const repository = repositoryAt(dir);
    if (repository !== null) return repository;
    if (isGitDir(dir))
      throw new GitFault(`${dir} is a bare repository or the inside of one: nothing is checked out`);
    if (dir === dirname(dir)) return null;
  }
}

function repositoryAt(top: string): Repository | null {
  const dotGit = join(top, '.git');
  const stat = statOf(dotGit);
  if (stat === null) return null;
  if (stat.isDirectory()) return isGitDir(dotGit) ? describe(top, dotGit) : null;
  const pointer = readGitFile(dotGit, LIMITS.pointer, dotGit)?.toString('utf8');
  const target = /^gitdir: ([^\0]+?)[\r\n]*$/.exec(pointer ?? '')?.[1];
  if (target === undefined) throw new GitFault(`${dotGit} is not a "gitdir:" file`);
  const gitDir = resolve(top, target);
  if (!isGitDir(gitDir)) throw new GitFault(`${dotGit} points at something that is no git directory`);
  return describe(top, gitDir);
}

function describe(top: string, gitDir: string): Repository {
  const commonDir = commonDirOf(gitDir);
  const owners = [lstatSync(join(top, '.git')), lstatSync(top), statSync(gitDir), statSync(commonDir)];
  return { top, gitDir, commonDir, linked: commonDir !== gitDir, owners: owners.map(({ uid }) => uid) };
}

function commonDirOf(gitDir: string): string {
  const path = join(gitDir, 'commondir');
  const target = readGitFile(path, LIMITS.pointer, path)
    ?.toString('utf8')
    .replace(/[\r\n]+$/, '');
  if (!target || target.includes('\0')) return gitDir;
  return isAbsolute(target) ? target : join(gitDir, target);
}

/** git's own test: a HEAD that is one, and directories for objects and refs. */
function isGitDir(path: string): boolean {
  if (!isHead(join(path, 'HEAD'))) return false;
  const common = commonDirOf(path);
  return ['objects', 'refs'].every((name) => statOf(join(common, name))?.isDirectory() === true);
}

function isHead(path: string): boolean {
  try {
    if (lstatSync(path).isSymbolicLink()) return readlinkSync(path).startsWith('refs/');
  } catch {
    return false;
  }
  const text = readGitFile(path, LIMITS.pointer, path)?.toString('utf8') ?? '';
  return /^ref:\s*refs\//.test(text) || /^[0-9a-f]{40}/.test(text);
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

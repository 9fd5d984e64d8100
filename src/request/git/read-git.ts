/** The git facts of a directory, read from git's own files: no process is started and no hook or filter can run. */
import { isAbsolute, join, relative } from 'node:path';
import { type Fact, unknown } from '../facts.ts';
import { findRepository, type Repository } from './find-repository.ts';
import { loadConfig } from './load-config.ts';
import { GitFault } from './read-file.ts';
import { type Head, readHead } from './refs.ts';
import { repoFact } from './remote.ts';
import { ownConfigs, readWorkTree } from './repository-format.ts';

/** Whose git configuration counts beside the repository's own; only URL rewriting and `safe.directory` are taken from it. */
export interface GitOptions {
  readonly uid: number;
  /** The user's home directory; null where there is none. */
  readonly home: string | null;
  /** `$XDG_CONFIG_HOME`; null means `~/.config`. */
  readonly xdgConfigHome: string | null;
  /** The system's config file; `/etc/gitconfig` unless a test says otherwise. */
  readonly systemConfig?: string;
}

export interface GitFacts {
  /** Root of the checked-out files; null where there are none or they can't be told. */
  readonly workTree: string | null;
  readonly gitDir: string | null;
  /** Where config, refs and objects live; differs from `gitDir` in a linked work tree. */
  readonly commonDir: string | null;
  /** `owner/name` from the remote's URL. */
  readonly repo: Fact;
  readonly branch: Fact;
  /** Full hash of the checked-out commit. */
  readonly commit: Fact;
}

/**
 * Reads repository, branch and commit for `cwd`. Never throws: what can't be told is unknown, with the reason. A
 * repository of another user (neither `uid` nor root) is not believed unless git's `safe.directory` names it.
 */
export function readGit(cwd: string, options: GitOptions): GitFacts {
  try {
    const repository = findRepository(cwd);
    if (repository === null) return nothing('no git work tree at or above the working directory');
    refuseForeignOwner(repository, options);
    return readRepository(repository, options);
  } catch (error) {
    return nothing(reasonOf(error));
  }
}

/** The user's and the system's config files, in git's order. */
export function standingConfigs(options: GitOptions): string[] {
  const xdg = options.xdgConfigHome ?? (options.home === null ? null : join(options.home, '.config'));
  return [
    options.systemConfig ?? '/etc/gitconfig',
    ...(xdg === null ? [] : [join(xdg, 'git', 'config')]),
    ...(options.home === null ? [] : [join(options.home, '.gitconfig')]),
  ];
}

function readRepository(repository: Repository, options: GitOptions): GitFacts {
  const { gitDir, commonDir, top } = repository;
  const workTree = readWorkTree(repository);
  const show = (path: string) => shownPath(path, top);
  const head: Head =
    workTree === null
      ? bothUnknown('the repository is bare: nothing is checked out')
      : attempt(() => readHead(repository, show), bothUnknown);
  const repo = attempt(() => {
    const scene = { gitDir, branch: head.branch.value, home: options.home };
    const local = loadConfig(ownConfigs(repository), scene);
    return repoFact(
      local,
      [...loadConfig(standingConfigs(options), scene), ...local],
      show(join(commonDir, 'config')),
    );
  }, unknown);
  return { workTree, gitDir, commonDir, repo, ...head };
}

/** As git's `safe.directory` (git-config(1)), with root trusted too: root can change every file anyway. */
function refuseForeignOwner(repository: Repository, options: GitOptions): void {
  const owner = repository.owners.find((uid) => uid !== options.uid && uid !== 0);
  if (owner === undefined) return;
  const scene = { gitDir: repository.gitDir, branch: null, home: options.home };
  let safe = false;
  for (const { key, value } of loadConfig(standingConfigs(options), scene)) {
    if (key !== 'safe.directory') continue;
    if (value === '') safe = false;
    else safe ||= value === '*' || isNamed(value ?? '', repository.top);
  }
  if (!safe) {
    throw new GitFault(
      `the repository belongs to user ${owner}, and git's safe.directory does not name ${repository.top}`,
    );
  }
}

function isNamed(value: string, top: string): boolean {
  if (!isAbsolute(value)) return false;
  return value.endsWith('/*') ? top.startsWith(value.slice(0, -1)) : value.replace(/\/+$/, '') === top;
}

/** A path as people know it: below the work tree's top where it is there. */
function shownPath(path: string, top: string): string {
  const below = relative(top, path);
  return below.startsWith('..') ? path : below;
}

function nothing(reason: string): GitFacts {
  return { workTree: null, gitDir: null, commonDir: null, repo: unknown(reason), ...bothUnknown(reason) };
}

function bothUnknown(reason: string): Head {
  return { branch: unknown(reason), commit: unknown(reason) };
}

function attempt<T>(read: () => T, otherwise: (reason: string) => T): T {
  try {
    return read();
  } catch (error) {
    return otherwise(reasonOf(error));
  }
}

/** A fault's own words; of a system error only its code. */
function reasonOf(error: unknown): string {
  if (error instanceof GitFault) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  return `git's files can't be read (${code})`;
}

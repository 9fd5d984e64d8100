/**
 * Whether the work tree is exactly its commit. Every file is hashed and a library is loaded, so callers import this
 * module only where a rule asks.
 */
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import ignorePackage from 'ignore';
import { TREE, walk } from 'isomorphic-git';
import { type Fact, known, unknown } from '../facts.ts';
import { type IgnoreRules, ignoreRules } from './ignore-rules.ts';
import { loadConfig } from './load-config.ts';
import { objectFiles } from './object-files.ts';
import { GitFault, LIMITS, readGitFile } from './read-file.ts';
import { type GitFacts, type GitOptions, standingConfigs } from './read-git.ts';
import { type IndexEntry, parseIndex } from './read-index.ts';
import { isTrue, lastValues, ownConfigs } from './repository-format.ts';
import { FILE_TYPE, findUntracked, GITLINK, isUnchanged } from './work-tree-files.ts';

/**
 * `true` where commit, index and files are the same bytes and no file is untracked without being ignored; `false`
 * with the first difference. Unknown where only git could tell: populated submodules, content filters, sparse or
 * split indexes, SHA-256. Never throws, starts nothing and writes nothing (git's own `status` refreshes the index).
 */
export async function readCommitClean(git: GitFacts, options: GitOptions): Promise<Fact> {
  const { workTree, gitDir, commonDir, commit } = git;
  if (workTree === null || gitDir === null || commonDir === null) return unknown(commit.from);
  if (commit.value === null) return unknown(commit.from);
  if (commit.value.length !== SHA1_LENGTH)
    return unknown('the repository uses SHA-256, which is not compared');
  try {
    const place = { workTree, gitDir, commonDir, commit: commit.value };
    const difference = await findDifference(place, git, options);
    return difference === null
      ? known('true', 'observed', 'work tree, index and commit compared')
      : known('false', 'observed', difference);
  } catch (error) {
    return unknown(
      error instanceof GitFault ? error.message : 'the work tree could not be compared with its commit',
    );
  }
}

const SHA1_LENGTH = 40;

interface Place {
  readonly workTree: string;
  readonly gitDir: string;
  readonly commonDir: string;
  readonly commit: string;
}

async function findDifference(place: Place, git: GitFacts, options: GitOptions): Promise<string | null> {
  const settings = readSettings(place, git, options);
  const index = readIndex(place.gitDir);
  const staged = compareWithCommit(index, await readCommitFiles(place));
  if (staged !== null) return `staged: ${staged}`;
  const trustMode = settings.get('core.filemode') === undefined || isTrue(settings.get('core.filemode'));
  for (const entry of index) {
    if ((entry.mode & FILE_TYPE) === GITLINK) refusePopulated(place.workTree, entry.path);
    else if (entry.skipWorktree && !existsSync(join(place.workTree, entry.path))) continue;
    else if (!isUnchanged(place.workTree, entry, trustMode)) {
      refuseFilters(place, index, settings);
      return `modified: ${entry.path}`;
    }
  }
  const { tracked, directories } = pathSets(index);
  const untracked = findUntracked(place.workTree, tracked, directories, readRules(place, settings, options));
  return untracked === null ? null : `untracked: ${untracked}`;
}

function readSettings(place: Place, git: GitFacts, options: GitOptions): Map<string, string | null> {
  const scene = { gitDir: place.gitDir, branch: git.branch.value, home: options.home };
  return lastValues(loadConfig([...standingConfigs(options), ...ownConfigs(place)], scene));
}

function readIndex(gitDir: string): IndexEntry[] {
  const bytes = readGitFile(join(gitDir, 'index'), LIMITS.index, 'the index');
  return bytes === null ? [] : parseIndex(bytes);
}

/** The commit's files: path → mode and hash. The library finds objects, loose or packed, in the shared directory. */
async function readCommitFiles(place: Place): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  await walk({
    fs: objectFiles,
    dir: place.workTree,
    gitdir: place.commonDir,
    trees: [TREE({ ref: place.commit })],
    map: async (path, [entry]) => {
      const type = await entry?.type();
      if (!entry || type === 'tree') return true;
      files.set(path, identity(type === 'commit' ? GITLINK : await entry.mode(), (await entry.oid()) ?? ''));
      return null;
    },
  });
  return files;
}

function compareWithCommit(index: readonly IndexEntry[], files: Map<string, string>): string | null {
  for (const { path, mode, oid, stage, intentToAdd } of index) {
    if (stage !== 0 || intentToAdd || files.get(path) !== identity(mode, oid)) return path;
    files.delete(path);
  }
  return files.keys().next().value ?? null;
}

function identity(mode: number, oid: string): string {
  return `${mode.toString(8)} ${oid}`;
}

/** An uninitialised submodule is an empty directory; in any other its own commit and files would have to be read. */
function refusePopulated(workTree: string, path: string): void {
  const full = join(workTree, path);
  if (existsSync(full) && readdirSync(full).length > 0) {
    throw new GitFault(`"${path}" is a submodule, whose state is not read`);
  }
}

/** With filters or line-end conversion the bytes on disk differ from the stored ones although git sees no change. */
function refuseFilters(
  place: Place,
  index: readonly IndexEntry[],
  settings: ReadonlyMap<string, string | null>,
): void {
  const attributes =
    settings.has('core.attributesfile') ||
    existsSync(join(place.commonDir, 'info', 'attributes')) ||
    index.some(({ path }) => path === '.gitattributes' || path.endsWith('/.gitattributes'));
  const converts = settings.has('core.autocrlf') && settings.get('core.autocrlf') !== 'false';
  if (attributes || converts || settings.get('core.symlinks') === 'false') {
    throw new GitFault(
      "files differ from the commit in bytes, and only git can apply the repository's content filters",
    );
  }
}

function pathSets(index: readonly IndexEntry[]): { tracked: Set<string>; directories: Set<string> } {
  const tracked = new Set<string>();
  const directories = new Set<string>();
  for (const { path } of index) {
    tracked.add(path);
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
      directories.add(path.slice(0, at));
  }
  return { tracked, directories };
}

function readRules(
  place: Place,
  settings: ReadonlyMap<string, string | null>,
  options: GitOptions,
): IgnoreRules {
  // The package's types put its function on `default`, and the package itself does so as well.
  const makeIgnore = ignorePackage.default;
  const own = join(place.commonDir, 'info', 'exclude');
  const users = excludesFile(settings.get('core.excludesfile'), place.workTree, options);
  const ignorecase = isTrue(settings.get('core.ignorecase'));
  return ignoreRules(place.workTree, users === null ? [own] : [own, users], () => makeIgnore({ ignorecase }));
}

/** `core.excludesFile`, by default `git/ignore` in the XDG config directory. */
function excludesFile(
  setting: string | null | undefined,
  workTree: string,
  options: GitOptions,
): string | null {
  const xdg = options.xdgConfigHome ?? (options.home === null ? null : join(options.home, '.config'));
  if (!setting) return setting === undefined && xdg !== null ? join(xdg, 'git', 'ignore') : null;
  if (setting.startsWith('~/')) return options.home === null ? null : join(options.home, setting.slice(2));
  return isAbsolute(setting) ? setting : join(workTree, setting);
}

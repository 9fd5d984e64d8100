/** What the repository's own config says about its layout (git-config(1), "core.*" and "extensions.*"). */
import { join, resolve } from 'node:path';
import type { Repository } from './find-repository.ts';
import { type ConfigEntry, parseConfig } from './parse-config.ts';
import { GitFault, LIMITS, readGitFile } from './read-file.ts';

/**
 * The root of the checked-out files, or null for a bare repository; includes have no say in it. Throws a GitFault for
 * a layout that can't be read: a version or an extension that is not known, or refs kept as a reftable.
 */
export function readWorkTree(repository: Repository): string | null {
  const [common = new Map(), own = new Map()] = ownConfigs(repository).map(settingsOf);
  refuseUnknownLayout(common);
  // The shared config's core.bare and core.worktree speak of the main work tree only.
  const settings = new Map([...(repository.linked ? [] : common), ...own]);
  if (isTrue(settings.get('core.bare'))) return null;
  const moved = settings.get('core.worktree');
  return moved ? resolve(repository.gitDir, moved) : repository.top;
}

/** The repository's config files: the shared one, and the work tree's own where `extensions.worktreeConfig` asks for it. */
export function ownConfigs({ gitDir, commonDir }: Pick<Repository, 'gitDir' | 'commonDir'>): string[] {
  const shared = join(commonDir, 'config');
  const perWorkTree = isTrue(settingsOf(shared).get('extensions.worktreeconfig'));
  return perWorkTree ? [shared, join(gitDir, 'config.worktree')] : [shared];
}

/** The last value of each setting. */
export function lastValues(entries: readonly ConfigEntry[]): Map<string, string | null> {
  return new Map(entries.map(({ key, value }) => [key, value]));
}

/** git's boolean: a bare name, `true`, `yes`, `on` or a number other than 0. */
export function isTrue(value: string | null | undefined): boolean {
  if (value === undefined) return false;
  return value === null || /^(?:true|yes|on|[+-]?0*[1-9]\d*[kmg]?)$/i.test(value);
}

function settingsOf(path: string): Map<string, string | null> {
  const bytes = readGitFile(path, LIMITS.config, path);
  return lastValues(bytes === null ? [] : parseConfig(bytes, path));
}

const KNOWN_EXTENSIONS = new Set([
  'noop',
  'noop-v1',
  'preciousobjects',
  'partialclone',
  'worktreeconfig',
  'objectformat',
  'refstorage',
  'compatobjectformat',
  'relativeworktrees',
]);

function refuseUnknownLayout(settings: ReadonlyMap<string, string | null>): void {
  const version = settings.get('core.repositoryformatversion') ?? '0';
  if (version !== '0' && version !== '1')
    throw new GitFault('the repository has a format version that is not known');
  const refStorage = settings.get('extensions.refstorage');
  if (refStorage && refStorage !== 'files') {
    throw new GitFault('the repository keeps its refs as a reftable, which is not read');
  }
  if (version === '0') return;
  for (const key of settings.keys()) {
    const name = /^extensions\.(.*)$/s.exec(key)?.[1];
    if (name !== undefined && !KNOWN_EXTENSIONS.has(name)) {
      throw new GitFault('the repository uses an extension that is not known');
    }
  }
}

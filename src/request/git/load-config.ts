/** Settings of several config files with their includes (git-config(1), "Includes" and "Conditional includes"). */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type ConfigEntry, parseConfig } from './parse-config.ts';
import { matchPathPattern } from './path-pattern.ts';
import { GitFault, LIMITS, readGitFile } from './read-file.ts';

/** What conditions are judged by. */
export interface IncludeScene {
  readonly gitDir: string;
  /** Short name of the branch; null where HEAD is detached or can't be told. */
  readonly branch: string | null;
  /** Where `~/` points; null where there is no home. */
  readonly home: string | null;
}

/**
 * The settings of the files, in git's order; a missing file counts as empty. Throws a GitFault for a file that git
 * would refuse, and where an include can't be judged (`hasconfig:`, `~other/`, brackets in a pattern, a condition
 * that is not known) although the file behind it has a say about remotes.
 */
export function loadConfig(paths: readonly string[], scene: IncludeScene): ConfigEntry[] {
  const loader: Loader = { scene, entries: [], filesLeft: MAX_FILES };
  for (const path of paths) loadFile(path, loader, 0);
  return loader.entries;
}

/** git's own bound on nesting (`MAX_INCLUDE_DEPTH`), and one on the number of files, which git lacks. */
const MAX_DEPTH = 10;
const MAX_FILES = 100;

interface Loader {
  readonly scene: IncludeScene;
  readonly entries: ConfigEntry[];
  filesLeft: number;
}

function loadFile(path: string, loader: Loader, depth: number): void {
  if (depth > MAX_DEPTH || loader.filesLeft-- <= 0) throw new GitFault(`${path} is included too deeply`);
  const bytes = readGitFile(path, LIMITS.config, path);
  if (bytes === null) return;
  for (const entry of parseConfig(bytes, path)) {
    loader.entries.push(entry);
    const include = parseInclude(entry);
    if (include !== null) loadInclude(include, path, loader, depth + 1);
  }
}

interface Include {
  /** Null for an unconditional one. */
  readonly condition: string | null;
  readonly target: string;
}

function parseInclude({ key, value }: ConfigEntry): Include | null {
  const condition = /^includeif\.(.*)\.path$/s.exec(key)?.[1];
  if (key !== 'include.path' && condition === undefined) return null;
  if (value === null) throw new GitFault('an include has no path');
  return { condition: condition ?? null, target: value };
}

function loadInclude(include: Include, includedFrom: string, loader: Loader, depth: number): void {
  const holds = include.condition === null ? true : judge(include.condition, includedFrom, loader.scene);
  if (holds === false) return;
  const expanded = expandHome(include.target, loader.scene.home);
  if (expanded === null) throw doubt(includedFrom);
  const path = isAbsolute(expanded) ? expanded : join(dirname(includedFrom), expanded);
  const trial: Loader = { scene: loader.scene, entries: [], filesLeft: loader.filesLeft };
  loadFile(path, holds ? loader : trial, depth);
  if (trial.entries.some(({ key }) => /^(?:remote|url|include|includeif)\./.test(key)))
    throw doubt(includedFrom);
}

/** Whether a condition holds; null where it can't be told. */
function judge(condition: string, includedFrom: string, scene: IncludeScene): boolean | null {
  const [, kind, text] = /^([^:]*):(.*)$/s.exec(condition) ?? [];
  if (kind === 'onbranch' && text !== undefined) {
    return scene.branch === null ? null : matchPathPattern(belowSlash(text), scene.branch, false);
  }
  if ((kind !== 'gitdir' && kind !== 'gitdir/i') || text === undefined) return null;
  const pattern = gitDirPattern(text, includedFrom, scene.home);
  if (pattern === null) return null;
  const ignoreCase = kind === 'gitdir/i';
  const asReal = matchPathPattern(pattern, realpathSync(scene.gitDir), ignoreCase);
  return asReal === false ? matchPathPattern(pattern, resolve(scene.gitDir), ignoreCase) : asReal;
}

function gitDirPattern(text: string, includedFrom: string, home: string | null): string | null {
  const expanded = expandHome(text, home === null ? null : realpathOf(home));
  if (expanded === null) return null;
  if (expanded.startsWith('./')) {
    return belowSlash(`${dirname(realpathSync(includedFrom))}/${expanded.slice(2)}`);
  }
  return belowSlash(isAbsolute(expanded) ? expanded : `**/${expanded}`);
}

/** A pattern that ends with a slash means everything below. */
function belowSlash(pattern: string): string {
  return pattern.endsWith('/') ? `${pattern}**` : pattern;
}

/** `~/x` below the home directory; null where that, `~other/` or `%(prefix)` can't be resolved. */
function expandHome(path: string, home: string | null): string | null {
  if (path.startsWith('~/')) return home === null ? null : `${home}/${path.slice(2)}`;
  return path.startsWith('~') || path.startsWith('%(prefix)') ? null : path;
}

function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function doubt(includedFrom: string): GitFault {
  return new GitFault(`${includedFrom} includes a file under a condition that only git can judge`);
}

/** Which untracked files git would not mention (gitignore(5)). */
import { join } from 'node:path';
import type { Ignore } from 'ignore';
import { readGitFile } from './read-file.ts';

/** Judges paths top down: a directory must have been asked about before what lies in it. */
export interface IgnoreRules {
  /** `path` is relative to the work tree, `/` between names, no slash at the end. */
  isIgnored(path: string, isDirectory: boolean): boolean;
}

/**
 * Rules from `.gitignore` in each directory, then from `lastFiles` (info/exclude, the user's own), which have no say
 * where a `.gitignore` speaks. A GitFault passes through where one of them can't be read.
 */
export function ignoreRules(
  workTree: string,
  lastFiles: readonly string[],
  makeIgnore: () => Ignore,
): IgnoreRules {
  const byDirectory = new Map<string, Ignore | null>();
  const last = lastFiles.map((path) => load(path, makeIgnore));
  const rulesIn = (directory: string): Ignore | null => {
    let rules = byDirectory.get(directory);
    if (rules === undefined) {
      rules = load(join(workTree, directory, '.gitignore'), makeIgnore);
      byDirectory.set(directory, rules);
    }
    return rules;
  };
  return {
    isIgnored(path, isDirectory) {
      const names = path.split('/');
      for (let depth = names.length - 1; depth >= 0; depth--) {
        const verdict = test(
          rulesIn(names.slice(0, depth).join('/')),
          names.slice(depth).join('/'),
          isDirectory,
        );
        if (verdict !== null) return verdict;
      }
      for (const rules of last) {
        const verdict = test(rules, path, isDirectory);
        if (verdict !== null) return verdict;
      }
      return false;
    },
  };
}

const MAX_BYTES = 4 * 1024 * 1024;

function load(path: string, makeIgnore: () => Ignore): Ignore | null {
  const bytes = readGitFile(path, MAX_BYTES, path);
  return bytes === null ? null : makeIgnore().add(bytes.toString('utf8').replace(/^\uFEFF/, ''));
}

function test(rules: Ignore | null, path: string, isDirectory: boolean): boolean | null {
  if (rules === null) return null;
  const { ignored, unignored } = rules.test(isDirectory ? `${path}/` : path);
  return ignored ? true : unignored ? false : null;
}

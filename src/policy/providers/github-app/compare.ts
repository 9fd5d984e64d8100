/** How what a token of an installation may do changed. */
import { canonical, type MapChange } from '../../diff/change.ts';
import { compareTokens, narrowerScope, widerScope } from '../../diff/compare-tokens.ts';
import type { GitHubAppConfig } from '../github-app.ts';
import { PERMISSION_LEVELS } from './fields.ts';

type Scope = GitHubAppConfig['repositories'] | GitHubAppConfig['permissions'];

export function compareRepositories(
  before: GitHubAppConfig['repositories'],
  after: GitHubAppConfig['repositories'],
  at: string,
): MapChange[] {
  if (before === 'all' || after === 'all') return compareAll(before, after, at);
  return compareTokens(before, after, at);
}

/** A level holds those below it: from `write` to `read` is narrower. */
export function comparePermissions(
  before: GitHubAppConfig['permissions'],
  after: GitHubAppConfig['permissions'],
  at: string,
): MapChange[] {
  if (before === 'all' || after === 'all') return compareAll(before, after, at);
  return canonical(before) === canonical(after) ? [] : compareTokens(levelsOf(before), levelsOf(after), at);
}

function compareAll(before: Scope, after: Scope, at: string): MapChange[] {
  if (before === after) return [];
  return [after === 'all' ? widerScope(at, ['all']) : narrowerScope(at, ['all'])];
}

function levelsOf(permissions: Exclude<GitHubAppConfig['permissions'], 'all'>): string[] {
  return Object.entries(permissions).flatMap(([name, level]) =>
    PERMISSION_LEVELS.slice(0, PERMISSION_LEVELS.indexOf(level) + 1).map((each) => `${name}:${each}`),
  );
}

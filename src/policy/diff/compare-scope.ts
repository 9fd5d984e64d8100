/** How the scope of a capability changed: what the credential may do at most. */
import type { AwsScopeEntry } from '../capability.ts';
import { canonical, compareNames, KIND_OF, type MapChange } from './change.ts';
import { coversAction, coversResource } from './pattern-covers.ts';

/** Comparisons of an action on a resource with an entry; beyond, whatever is written in another way counts as more. */
const MAX_COMPARISONS = 20_000;

export function compareAwsScope(
  before: readonly AwsScopeEntry[],
  after: readonly AwsScopeEntry[],
  at: string,
): MapChange[] {
  if (canonical(before) === canonical(after)) return [];
  const few = size(before) * after.length + size(after) * before.length <= MAX_COMPARISONS;
  const more = after.flatMap((entry, index): MapChange[] => {
    const added = uncovered(entry, before, few);
    const broad =
      entry.broad &&
      uncovered(
        entry,
        before.filter((other) => other.broad),
        few,
      ).length > 0;
    const place = `${at}[${index}]`;
    return [
      ...(added.length === 0 ? [] : [widerScope(place, added)]),
      ...(broad ? [allowedBroad(place)] : []),
    ];
  });
  const gone = before.flatMap((entry) => uncovered(entry, after, few));
  const strict = before.some(({ broad }) => broad) && !after.some(({ broad }) => broad);
  const less: MapChange[] = [
    ...(gone.length === 0 ? [] : [narrowerScope(at, gone)]),
    ...(strict ? [refusedBroad(at)] : []),
  ];
  const changes = [...more, ...less];
  return changes.length > 0 ? changes : [rewrittenScope(at)];
}

/** Tokens of an OAuth scope, which stand for themselves. */
export function compareTokens(before: readonly string[], after: readonly string[], at: string): MapChange[] {
  if (canonical(before) === canonical(after)) return [];
  const added = after.filter((token) => !before.includes(token));
  const gone = before.filter((token) => !after.includes(token));
  if (compareNames(before, after) === 'same') return [rewrittenScope(at)];
  return [
    ...(added.length === 0 ? [] : [widerScope(at, added)]),
    ...(gone.length === 0 ? [] : [narrowerScope(at, gone)]),
  ];
}

function widerScope(at: string, added: readonly string[]): MapChange {
  const message = `"${at}" allows what was not allowed before`;
  return { kind: KIND_OF.wider, at, code: 'scope_added', message, before: null, after: added.join('; ') };
}

function narrowerScope(at: string, gone: readonly string[]): MapChange {
  const message = `"${at}" no longer allows some of what it allowed`;
  return { kind: KIND_OF.narrower, at, code: 'scope_removed', message, before: gone.join('; '), after: null };
}

function allowedBroad(place: string): MapChange {
  const message = `"${place}" allows wildcards on purpose`;
  return {
    kind: 'widening',
    at: `${place}.broad`,
    code: 'scope_broad',
    message,
    before: 'refuse',
    after: 'allow',
  };
}

function refusedBroad(at: string): MapChange {
  const message = `"${at}" no longer allows wildcards on purpose`;
  return { kind: 'narrowing', at, code: 'scope_broad', message, before: 'allow', after: 'refuse' };
}

function rewrittenScope(at: string): MapChange {
  const message = `"${at}" allows the same, written in another way`;
  return { kind: 'neutral', at, code: 'scope_rewritten', message, before: null, after: null };
}

/** `action on resource` for each pair of the entry that no single one of `others` allows. */
function uncovered(entry: AwsScopeEntry, others: readonly AwsScopeEntry[], few: boolean): string[] {
  const covered = (action: string, resource: string) =>
    others.some((other) =>
      few
        ? other.actions.some((it) => coversAction(it, action)) &&
          other.resources.some((it) => coversResource(it, resource))
        : other.actions.includes(action) && other.resources.includes(resource),
    );
  return entry.resources.flatMap((resource) => {
    const actions = entry.actions.filter((action) => !covered(action, resource));
    return actions.length === 0 ? [] : [`${actions.join(', ')} on ${resource}`];
  });
}

function size(entries: readonly AwsScopeEntry[]): number {
  return entries.reduce((sum, { actions, resources }) => sum + actions.length * resources.length, 0);
}

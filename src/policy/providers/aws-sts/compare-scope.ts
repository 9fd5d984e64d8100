/** How the scope of a capability changed: what the credential may do at most. */
import { canonical, type MapChange } from '../../diff/change.ts';
import { narrowerScope, rewrittenScope, widerScope } from '../../diff/compare-tokens.ts';
import { coversAction, coversResource } from '../../diff/pattern-covers.ts';
import type { AwsScopeEntry } from '../aws-sts.ts';

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

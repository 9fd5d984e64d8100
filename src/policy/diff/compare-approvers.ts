/** How the approvers of a map changed: who may sign approvals, and changes of the map itself. */
import type { Approver, CapabilityMap } from '../capability.ts';
import { formatPlace } from '../map-place.ts';
import { type Direction, KIND_OF, type MapChange } from './change.ts';

type Approvers = CapabilityMap['approvers'];

export function compareApprovers(before: Approvers, after: Approvers): MapChange[] {
  const gone = [...before.values()].filter(({ name }) => !after.has(name));
  return [
    ...[...after.values()].flatMap((approver) => compareApprover(before.get(approver.name), approver)),
    ...gone.map(({ name, keys }) =>
      change(
        'narrower',
        'approvers',
        'approver_removed',
        `"${name}" may no longer approve`,
        keys.join(', '),
        null,
      ),
    ),
    ...(before.size > 0 && after.size === 0 ? [nobodySigns([...before.keys()])] : []),
  ];
}

/** Fewer who may sign is less; none at all sets the next versions of the map free of signatures. */
function nobodySigns(names: readonly string[]): MapChange {
  const message = 'the map names no approvers, so its next version needs no signature';
  return change('wider', 'approvers', 'approvers_none', message, names.join(', '), null);
}

function compareApprover(before: Approver | undefined, after: Approver): MapChange[] {
  const { name, keys, actors } = after;
  const at = formatPlace(['approvers', name]);
  if (before === undefined) {
    return [change('wider', at, 'approver_added', `"${name}" may approve`, null, keys.join(', '))];
  }
  const missingFrom = (list: readonly string[], others: readonly string[], same = (text: string) => text) => {
    const known = new Set(others.map(same));
    const missing = list.filter((text) => !known.has(same(text)));
    return missing.length === 0 ? null : missing.join(', ');
  };
  const tell = (
    key: 'keys' | 'actors',
    direction: Direction,
    ends: string,
    from: string | null,
    to: string | null,
  ) =>
    from === to ? [] : [change(direction, `${at}.${key}`, `approver_${key}`, `"${name}" ${ends}`, from, to)];
  return [
    ...tell(
      'keys',
      'wider',
      'may approve with another key',
      null,
      missingFrom(keys, before.keys, keyMaterial),
    ),
    ...tell(
      'keys',
      'narrower',
      'may no longer approve with a key',
      missingFrom(before.keys, keys, keyMaterial),
      null,
    ),
    ...tell('actors', 'narrower', 'is known under another name', null, missingFrom(actors, before.actors)),
    ...tell('actors', 'wider', 'is no longer known under a name', missingFrom(before.actors, actors), null),
  ];
}

/** A public key without its comment; whatever is not `type base64 [comment]` counts as it is. */
function keyMaterial(line: string): string {
  return /^(\S+ +[A-Za-z0-9+/]+={0,2})(?: .*)?$/.exec(line)?.[1]?.replace(/ +/, ' ') ?? line;
}

function change(
  direction: Direction,
  at: string,
  code: string,
  message: string,
  before: string | null,
  after: string | null,
): MapChange {
  return { kind: KIND_OF[direction], at, code, message, before, after };
}

/** The stories of leases, as `capwrap audit show` tells them from the log: here from what the page has of it. */
import { type ReportTable, recordAt, recordsOf, textOf } from '../audit/report/table.ts';
import { type Story, tellStory } from '../audit/story/story.ts';

/** `read` is when the log was read, in milliseconds. */
export function storyTeller(table: ReportTable, read: number): (lease: number) => Story {
  const approvals = approvalsById(table);
  const inside = leasesByParent(table);
  return (lease) => {
    const own = recordsOf(table, lease);
    const ids = new Set(own.map((record) => record['approval_id']));
    // An approval that another run had asked for belongs to that one's records.
    const others = [...ids].flatMap((id) => approvals.get(id) ?? []).filter((each) => each.lease !== lease);
    const story = tellStory([...others.map(({ record }) => recordAt(table, record)), ...own], new Date(read));
    const within = inside.get(textOf(table, lease, 'lease_id') ?? '') ?? [];
    return within.length === 0
      ? story
      : { ...story, subject: [...story.subject, ['runs inside', within.join(' ')]] };
  };
}

interface Placed {
  readonly lease: number;
  readonly record: number;
}

function approvalsById(table: ReportTable): ReadonlyMap<unknown, readonly Placed[]> {
  const [events, ids] = [table.columns.get('event'), table.columns.get('approval_id')];
  const found = new Map<unknown, Placed[]>();
  if (!events || !ids) return found;
  for (let lease = 0; lease < table.size; lease++) {
    const [from = 0, to = 0] = table.starts.subarray(lease, lease + 2);
    for (let record = from; record < to; record++) {
      const id = ids.values[ids.at[record] ?? -1];
      const event = events.values[events.at[record] ?? -1];
      if (id === undefined || typeof event !== 'string' || !event.startsWith('approval_')) continue;
      append(found, id, { lease, record });
    }
  }
  return found;
}

function leasesByParent(table: ReportTable): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  if (!table.columns.has('parent_lease_id')) return found;
  for (let lease = 0; lease < table.size; lease++) {
    const parent = textOf(table, lease, 'parent_lease_id');
    if (parent !== undefined) append(found, parent, textOf(table, lease, 'lease_id') ?? '');
  }
  return found;
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

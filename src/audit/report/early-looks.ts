/** What a line or a record tells before anything is kept of it. */
import type { RowFilter } from '../leases/row-filter.ts';
import { CLOCK_SLACK_MS } from '../leases/rows.ts';
import { type StoredRecord, textAt } from '../record/stored-record.ts';

/** The event of a line that is from before the wished time, told by its first bytes; else null. */
export function eventOfOld(bytes: Buffer, since: Date | undefined): string | null {
  if (since === undefined) return null;
  const [, time = '', event = ''] = START.exec(bytes.toString('latin1', 0, 80)) ?? [];
  return Date.parse(time) < since.getTime() - CLOCK_SLACK_MS ? event : null;
}

const START = /^\{"timestamp":"([^"]{1,40})","event":"([a-z_]{1,32})"/;

/** True where a record says of its lease what the filter doesn't want. The records of a lease say the same. */
export function cannotFit(record: StoredRecord, id: string, filter: RowFilter): boolean {
  const other = (name: string, wanted: string | undefined) =>
    wanted !== undefined && !wanted.includes('*') && (textAt(record, name) ?? wanted) !== wanted;
  return (
    !id.startsWith(filter.lease ?? '') ||
    other('capability', filter.capability) ||
    other('repo', filter.repo) ||
    other('task_id', filter.task) ||
    other('actor', filter.actor)
  );
}

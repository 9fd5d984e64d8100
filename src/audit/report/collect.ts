/** The records that go into a report: of the newest leases that fit, all of them. */

import { CapwrapError } from '../../errors.ts';
import { type WrapperState, wrapperOf } from '../leases/open-leases.ts';
import { END_EVENTS, statusOf } from '../leases/row.ts';
import { type JudgedRow, type RowFilter, rowTest } from '../leases/row-filter.ts';
import { CLOCK_SLACK_MS } from '../leases/rows.ts';
import type { LogBook } from '../log/book.ts';
import type { LogLine } from '../log/lines.ts';
import { RECORD_FIELDS } from '../record/build-record.ts';
import { glanceAt } from '../record/glance.ts';
import { parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';
import { RecordStore } from './record-store.ts';
import type { PackedTable } from './table.ts';

export interface ReportLimits {
  readonly leases: number;
  /** About how large the page may become; a browser takes several times as much memory. */
  readonly bytes: number;
}

/** What a page can hold and a browser can open; beyond it the oldest are left out. */
export const REPORT_LIMITS: ReportLimits = { leases: 100_000, bytes: 64 * 1024 * 1024 };

export interface CollectedLeases {
  /** In the order in which they were granted. */
  readonly table: PackedTable;
  /** Of each unfinished lease, by its place, whether its capwrap was running when the log was read. */
  readonly wrappers: Readonly<Record<number, WrapperState>>;
  /** Leases and denials of the log that the filter left out. */
  readonly filtered: number;
  /** Leases and denials that may fit, but are older than the newest that a page can hold. */
  readonly tooMany: number;
  /** Lines that are no record, a torn last one apart. */
  readonly unreadable: number;
  /** Why nothing older could be read, as of an archive that is damaged; null where all was. */
  readonly unread: string | null;
}

/** Reads the log once, from its end. `stateDir` is where the leases' processes are looked for. */
export function collectLeases(
  book: Pick<LogBook, 'linesBackwards'>,
  filter: RowFilter,
  stateDir: string,
  limits: ReportLimits = REPORT_LIMITS,
): CollectedLeases {
  const store = new RecordStore();
  const test = rowTest(filter);
  const leases = new Map<string, Lease>();
  let [starts, tooMany, unreadable] = [0, 0, 0];
  const take = (record: StoredRecord, id: string, lease: Lease): void => {
    leases.set(id, lease);
    lease.records.push(store.add(record));
    if (store.bytes > 2 * limits.bytes) throw tooLarge();
    const event = textAt(record, 'event') ?? '';
    lease.started ||= STARTS.has(event);
    lease.ended ||= END_EVENTS.has(event);
    if (event === 'granted' && !lease.ended)
      lease.wrapper = wrapperOf({ leaseId: id, granted: record, issued: null, failed: false }, stateDir);
  };
  /** What came of an old lease later, such as a verdict, is no lease of the time that was asked for. */
  const passOver = (bytes: Buffer): void => {
    const id = glanceAt(bytes)?.lease ?? textAt(parseRecord(bytes) ?? {}, 'lease_id') ?? '';
    const known = leases.get(id);
    if (known?.started) return;
    starts++;
    leases.delete(id);
  };
  const look = ({ bytes, ended }: LogLine): void => {
    if (!ended) return;
    const old = eventOfOld(bytes, filter.since);
    if (old !== null && STARTS.has(old)) passOver(bytes);
    if (old !== null && !old.startsWith('approval_')) return;
    const record = parseRecord(bytes);
    if (record === null) unreadable++;
    const id = record === null ? undefined : textAt(record, 'lease_id');
    if (record === null || id === undefined) return;
    const known = leases.get(id);
    const starting = STARTS.has(textAt(record, 'event') ?? '') && !known?.started;
    if (starting) starts++;
    if (known) take(record, id, known);
    else if (old !== null || cannotFit(record, id, filter)) return;
    else if (leases.size < limits.leases && store.bytes < limits.bytes) {
      take(record, id, { records: [], started: false, ended: false, wrapper: null });
    } else if (starting) tooMany++;
  };
  const unread = readAll(book, look);
  const fitting = [...leases.values()]
    .map((lease) => ({ ...lease, records: lease.records.reverse() }))
    .filter(({ records }) => test.fits(asRow(store, records)))
    // Numbers grow towards the start of the log.
    .sort((a, b) => (b.records[0] ?? 0) - (a.records[0] ?? 0));
  const shown = fitting.filter(({ started }) => started).length;
  return {
    table: store.pack(fitting.map(({ records }) => records)),
    wrappers: Object.fromEntries(
      fitting.flatMap(({ wrapper }, place) => (wrapper === null ? [] : [[place, wrapper]])),
    ),
    filtered: starts - shown - tooMany,
    tooMany,
    unreadable,
    unread,
  };
}

/** Looks at each line, from the last one back. Damage in an archive ends it, and is returned. */
function readAll(book: Pick<LogBook, 'linesBackwards'>, look: (line: LogLine) => void): string | null {
  try {
    for (const line of book.linesBackwards()) look(line);
    return null;
  } catch (error) {
    if (error instanceof CapwrapError && error.code === 'ERR_AUDIT_UNSAFE') return error.message;
    throw error;
  }
}

/** What is known of a lease while the log is read backwards. */
interface Lease {
  readonly records: number[];
  started: boolean;
  ended: boolean;
  wrapper: WrapperState | null;
}

/** Each lease of the log has one of these, once. */
const STARTS = new Set(['granted', 'denied']);

/** The event of a line that is from before the wished time, told by its first bytes; else null. */
function eventOfOld(bytes: Buffer, since: Date | undefined): string | null {
  if (since === undefined) return null;
  const [, time = '', event = ''] = START.exec(bytes.toString('latin1', 0, 80)) ?? [];
  return Date.parse(time) < since.getTime() - CLOCK_SLACK_MS ? event : null;
}

const START = /^\{"timestamp":"([^"]{1,40})","event":"([a-z_]{1,32})"/;

/** True where a record says of its lease what the filter doesn't want. The records of a lease say the same. */
function cannotFit(record: StoredRecord, id: string, filter: RowFilter): boolean {
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

/** A lease as the filter looks at it. */
function asRow(store: RecordStore, records: readonly number[]): JudgedRow {
  const textOf = (record: number, name: string) => {
    const value = store.value(record, name);
    return typeof value === 'string' ? value : '';
  };
  const events = records.map((record) => textOf(record, 'event'));
  const start = Math.max(
    0,
    events.findIndex((event) => STARTS.has(event)),
  );
  return {
    events,
    status: statusOf(events),
    started: textOf(records[start] ?? 0, 'timestamp'),
    value: (name) => records.map((record) => store.value(record, name)).findLast((value) => value != null),
    recordOf(event) {
      const record = records[events.lastIndexOf(event)];
      return record === undefined ? undefined : storedFields(store, record);
    },
  };
}

/** Those fields of a record that are no objects. */
function storedFields(store: RecordStore, record: number): StoredRecord {
  const fields = RECORD_FIELDS.map((name) => [name, store.value(record, name)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

function tooLarge(): CapwrapError {
  return new CapwrapError('ERR_USAGE', 'the records of these leases are larger than a page can hold', {
    hint: 'capwrap audit report --since 24h -o report.html',
  });
}

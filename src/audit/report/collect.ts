/** The records that go into a report: of the newest leases that fit, all of them. */

import { CapwrapError } from '../../errors.ts';
import { type WrapperState, wrapperOf } from '../leases/open-leases.ts';
import { END_EVENTS } from '../leases/row.ts';
import { type RowFilter, rowTest } from '../leases/row-filter.ts';
import type { LogBook } from '../log/book.ts';
import type { LogLine } from '../log/lines.ts';
import { glanceAt } from '../record/glance.ts';
import { parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';
import { asRow, STARTS } from './collected-row.ts';
import { cannotFit, eventOfOld } from './early-looks.ts';
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

function tooLarge(): CapwrapError {
  return new CapwrapError('ERR_USAGE', 'the records of these leases are larger than a page can hold', {
    hint: 'capwrap audit report --since 24h -o report.html',
  });
}

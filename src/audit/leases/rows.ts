/** The log as a list: one row for each lease, joined from its records, and one for each denial. */
import type { LogBook } from '../log/book.ts';
import { parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';

/** `ended`: closed by another capwrap after the run's own had died. Other records are rows under their event's name. */
type RowStatus = 'unfinished' | 'closed' | 'ended' | 'denied' | (string & {});

export interface AuditRow {
  readonly status: RowStatus;
  /** Timestamp of the first record. */
  readonly started: string;
  /** Timestamp of the record that ended it; null where there is none. */
  readonly ended: string | null;
  /** Of the lease's records, first to last. */
  readonly events: readonly string[];
  /** All fields of the lease's records; where several have one, the last one's. */
  readonly record: StoredRecord;
}

/** What a row must fit: exact values, the start of a lease id, an event among those of the row. */
export interface RowFilter {
  readonly capability?: string | undefined;
  readonly repo?: string | undefined;
  readonly task?: string | undefined;
  readonly actor?: string | undefined;
  readonly outcome?: string | undefined;
  readonly lease?: string | undefined;
  readonly event?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface RowList {
  /** First started first. */
  readonly rows: readonly AuditRow[];
  /** True where `limit` left older ones out. */
  readonly more: boolean;
  /** Lines that are no record. */
  readonly unreadable: number;
}

/** The newest `limit` rows that fit. Reads from the end of the log, and no further than it takes. */
export function listRows(book: LogBook, filter: RowFilter, limit = Number.POSITIVE_INFINITY): RowList {
  const reading: Reading = { unreadable: 0 };
  const rows: AuditRow[] = [];
  for (const row of findRows(book, filter, reading)) {
    if (rows.length >= limit) return { rows: rows.reverse(), more: true, unreadable: reading.unreadable };
    rows.push(row);
  }
  return { rows: rows.reverse(), more: false, unreadable: reading.unreadable };
}

/** What was met on the way. */
export interface Reading {
  /** Lines that are no record. */
  unreadable: number;
}

/**
 * The rows that fit, last granted first; those whose grant isn't in the log come last. Holds the records of the leases that
 * are open at a time, and no others.
 */
export function* findRows(book: LogBook, filter: RowFilter, reading: Reading): Generator<AuditRow> {
  const open = new Map<string, StoredRecord[]>();
  for (const { bytes } of book.linesBackwards()) {
    const record = parseRecord(bytes);
    if (record === null) {
      reading.unreadable++;
      continue;
    }
    if (isBefore(record, filter.since)) return;
    const lease = textAt(record, 'lease_id');
    const event = textAt(record, 'event') ?? '';
    let row: AuditRow | null = null;
    if (lease === undefined || !LEASE_EVENTS.has(event)) {
      if (event === 'denied' || event === filter.event) row = rowOf([record]);
    } else if (event === 'granted') {
      row = rowOf([record, ...(open.get(lease) ?? [])]);
      open.delete(lease);
    } else {
      open.set(lease, [record, ...(open.get(lease) ?? [])]);
    }
    if (row !== null && fits(row, filter)) yield row;
  }
  for (const records of open.values()) {
    const row = rowOf(records);
    if (fits(row, filter)) yield row;
  }
}

/** The events that tell of the course of a lease, from its grant on. */
const LEASE_EVENTS = new Set(['granted', 'issued', 'closed', 'lease_ended']);

/** Records stand in the order of writing; a clock that was set back by up to a day hides none. */
const CLOCK_SLACK_MS = 24 * 3600 * 1000;

function isBefore(record: StoredRecord, since: Date | undefined): boolean {
  return (
    since !== undefined && Date.parse(textAt(record, 'timestamp') ?? '') < since.getTime() - CLOCK_SLACK_MS
  );
}

/** The row of a lease's records, first to last, or of one that stands for itself. */
export function rowOf(records: readonly StoredRecord[]): AuditRow {
  const events = records.map((record) => textAt(record, 'event') ?? '');
  const end = records.findLast((record) => ENDS.has(textAt(record, 'event') ?? ''));
  return {
    status: statusOf(events),
    started: textAt(records[0] ?? {}, 'timestamp') ?? '',
    ended: end ? (textAt(end, 'timestamp') ?? null) : null,
    events,
    record: Object.assign(Object.create(null), ...records),
  };
}

const ENDS = new Set(['closed', 'lease_ended']);

function statusOf(events: readonly string[]): RowStatus {
  if (events.includes('closed')) return 'closed';
  if (events.includes('lease_ended')) return 'ended';
  const [event = ''] = events;
  return LEASE_EVENTS.has(event) ? 'unfinished' : event;
}

export function fits({ record, events, started }: AuditRow, filter: RowFilter): boolean {
  const same = (name: string, wanted: string | undefined) =>
    wanted === undefined || textAt(record, name) === wanted;
  return (
    same('capability', filter.capability) &&
    same('repo', filter.repo) &&
    same('task_id', filter.task) &&
    same('actor', filter.actor) &&
    same('outcome', filter.outcome) &&
    (filter.lease === undefined || (textAt(record, 'lease_id') ?? '').startsWith(filter.lease)) &&
    (filter.event === undefined || events.includes(filter.event)) &&
    (filter.since === undefined || Date.parse(started) >= filter.since.getTime()) &&
    (filter.until === undefined || Date.parse(started) < filter.until.getTime())
  );
}

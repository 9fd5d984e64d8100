/** One row of the log read as a list: a lease joined from its records, or a record that stands for itself. */
import { joinRecords, parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';

/** `ended`: closed by another capwrap after the run's own had died. Other records are rows under their event's name. */
export type RowStatus = 'unfinished' | 'closed' | 'ended' | 'denied' | (string & {});

export interface AuditRow {
  readonly status: RowStatus;
  /** Timestamp of the first record. */
  readonly started: string;
  /** Timestamp of the record that ended it; null where there is none. */
  readonly ended: string | null;
  /** Of the row's records, first to last. */
  readonly events: readonly string[];
  /** When the last record of this event was written; undefined where there is none. */
  timeOf(event: string): string | undefined;
  /** The last record of this event. */
  recordOf(event: string): StoredRecord | undefined;
  /** A field of the row's records; where several have it, the last one's. Parses no more of them than that takes. */
  value(name: string): unknown;
  /** All fields. */
  readonly record: StoredRecord;
}

/** The events that tell of the course of a lease, from its grant on. */
export const LEASE_EVENTS: ReadonlySet<string> = new Set(['granted', 'issued', 'closed', 'lease_ended']);

/** Those that end it. */
export const END_EVENTS: ReadonlySet<string> = new Set(['closed', 'lease_ended']);

/** The row of the lines of a lease, first to last; each is a record. */
export function rowOf(lines: readonly Buffer[], heads: readonly RowHead[]): AuditRow {
  const parsed: StoredRecord[] = [];
  return rowWith(heads, (at) => (parsed[at] ??= parseRecord(lines[at] ?? NONE) ?? {}));
}

/** The same of records that are parsed already. */
export function rowOfRecords(records: readonly StoredRecord[]): AuditRow {
  return rowWith(records.map(headOf), (at) => records[at] ?? {});
}

function rowWith(heads: readonly RowHead[], recordAt: (at: number) => StoredRecord): AuditRow {
  const events = heads.map(({ event }) => event);
  const end = heads.findLast(({ event }) => END_EVENTS.has(event));
  return {
    status: statusOf(events),
    started: heads[0]?.timestamp ?? '',
    ended: end?.timestamp ?? null,
    events,
    timeOf: (event) => heads.findLast((head) => head.event === event)?.timestamp,
    recordOf(event) {
      const at = heads.findLastIndex((head) => head.event === event);
      return at < 0 ? undefined : recordAt(at);
    },
    value(name) {
      for (let at = heads.length - 1; at >= 0; at--) {
        const record = recordAt(at);
        if (Object.hasOwn(record, name)) return record[name];
      }
      return undefined;
    },
    get record() {
      return joinRecords(heads.map((_, at) => recordAt(at)));
    },
  };
}

/** What is known of a record before its fields are asked for. */
export interface RowHead {
  readonly timestamp: string;
  readonly event: string;
}

export function textOf(row: Pick<AuditRow, 'value'>, name: string): string | undefined {
  const value = row.value(name);
  return typeof value === 'string' ? value : undefined;
}

/** A part of a field that is an object. */
export function partOf(row: Pick<AuditRow, 'value'>, name: string, part: string): unknown {
  const value = row.value(name);
  return value !== null && typeof value === 'object' && Object.hasOwn(value, part)
    ? (value as StoredRecord)[part]
    : undefined;
}

export function headOf(record: StoredRecord): RowHead {
  return { timestamp: textAt(record, 'timestamp') ?? '', event: textAt(record, 'event') ?? '' };
}

const NONE = Buffer.alloc(0);

/** Told by the events of a lease, or by the one of a record that stands for itself. */
export function statusOf(events: readonly string[]): RowStatus {
  if (events.includes('closed')) return 'closed';
  if (events.includes('lease_ended')) return 'ended';
  const [event = ''] = events;
  return LEASE_EVENTS.has(event) ? 'unfinished' : event;
}

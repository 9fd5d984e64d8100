/** The log as a list: one row for each lease, joined from its records, and one for each denial. */
import type { BookLine, LogBook } from '../log/book.ts';
import { glanceAt } from '../record/glance.ts';
import { parseRecord, textAt } from '../record/stored-record.ts';
import { type AuditRow, headOf, LEASE_EVENTS, type RowHead, rowOf } from './row.ts';
import { type RowFilter, type RowTest, rowTest } from './row-filter.ts';

/** A row, and the lines that it was made of, first to last. */
export interface FoundRow {
  readonly row: AuditRow;
  readonly lines: readonly FoundLine[];
}

/** A line of the log that is kept. */
export interface FoundLine extends RowHead {
  readonly bytes: Buffer;
  readonly file: string;
  /** Of its first byte. */
  readonly offset: number;
}

/** What was read on the way. */
export interface Reading {
  /** Lines, records or not. */
  lines: number;
  /** Of those, how many are no record. */
  unreadable: number;
}

export interface RowList {
  /** First started first. */
  readonly rows: readonly AuditRow[];
  /** True where `limit` left older ones out. */
  readonly more: boolean;
  /** Lines that are no record, among those that were read. */
  readonly unreadable: number;
}

/** The newest `limit` rows that fit. Reads from the end of the log, and no further than it takes. */
export function listRows(book: LogBook, filter: RowFilter, limit = Number.POSITIVE_INFINITY): RowList {
  const reading = { lines: 0, unreadable: 0 };
  const rows: AuditRow[] = [];
  for (const { row } of findRows(book, rowTest(filter), reading)) {
    if (rows.length >= limit) return { rows: rows.reverse(), more: true, unreadable: reading.unreadable };
    rows.push(row);
  }
  return { rows: rows.reverse(), more: false, unreadable: reading.unreadable };
}

/**
 * The rows that fit, last granted first; those whose grant isn't in the log come last. Lines are parsed only where their
 * bytes leave it open whether the row fits. Holds the lines of the leases that are open at a time. `other` gets the records
 * that are in no row.
 */
export function* findRows(
  book: LogBook,
  test: RowTest,
  reading: Reading,
  other: (line: FoundLine) => void = () => undefined,
): Generator<FoundRow> {
  const { event: wantedEvent, since } = test.filter;
  const open = new Map<string, FoundLine[]>(); // last first
  const found = (lastFirst: readonly FoundLine[]): FoundRow | null => {
    const lines = lastFirst.toReversed();
    const bytes = lines.map((line) => line.bytes);
    const row = test.mayFit(bytes) ? rowOf(bytes, lines) : null;
    return row !== null && test.fits(row) ? { row, lines } : null;
  };
  const keep = keeper(open);
  for (const line of book.linesBackwards()) {
    reading.lines++;
    const head = read(line);
    if (head === null) {
      reading.unreadable++;
      continue;
    }
    if (isBefore(head, since)) return; // what is open was granted before
    const { lease, event } = head;
    if (lease === null || !LEASE_EVENTS.has(event)) {
      if (event !== 'denied' && event !== wantedEvent) {
        other(foundAt(line, head));
        continue;
      }
      const row = found([foundAt(line, head)]);
      if (row !== null) yield row;
      continue;
    }
    const lines = open.get(lease) ?? [];
    if (event === 'granted') {
      open.delete(lease);
      const row = found([...lines, foundAt(line, head)]);
      if (row !== null) yield row;
    } else {
      lines.push(foundAt(line, head));
      open.set(lease, lines);
      keep(lease, line.bytes);
    }
  }
  for (const lines of open.values()) {
    const row = found(lines);
    if (row !== null) yield row;
  }
}

interface Head extends RowHead {
  readonly lease: string | null;
}

/** Null where the line is no record. */
function read({ bytes }: BookLine): Head | null {
  const glance = glanceAt(bytes);
  if (glance !== null) return glance;
  const record = parseRecord(bytes);
  return record === null ? null : { ...headOf(record), lease: textAt(record, 'lease_id') ?? null };
}

function foundAt({ bytes, file, next, ended }: BookLine, { timestamp, event }: RowHead): FoundLine {
  return { timestamp, event, bytes, file, offset: next - bytes.length - (ended ? 1 : 0) };
}

/**
 * A line is a view of a far larger piece of the file, which would be held with it: what is still open when the piece is
 * through is copied. Most leases begin and end in one piece.
 */
function keeper(open: ReadonlyMap<string, FoundLine[]>): (lease: string, bytes: Buffer) => void {
  let piece: ArrayBufferLike | null = null;
  let fresh = new Set<string>();
  return (lease, bytes) => {
    if (bytes.buffer !== piece) {
      for (const each of fresh) {
        const lines = open.get(each) ?? [];
        for (const [at, line] of lines.entries())
          if (line.bytes.buffer === piece) lines[at] = { ...line, bytes: Buffer.from(line.bytes) };
      }
      piece = bytes.buffer;
      fresh = new Set();
    }
    fresh.add(lease);
  };
}

/** Records stand in the order of writing; a clock that was set back by up to a day hides none. */
export const CLOCK_SLACK_MS = 24 * 3600 * 1000;

function isBefore({ timestamp }: RowHead, since: Date | undefined): boolean {
  return since !== undefined && Date.parse(timestamp) < since.getTime() - CLOCK_SLACK_MS;
}

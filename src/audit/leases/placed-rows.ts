/**
 * Rows are found from the end of the log and shown from its beginning. In between they are kept as places in the log: of a
 * gigabyte of records these are a few megabytes.
 */
import { basename, dirname } from 'node:path';
import { withArchive } from '../log/archives.ts';
import type { LogBook } from '../log/book.ts';
import type { LogBytes } from '../log/bytes.ts';
import { LONGEST_LINE } from '../log/log-tail.ts';
import { parseRecord, type StoredRecord } from '../record/stored-record.ts';
import { type AuditRow, LEASE_EVENTS, rowOfRecords } from './row.ts';
import type { FoundRow } from './rows.ts';

export interface PlacedRow {
  /** The file of the first line; null where all lines are here. */
  readonly file: string | null;
  /** First to last: offset and length of a line of that file, or, of one that stands in another, the line itself. */
  readonly lines: readonly (number | Buffer)[];
}

export function placeOf({ lines }: FoundRow): PlacedRow {
  const [first] = lines;
  // The place of a row is that of its grant; one without is in no order.
  const file = first && (first.event === 'granted' || !LEASE_EVENTS.has(first.event)) ? first.file : null;
  return {
    file,
    lines: lines.flatMap<number | Buffer>((line) =>
      line.file === file && line.bytes.length < LONGEST_LINE
        ? [line.offset, line.bytes.length]
        : [Buffer.from(line.bytes)],
    ),
  };
}

/**
 * Reads rows again, first granted first: `rows` are of the same book, as they were found. Throws ERR_AUDIT_UNSAFE where an
 * archive was removed in between.
 */
export function* readPlaced(book: LogBook, rows: readonly PlacedRow[]): Generator<AuditRow> {
  let left = rows.length;
  const take = function* (file: string | null, bytes: LogBytes | null) {
    const read = bytes && windowOf(bytes);
    for (let row = rows[left - 1]; row && row.file === file; row = rows[left - 1]) {
      yield rowAt(row, read);
      left--;
    }
  };
  yield* take(null, null);
  for (const archive of book.archives) {
    if (rows[left - 1]?.file === archive.name)
      yield* withArchive(dirname(book.path), archive, (bytes) => take(archive.name, bytes));
  }
  yield* take(basename(book.path), book.current);
}

type ReadLine = (offset: number, length: number, first: boolean) => Buffer;

/** Lines of one row stand close together, and those of the next one beside them. */
function windowOf(bytes: LogBytes): ReadLine {
  let from = 0;
  let window: Buffer = Buffer.alloc(0);
  return (offset, length, first) => {
    if (first && (offset < from || offset + length > from + window.length)) {
      from = offset;
      window = bytes.read(offset, WINDOW);
    }
    const at = offset - from;
    return at >= 0 && at + length <= window.length
      ? window.subarray(at, at + length)
      : bytes.read(offset, length);
  };
}

const WINDOW = 256 * 1024;

function rowAt({ lines }: PlacedRow, read: ReadLine | null): AuditRow {
  const records: StoredRecord[] = [];
  for (let at = 0; at < lines.length; at++) {
    const place = lines[at];
    const line = typeof place === 'number' ? read?.(place, Number(lines[++at]), records.length === 0) : place;
    records.push((line && parseRecord(line)) ?? {});
  }
  return rowOfRecords(records);
}

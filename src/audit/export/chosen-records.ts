/** The records of the rows that fit, as they stand in the log, oldest first. */
import { isUtf8 } from 'node:buffer';
import { headOf, rowOf, textOf } from '../leases/row.ts';
import type { RowTest } from '../leases/row-filter.ts';
import { findRows } from '../leases/rows.ts';
import type { LogBook } from '../log/book.ts';
import { parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';

export interface ChosenRecord {
  /** The line, without its newline; UTF-8. */
  readonly bytes: Buffer;
  readonly record: StoredRecord;
}

/**
 * A record fits if its lease does, whichever of the lease's records has what was asked for, and one without a lease if it
 * fits by itself. Reads the log once, and a second time where there is anything to choose by; holds the ids of the leases
 * that fit. `reading` counts lines that are no record, the unfinished last one included: they are never handed out.
 */
export function* chosenRecords(
  book: LogBook,
  test: RowTest,
  reading: { unreadable: number },
): Generator<ChosenRecord> {
  const chooses = Object.values(test.filter).some((wanted) => wanted !== undefined);
  const leases = chooses ? leasesOf(book, test) : null;
  for (const { bytes, ended } of book.lines()) {
    const record = ended && isUtf8(bytes) ? parseRecord(bytes) : null;
    if (record === null) reading.unreadable++;
    else if (leases === null || isChosen({ bytes, record }, leases, test)) yield { bytes, record };
  }
}

function leasesOf(book: LogBook, test: RowTest): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { row } of findRows(book, test, { lines: 0, unreadable: 0 })) {
    const id = textOf(row, 'lease_id');
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

function isChosen({ bytes, record }: ChosenRecord, leases: ReadonlySet<string>, test: RowTest): boolean {
  const lease = textAt(record, 'lease_id');
  return lease === undefined ? test.fits(rowOf([bytes], [headOf(record)])) : leases.has(lease);
}

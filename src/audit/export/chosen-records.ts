/** The records of the rows that fit, as they stand in the log, oldest first. */
import { isUtf8 } from 'node:buffer';
import { findRows, fits, type Reading, type RowFilter, rowOf } from '../leases/rows.ts';
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
export function* chosenRecords(book: LogBook, filter: RowFilter, reading: Reading): Generator<ChosenRecord> {
  const leases = Object.values(filter).some((wanted) => wanted !== undefined) ? leasesOf(book, filter) : null;
  for (const { bytes, ended } of book.lines()) {
    const record = ended && isUtf8(bytes) ? parseRecord(bytes) : null;
    if (record === null) reading.unreadable++;
    else if (leases === null || isChosen(record, leases, filter)) yield { bytes, record };
  }
}

function leasesOf(book: LogBook, filter: RowFilter): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { record } of findRows(book, filter, { unreadable: 0 })) {
    const id = textAt(record, 'lease_id');
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

function isChosen(record: StoredRecord, leases: ReadonlySet<string>, filter: RowFilter): boolean {
  const lease = textAt(record, 'lease_id');
  return lease === undefined ? fits(rowOf([record]), filter) : leases.has(lease);
}

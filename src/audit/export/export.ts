/** What fits, as pieces of a file: with bounded memory, however long the log is. */
import { findRows, type RowFilter } from '../leases/rows.ts';
import type { LogBook } from '../log/book.ts';
import { chosenRecords } from './chosen-records.ts';
import { csvOf } from './csv.ts';
import { LEASE_COLUMNS, leaseValues, RECORD_COLUMNS, recordValues } from './csv-columns.ts';

/** `lines`: records as they stand in the log. Tables: one row for each lease and each denial, or for each record. */
export type ExportForm = 'lines' | 'lease_table' | 'record_table';

/** Counted on the way. */
export interface Tally {
  rows: number;
  /** Lines that are no record, and are left out. */
  unreadable: number;
}

/** Records come oldest first, leases last granted first: each in the order in which they can be had without holding them. */
export function exportLog(
  book: LogBook,
  form: ExportForm,
  filter: RowFilter,
  tally: Tally,
): Generator<string> {
  switch (form) {
    case 'lines':
      return inPieces(chosenRecords(book, filter, tally), tally, (records) =>
        records.map(({ bytes }) => `${bytes}\n`).join(''),
      );
    case 'lease_table':
      return table(LEASE_COLUMNS, findRows(book, filter, tally), leaseValues, tally);
    case 'record_table':
      return table(
        RECORD_COLUMNS,
        chosenRecords(book, filter, tally),
        ({ record }) => recordValues(record),
        tally,
      );
  }
}

function* table<Row>(
  names: readonly string[],
  rows: Iterable<Row>,
  valuesOf: (row: Row) => readonly unknown[],
  tally: Tally,
): Generator<string> {
  yield csvOf([names]);
  yield* inPieces(rows, tally, (portion) => csvOf(portion.map(valuesOf)));
}

const PORTION = 500;

function* inPieces<Row>(
  rows: Iterable<Row>,
  tally: Tally,
  toText: (portion: readonly Row[]) => string,
): Generator<string> {
  let portion: Row[] = [];
  for (const row of rows) {
    tally.rows++;
    portion.push(row);
    if (portion.length < PORTION) continue;
    yield toText(portion);
    portion = [];
  }
  if (portion.length > 0) yield toText(portion);
}

/** What fits, as pieces of a file: with bounded memory, however long the log is. */
import { type RowFilter, rowTest } from '../leases/row-filter.ts';
import { findRows, type Reading } from '../leases/rows.ts';
import type { LogBook } from '../log/book.ts';
import { chosenRecords } from './chosen-records.ts';
import { csvOf } from './csv.ts';
import { LEASE_COLUMNS, leaseValues, RECORD_COLUMNS, recordValues } from './csv-columns.ts';

/** `lines`: records as they stand in the log. Tables: one row for each lease and each denial, or for each record. */
export type ExportForm = 'lines' | 'lease_table' | 'record_table';

/** Counted on the way. */
export interface Tally extends Reading {
  rows: number;
}

/** Records come oldest first, leases last granted first: each in the order in which they can be had without holding them. */
export function exportLog(
  book: LogBook,
  form: ExportForm,
  filter: RowFilter,
  tally: Tally,
): Generator<string> {
  const test = rowTest(filter);
  switch (form) {
    case 'lines':
      return inPieces(chosenRecords(book, test, tally), tally, ({ bytes }) => `${bytes}\n`, joined);
    case 'lease_table':
      return table(LEASE_COLUMNS, findRows(book, test, tally), ({ row }) => leaseValues(row), tally);
    case 'record_table':
      return table(
        RECORD_COLUMNS,
        chosenRecords(book, test, tally),
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
  yield* inPieces(rows, tally, valuesOf, csvOf);
}

const joined = (lines: readonly string[]): string => lines.join('');

const PORTION = 500;

/** Rows are taken apart one by one: each is a view of a far larger piece of the log, which it would hold. */
function* inPieces<Row, Part>(
  rows: Iterable<Row>,
  tally: Tally,
  partOf: (row: Row) => Part,
  toText: (portion: readonly Part[]) => string,
): Generator<string> {
  let portion: Part[] = [];
  for (const row of rows) {
    tally.rows++;
    portion.push(partOf(row));
    if (portion.length < PORTION) continue;
    yield toText(portion);
    portion = [];
  }
  if (portion.length > 0) yield toText(portion);
}

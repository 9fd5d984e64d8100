/**
 * Records in columns: what a report carries of its leases. A value that many records share is there once. Nothing of a
 * record is lost but the fields that were left out, so a story told from here is the one told from the log.
 */
import type { StoredRecord } from '../record/stored-record.ts';

/** As it stands in the page. Numbers in runs: `[7, 3, 9, 1]` stands for `7 7 7 9`. */
export interface PackedTable {
  /** How many records each lease has, in runs. */
  readonly leases: readonly number[];
  /** The columns that a record can have, as sets that occur. */
  readonly shapes: readonly (readonly number[])[];
  /** Which of these sets each record has, in runs. Records of a lease stand together, oldest first. */
  readonly shape: readonly number[];
  readonly columns: readonly PackedColumn[];
}

export interface PackedColumn {
  /** Name of the field, and of the field in it. */
  readonly path: readonly string[];
  /** Each value once; or, where all are times, milliseconds: the first one, then differences. */
  readonly values?: readonly unknown[];
  readonly times?: readonly number[];
  /** Which value each record has that has one, in runs. */
  readonly at: readonly number[];
}

export interface Column {
  readonly path: readonly string[];
  readonly values: readonly unknown[];
  /** For each record the place of its value; -1 where it has none. */
  readonly at: Int32Array;
}

export interface ReportTable {
  /** How many leases, denials among them. */
  readonly size: number;
  /** For each lease the place of its first record; one more at the end. */
  readonly starts: Int32Array;
  /** By path, its names joined with dots. */
  readonly columns: ReadonlyMap<string, Column>;
}

export function unpackTable(packed: PackedTable): ReportTable {
  const counts = unpackRuns(packed.leases);
  const starts = new Int32Array(counts.length + 1);
  for (const [lease, count] of counts.entries()) starts[lease + 1] = (starts[lease] ?? 0) + count;
  const shape = unpackRuns(packed.shape);
  const columns = packed.columns.map(({ path, values, times, at }) => ({
    path,
    values: times ? unpackTimes(times) : (values ?? []),
    at: new Int32Array(shape.length).fill(-1),
    given: unpackRuns(at),
    next: 0,
  }));
  for (const [record, set] of shape.entries()) {
    for (const index of packed.shapes[set] ?? []) {
      const column = columns[index];
      if (column) column.at[record] = column.given[column.next++] ?? -1;
    }
  }
  return {
    size: counts.length,
    starts,
    columns: new Map(columns.map(({ path, values, at }) => [path.join('.'), { path, values, at }])),
  };
}

/** The records of a lease, oldest first. */
export function recordsOf(table: ReportTable, lease: number): StoredRecord[] {
  const [from = 0, to = 0] = table.starts.subarray(lease, lease + 2);
  return Array.from({ length: to - from }, (_, at) => recordAt(table, from + at));
}

/** One record by its place among all of them. */
export function recordAt(table: ReportTable, index: number): StoredRecord {
  const record: Record<string, unknown> = Object.create(null);
  for (const { path, values, at } of table.columns.values()) {
    const place = at[index] ?? -1;
    if (place < 0) continue;
    const [name = '', inner] = path;
    if (inner === undefined) record[name] = values[place];
    else {
      record[name] ??= Object.create(null);
      (record[name] as Record<string, unknown>)[inner] = values[place];
    }
  }
  return record;
}

/** The place in a column's values that a lease has: of several records the last one's. -1 where none has any. */
export function placeOf(table: ReportTable, column: Column | undefined, lease: number): number {
  const from = table.starts[lease] ?? 0;
  if (column) {
    for (let record = (table.starts[lease + 1] ?? 0) - 1; record >= from; record--) {
      const place = column.at[record] ?? -1;
      if (place >= 0) return place;
    }
  }
  return -1;
}

/** The lease's text under a path, its names joined with dots. Undefined where there is none. */
export function textOf(table: ReportTable, lease: number, path: string): string | undefined {
  const column = table.columns.get(path);
  const value = column?.values[placeOf(table, column, lease)];
  return typeof value === 'string' ? value : undefined;
}

export function packRuns(numbers: Iterable<number>): number[] {
  const runs: number[] = [];
  for (const number of numbers) {
    if (runs.length > 0 && runs[runs.length - 2] === number) runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
    else runs.push(number, 1);
  }
  return runs;
}

function unpackRuns(runs: readonly number[]): Int32Array {
  let length = 0;
  for (let at = 1; at < runs.length; at += 2) length += runs[at] ?? 0;
  const numbers = new Int32Array(length);
  let end = 0;
  for (let at = 0; at < runs.length; at += 2) {
    const start = end;
    end += runs[at + 1] ?? 0;
    numbers.fill(runs[at] ?? 0, start, end);
  }
  return numbers;
}

/** Null unless each value is a time as `Date.toISOString` writes it. */
export function packTimes(values: readonly unknown[]): number[] | null {
  const times: number[] = [];
  let before = 0;
  for (const value of values) {
    const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(time) || new Date(time).toISOString() !== value) return null;
    times.push(time - before);
    before = time;
  }
  return times;
}

function unpackTimes(times: readonly number[]): string[] {
  let time = 0;
  return times.map((difference) => {
    time += difference;
    return new Date(time).toISOString();
  });
}

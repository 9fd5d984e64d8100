/** Records as they are collected for a report: in columns from the start, since a million of them must fit into memory. */

import { toJson } from '../../base/escape.ts';
import { FACT_NAMES } from '../../request/facts.ts';
import { RECORD_FIELDS } from '../record/build-record.ts';
import type { StoredRecord } from '../record/stored-record.ts';
import { type PackedColumn, type PackedTable, packRuns, packTimes } from './table.ts';

/** Left out: places in the chain, which `verify` is for, and what only another capwrap on this machine has a use for. */
const LEFT_OUT = ['seq', 'prev', 'hash', 'owner', 'handle'];

/** Objects whose fields vary one by one. One with another field in it is kept whole. */
const TAKEN_APART: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['facts', FACT_NAMES],
  ['child', ['exit_code', 'signal', 'duration_ms']],
]);

const FIELDS: readonly string[] = RECORD_FIELDS.filter((name) => !LEFT_OUT.includes(name));
const PATHS: readonly (readonly string[])[] = FIELDS.flatMap((name) => [
  [name],
  ...(TAKEN_APART.get(name) ?? []).map((inner) => [name, inner]),
]);
const COLUMNS: ReadonlyMap<string, number> = new Map(PATHS.map((path, index) => [path.join('.'), index]));

/** The values of a column, each once. */
class Values {
  readonly list: unknown[] = [];
  readonly #texts = new Map<unknown, number>();
  readonly #objects = new Map<string, number>();

  /** The place of a value, and how many bytes a page needs for it where it is new. */
  place(value: unknown): readonly [place: number, bytes: number] {
    const isObject = typeof value === 'object' && value !== null;
    const key = isObject ? JSON.stringify(value) : value;
    const known = isObject ? this.#objects.get(key as string) : this.#texts.get(key);
    if (known !== undefined) return [known, 0];
    const place = this.list.push(value) - 1;
    if (isObject) this.#objects.set(key as string, place);
    else this.#texts.set(key, place);
    return [place, typeof key === 'string' ? lengthInPage(key) : 16];
  }
}

export class RecordStore {
  readonly #values = PATHS.map(() => new Values());
  readonly #shapes = new Map<string, number>();
  readonly #records: { readonly shape: number; readonly places: Int32Array }[] = [];
  readonly #shapeColumns: (readonly number[])[] = [];
  #bytes = 0;

  /** About how large a page of these records is, in bytes. Several times as much memory is held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a record and returns its number: 0, 1, 2, … */
  add(record: StoredRecord): number {
    const columns: number[] = [];
    const places: number[] = [];
    const put = (path: string, value: unknown) => {
      const column = COLUMNS.get(path) ?? 0;
      const [place, bytes] = this.#values[column]?.place(value) ?? [0, 0];
      columns.push(column);
      places.push(place);
      this.#bytes += bytes;
    };
    for (const name of FIELDS) {
      if (!Object.hasOwn(record, name)) continue;
      const value = record[name];
      const parts = partsOf(name, value);
      if (parts === null) put(name, value);
      else for (const [inner, part] of parts) put(`${name}.${inner}`, part);
    }
    this.#bytes += NUMBERS_OF_A_RECORD;
    return this.#records.push({ shape: this.#shapeOf(columns), places: Int32Array.from(places) }) - 1;
  }

  /** The value that a record has for a field at its top level. */
  value(record: number, name: string): unknown {
    const column = COLUMNS.get(name) ?? -1;
    const { shape = -1, places } = this.#records[record] ?? {};
    const at = this.#shapeColumns[shape]?.indexOf(column) ?? -1;
    return at < 0 ? undefined : this.#values[column]?.list[places?.[at] ?? -1];
  }

  /** These leases, each given by its records in the order in which they were written. */
  pack(leases: readonly (readonly number[])[]): PackedTable {
    const order = leases.flat();
    const shapes = new Renumbered();
    const shape = packRuns(order.map((record) => shapes.number(this.#records[record]?.shape ?? 0)));
    const used = PATHS.map(() => ({ numbers: new Renumbered(), at: [] as number[] }));
    for (const record of order) {
      const { shape: set = 0, places } = this.#records[record] ?? {};
      for (const [at, column] of (this.#shapeColumns[set] ?? []).entries()) {
        const { numbers, at: row } = used[column] ?? { numbers: new Renumbered(), at: [] };
        row.push(numbers.number(places?.[at] ?? 0));
      }
    }
    const kept = used.flatMap(({ at }, column) => (at.length > 0 ? [column] : []));
    return {
      leases: packRuns(leases.map((records) => records.length)),
      shapes: shapes.order.map((set) =>
        (this.#shapeColumns[set] ?? []).map((column) => kept.indexOf(column)),
      ),
      shape,
      columns: kept.map((column): PackedColumn => {
        const { numbers = new Renumbered(), at = [] } = used[column] ?? {};
        const values = numbers.order.map((place) => this.#values[column]?.list[place]);
        const times = packTimes(values);
        return { path: PATHS[column] ?? [], ...(times ? { times } : { values }), at: packRuns(at) };
      }),
    };
  }

  #shapeOf(columns: readonly number[]): number {
    const key = columns.join();
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    this.#shapes.set(key, this.#shapeColumns.length);
    return this.#shapeColumns.push(columns) - 1;
  }
}

/** Places of its values, most of them the same as those of the record before. */
const NUMBERS_OF_A_RECORD = 40;

/** What is not plain takes up to six times its length. */
function lengthInPage(text: string): number {
  return (/^[\x20-\x7e]*$/.test(text) ? text : toJson(text)).length + 3;
}

/** Numbers anew, in the order of first use. */
class Renumbered {
  readonly order: number[] = [];
  readonly #known = new Map<number, number>();

  number(old: number): number {
    const known = this.#known.get(old);
    if (known !== undefined) return known;
    this.#known.set(old, this.order.length);
    return this.order.push(old) - 1;
  }
}

function partsOf(name: string, value: unknown): readonly (readonly [string, unknown])[] | null {
  const allowed = TAKEN_APART.get(name);
  if (!allowed || value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const parts = Object.entries(value);
  return parts.length > 0 && parts.every(([inner]) => allowed.includes(inner)) ? parts : null;
}

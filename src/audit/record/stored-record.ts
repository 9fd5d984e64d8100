/** Records as they are read back. */
import { objectIn } from '../../base/json-object.ts';

/** A record as it stands in the file. Whoever can write the file can write anything, so every field is unknown. */
export type StoredRecord = Readonly<Record<string, unknown>>;

/** Null where the line is no JSON object with an event. */
export function parseRecord(line: Buffer): StoredRecord | null {
  const value = objectIn(line.toString());
  return typeof value?.['event'] === 'string' ? value : null;
}

/** All fields of some records; where several have one, the last one's. */
export function joinRecords(records: readonly StoredRecord[]): StoredRecord {
  const joined: StoredRecord = Object.create(null);
  for (const record of records) Object.assign(joined, record);
  return joined;
}

/** The value at a path of names, where each step is an object. */
export function valueAt(record: StoredRecord, ...path: readonly string[]): unknown {
  let value: unknown = record;
  for (const name of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
    value = (value as StoredRecord)[name];
  }
  return value;
}

/** Text at a path; undefined where there is none. */
export function textAt(record: StoredRecord, ...path: readonly string[]): string | undefined {
  const value = valueAt(record, ...path);
  return typeof value === 'string' ? value : undefined;
}

/** A number at a path; undefined where there is none. */
export function numberAt(record: StoredRecord, ...path: readonly string[]): number | undefined {
  const value = valueAt(record, ...path);
  return typeof value === 'number' ? value : undefined;
}

/** A list of texts at a path; undefined where there is none. */
export function textsAt(record: StoredRecord, ...path: readonly string[]): readonly string[] | undefined {
  const value = valueAt(record, ...path);
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

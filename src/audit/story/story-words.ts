/** The small words that the sentences of a story are made of. */
import { type StoredRecord, textAt } from '../record/stored-record.ts';

/** What a record says, one sentence each. */
export type Saying = (record: StoredRecord) => (string | undefined)[];

export function label(name: string, value: string | undefined): string | undefined {
  return value ? `${name}: ${value}` : undefined;
}

export function by(who: string | undefined): string {
  return who === undefined ? '' : ` by ${who}`;
}

export function named(id: string | undefined): string {
  return id === undefined ? '' : ` (${id})`;
}

export function grade(record: StoredRecord): string {
  const value = textAt(record, 'approval_grade');
  return value === undefined || value === 'none' ? '' : ` (${value})`;
}

/** A value in the middle of a sentence; records of other versions may lack it. */
export function told(value: string | number | undefined): string {
  return value === undefined ? 'not told' : String(value);
}

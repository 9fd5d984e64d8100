/** Rows of a summary and the texts in them; every value is escaped. */
import { escapeValue } from '../base/escape.ts';

/** A row without a text is left out. */
export type Row = readonly [label: string, text: string | null];

/** The row of one value; null for none. */
export function row(label: string, value: string | null): Row {
  return [label, value && escapeValue(value)];
}

export function words(list: readonly string[]): string {
  return list.map(escapeValue).join(', ');
}

/** `name=value` for each entry that has a value; the alternatives of a list stand between bars. */
export function pairs(record: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(record)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(
      ([name, value]) =>
        `${escapeValue(name)}=${[value]
          .flat()
          .map((each) => escapeValue(String(each)))
          .join('|')}`,
    );
}

/** What to say where no row of the log fits. */

import { FILTER_FIELDS, type TextFilter } from '../audit/leases/row-filter.ts';
import type { LogBook } from '../audit/log/book.ts';
import { parseRecord, textAt } from '../audit/record/stored-record.ts';
import { escapeText } from '../base/escape.ts';
import { plural } from '../base/plural.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { nearest } from '../policy/suggest.ts';
import { type AuditFilterOptions, filterWords } from './audit-filter.ts';

/** Lines: what was searched, and for a value that the latest records don't know, the nearest one that they do. */
export function nothingFits(
  book: LogBook,
  options: AuditFilterOptions,
  linesRead: number,
  command: string,
): string[] {
  const words = filterWords(options);
  const searched = plural(linesRead, 'record');
  if (words === '') return [`no lease and no denial is in the log: ${searched}`];
  const asked = (Object.keys(FILTER_FIELDS) as TextFilter[]).filter((name) => {
    const value = options[name];
    return value !== undefined && !value.includes('*');
  });
  const known = asked.length > 0 ? latestValues(book, asked) : new Map<TextFilter, Set<string>>();
  const hints = asked.flatMap((name) => {
    const values = known.get(name) ?? new Set();
    const value = options[name] ?? '';
    const meant = values.has(value) ? null : nearest(value, [...values]);
    return meant === null ? [] : [`capwrap: hint: ${command} --${name} ${shellQuote(meant)}`];
  });
  return [`no lease and no denial fits ${words}: ${searched} searched`, ...hints].map(escapeText);
}

/** How many records are asked for what they know. */
const LOOKED_AT = 20_000;

function latestValues(book: LogBook, names: readonly TextFilter[]): Map<TextFilter, Set<string>> {
  const known = new Map(names.map((name) => [name, new Set<string>()]));
  let left = LOOKED_AT;
  for (const { bytes } of book.linesBackwards()) {
    if (left-- === 0) break;
    const record = parseRecord(bytes);
    for (const [name, values] of record === null ? [] : known) {
      const value = textAt(record ?? {}, FILTER_FIELDS[name]);
      if (value !== undefined) values.add(value);
    }
  }
  return known;
}

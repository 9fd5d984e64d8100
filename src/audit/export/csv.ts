/** Values as CSV (RFC 4180) that a spreadsheet shows and doesn't run. */
import { stringify } from 'csv-stringify/sync';
import { escapeText, toJson } from '../../base/escape.ts';

/** Rows of values as lines. */
export function csvOf(rows: readonly (readonly unknown[])[]): string {
  return stringify(
    rows.map((row) => row.map(toCell)),
    { record_delimiter: 'windows', escape_formulas: true },
  );
}

/** Nothing for what is absent or null; lists and objects as JSON; control, bidi and other unseen characters as `\u{…}`. */
function toCell(value: unknown): string | number {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return value;
  const text = typeof value === 'object' ? toJson(value) : String(value);
  if (PLAIN.test(text)) return text;
  return harmless(typeof value === 'object' ? text : escapeText(text));
}

/** Nearly every value is, and the rest of the tests take ten times as long. */
const PLAIN = /^[0-9A-Za-z/[{"][\x20-\x3a\x3c-\x7e]*$/;

/**
 * Spreadsheets take a cell that begins like a formula for one, some of them behind blanks, and where they cut at semicolons,
 * as in half of Europe, behind one of those, too. An apostrophe before it makes it text.
 */
function harmless(text: string): string {
  return text.replace(CELL_START, (_, char: string) =>
    FORMULA_STARTS.includes(char.normalize('NFKC')) ? "'" : '',
  );
}

/** Each place where a cell may begin, and the first character behind it that is no blank. */
const CELL_START = /(?<=^|;)(?=\s*(\S))/gu;
/** With the sign that is a minus in some languages; the wide and small forms of the others are the same to NFKC. */
const FORMULA_STARTS = ['=', '+', '-', '@', '\u2212'];

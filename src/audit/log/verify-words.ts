/** What a verification found, in the sentences that the command and the report share. */
import { plural } from '../../base/plural.ts';
import type { Verification } from './verify-book.ts';

export const CURRENT_MISSING = 'the current file is missing or empty: what it held was lost or removed';

export function wholeWords(records: number): string {
  return `the chain is whole: ${plural(records, 'record')}`;
}

/** Of the archives of a log without its current file. */
export function archivesWords(records: number): string {
  return `the ${plural(records, 'record')} of the archives follow one another`;
}

export function tornWords({ line, bytes }: NonNullable<Verification['torn']>): string {
  return `line ${line} is torn: ${plural(bytes, 'byte')} without an end, as a crash leaves them`;
}

export function resumedWords(times: number): string {
  return `the current file was missing ${plural(times, 'time')}, and what it held is lost`;
}

export function retiredWords(records: number): string {
  return `${plural(records, 'record')} before the first were removed by retention`;
}

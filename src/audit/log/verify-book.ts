/** Checks the chain of a log from its first line to its last, through all its files. */
import { basename } from 'node:path';
import { CapwrapError } from '../../errors.ts';
import { parseRecord, textAt, valueAt } from '../record/stored-record.ts';
import { beginningOf, isVouchedFor } from './beginning.ts';
import type { LogBook } from './book.ts';
import { type ChainHead, followLine, GENESIS } from './chain.ts';

export interface Verification {
  /** True where every line follows from the one before it, the last one is whole, and no file is missing. */
  readonly ok: boolean;
  /** False where there is no file. */
  readonly exists: boolean;
  /** True where there are archives, and the file that is appended to is missing or empty. */
  readonly currentMissing: boolean;
  /** Records that were found good, from the first on. */
  readonly records: number;
  /** Of those, how many tell of a torn line that was set aside. */
  readonly recovered: number;
  /** Of those, how many tell that the current file was missing, and that the chain went on behind an archive. */
  readonly resumed: number;
  /** How many records retention removed before the first one, as a record of the log says. */
  readonly retired: number;
  /** Behind the last good record: what to keep elsewhere, to notice later that the log was cut or written anew. */
  readonly head: ChainHead;
  /** The first line that doesn't follow, counted from 1 in its file, and why. */
  readonly firstBad: { readonly file: string; readonly line: number; readonly why: string } | null;
  /** A last line without its end, which a crash leaves and the next append sets aside. */
  readonly torn: { readonly line: number; readonly bytes: number } | null;
}

export type OnRecord = (head: ChainHead, line: Buffer) => void;

/** Reads the log once, as it is now; `each` is told of every good record. */
export function verifyBook(book: LogBook, each: OnRecord): Verification {
  const found = fromItsBeginning(book, each);
  const { currentMissing } = book;
  return currentMissing ? { ...found, ok: false, currentMissing } : found;
}

/** No file, no record: nothing was checked. */
export const WITHOUT_FILE: Verification = { ...startOf(GENESIS), ok: false, exists: false };

function fromItsBeginning(book: LogBook, each: OnRecord): Verification {
  const { begin, ...found } = followBook(book, each);
  if (begin === null) return found;
  const vouched = isVouchedFor(book, begin);
  // Where the log is damaged, the record may stand in what can't be read.
  if (vouched || (vouched === null && found.firstBad !== null))
    return { ...found, retired: vouched ? begin.seq : 0 };
  const why = `the log begins with seq ${begin.seq + 1}, and no record says that those before it were removed`;
  const [first] = book.lines();
  const file = first?.file ?? basename(book.path);
  return { ...startOf(GENESIS), ok: false, firstBad: { file, line: 1, why } };
}

/** From line to line; `begin` is what the first one follows where it isn't record 1. */
function followBook(book: LogBook, each: OnRecord): Verification & { readonly begin: ChainHead | null } {
  let found = { ...startOf(GENESIS), begin: null as ChainHead | null };
  let place = { file: '', line: 0 };
  const bad = (why: string) => ({ ...found, ok: false, firstBad: { ...place, why } });
  try {
    for (const { bytes, ended, file } of book.lines()) {
      place = { file, line: file === place.file ? place.line + 1 : 1 };
      if (!ended) {
        const { line } = place;
        const isLast = file === basename(book.path);
        return isLast ? { ...found, ok: false, torn: { line, bytes: bytes.length } } : bad('it has no end');
      }
      if (found.records === 0) {
        const begin = beginningOf(bytes);
        found = { ...startOf(begin ?? GENESIS), begin };
      }
      const next = followLine(bytes, found.head);
      if (typeof next === 'string') return bad(next);
      each(next, bytes);
      found = { ...found, head: next, records: found.records + 1, ...told(bytes, found) };
    }
  } catch (error) {
    // An archive that can't be read is damage like any other, and the records behind it were not judged.
    if (!(error instanceof CapwrapError && error.code === 'ERR_AUDIT_UNSAFE')) throw error;
    const names = book.archives.map(({ name }) => name);
    place = { file: names[names.indexOf(place.file) + 1] ?? place.file, line: 0 };
    return bad(error.message);
  }
  return found;
}

function startOf(head: ChainHead): Verification {
  return {
    ok: true,
    exists: true,
    currentMissing: false,
    records: 0,
    recovered: 0,
    resumed: 0,
    retired: 0,
    head,
    firstBad: null,
    torn: null,
  };
}

/** A bad line as people look it up: in the current file by its number alone. */
export function placeOfBad(path: string, { file, line }: NonNullable<Verification['firstBad']>): string {
  if (line === 0) return file;
  return file === basename(path) ? `line ${line}` : `line ${line} of ${file}`;
}

/** Repairs that records of the log tell of. */
function told(line: Buffer, { recovered, resumed }: Verification): Partial<Verification> {
  if (TELLS_NONE.test(line.toString('latin1', 0, 80))) return {};
  const record = parseRecord(line) ?? {};
  if (textAt(record, 'event') === 'recovered') return { recovered: recovered + 1 };
  const isResumed = textAt(record, 'event') === 'rotated' && valueAt(record, 'rotated', 'resumed') === true;
  return isResumed ? { resumed: resumed + 1 } : {};
}

/** Told by the first bytes of a line, since parsing each takes far longer. A line that begins otherwise is looked at. */
const TELLS_NONE = /^\{"timestamp":"[^"]*","event":"(?!recovered"|rotated")[a-z_]*"/;

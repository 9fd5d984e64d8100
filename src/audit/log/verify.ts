/** Checks the chain of a log from its first line to its last. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRecord } from '../record/stored-record.ts';
import { type LogBook, withBook } from './book.ts';
import { type ChainHead, followLine, GENESIS } from './chain.ts';

export interface Verification {
  /** True where every line follows from the one before it and the last one is whole. */
  readonly ok: boolean;
  /** False where there is no file. */
  readonly exists: boolean;
  /** Records that were found good, from the first on. */
  readonly records: number;
  /** Of those, how many tell of a torn line that was set aside. */
  readonly recovered: number;
  /** Behind the last good record: what to keep elsewhere, to notice later that the log was cut or written anew. */
  readonly head: ChainHead;
  /** The first line that doesn't follow, counted from 1, and why. */
  readonly firstBad: { readonly line: number; readonly why: string } | null;
  /** A last line without its end, which a crash leaves and the next append sets aside. */
  readonly torn: { readonly line: number; readonly bytes: number } | null;
}

/**
 * Reads the whole log once, in bounded memory. The chain alone can't show that records were cut from the end, nor
 * that the whole log was written anew: for that, `head` must be held against one that was kept elsewhere.
 * `after` is where the log begins in the chain.
 */
export async function verifyLog(path: string, after: ChainHead = GENESIS): Promise<Verification> {
  // A line without an end may be one that is being written just now.
  for (let look = 1; ; look++) {
    const found = await withBook(path, (book) => verifyLines(book, after));
    if (found === null) {
      return { ok: false, exists: false, records: 0, recovered: 0, head: after, firstBad: null, torn: null };
    }
    if (found.torn === null || look === 3) return found;
    await sleep(20);
  }
}

function verifyLines(book: LogBook, after: ChainHead): Verification {
  let head = after;
  let records = 0;
  let recovered = 0;
  const result = (firstBad: Verification['firstBad'], torn: Verification['torn']): Verification => {
    return { ok: firstBad === null && torn === null, exists: true, records, recovered, head, firstBad, torn };
  };
  for (const { bytes, ended } of book.lines()) {
    if (!ended) return result(null, { line: records + 1, bytes: bytes.length });
    const next = followLine(bytes, head);
    if (typeof next === 'string') return result({ line: records + 1, why: next }, null);
    head = next;
    records++;
    if (bytes.includes(RECOVERED) && parseRecord(bytes)?.['event'] === 'recovered') recovered++;
  }
  return result(null, null);
}

const RECOVERED = '"event":"recovered"';

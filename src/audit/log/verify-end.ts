/** The end of a log's current file, checked in a time that doesn't grow with the log. */
import type { LogBytes } from './bytes.ts';
import { type ChainHead, followLine, GENESIS, readLink } from './chain.ts';
import { readLines } from './lines.ts';

export interface EndCheck {
  /** Records at the end that follow one another. */
  readonly records: number;
  /** What the first of them follows, and the head behind the last; the same where there is none. */
  readonly begin: ChainHead;
  readonly head: ChainHead;
  /** The last of them; null for none. */
  readonly last: Buffer | null;
  /** Why the line behind `head` doesn't follow; null where each one does. */
  readonly bad: string | null;
  /** True where the last line has no end. */
  readonly torn: boolean;
}

/** Of a million records these are some thousands. */
const LOOKED_AT = 4 * 1024 * 1024;

/** Follows the chain through at most the last `most` bytes of the file. */
export function verifyEnd(file: LogBytes, most = LOOKED_AT): EndCheck {
  const from = Math.max(0, file.size() - most);
  let found: EndCheck = { records: 0, begin: GENESIS, head: GENESIS, last: null, bad: null, torn: false };
  let isFirst = true;
  for (const { bytes, ended } of readLines(file, from)) {
    const isPart = isFirst && from > 0;
    isFirst = false;
    if (isPart) continue;
    if (!ended) return { ...found, torn: true };
    if (found.records === 0) {
      const link = readLink(bytes);
      const begin = link === null ? GENESIS : { seq: link.seq - 1, hash: link.prev };
      found = { ...found, begin, head: begin };
    }
    const next = followLine(bytes, found.head);
    if (typeof next === 'string') return { ...found, bad: next };
    found = { ...found, records: found.records + 1, head: next, last: bytes };
  }
  return found;
}

/** A log that begins later than with record 1, as retention leaves it. */
import { CapwrapError } from '../../errors.ts';
import { numberAt, parseRecord, textAt } from '../record/stored-record.ts';
import type { LogBook } from './book.ts';
import { type ChainHead, readLink } from './chain.ts';

/** The head before a first line that isn't record 1; null where it is, or is none. */
export function beginningOf(line: Buffer): ChainHead | null {
  const link = readLink(line);
  return link === null || link.seq === 1 ? null : { seq: link.seq - 1, hash: link.prev };
}

/** True where a record says that retention removed what was before the beginning; null where damage hides whether one does. */
export function isVouchedFor(book: LogBook, begin: ChainHead): boolean | null {
  try {
    for (const { bytes } of book.linesBackwards()) {
      if (!bytes.includes(RETIRED)) continue;
      const record = parseRecord(bytes) ?? {};
      const [last, hash] = [numberAt(record, 'retired', 'last'), textAt(record, 'retired', 'hash')];
      if (textAt(record, 'event') === 'retired' && last === begin.seq && hash === begin.hash) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof CapwrapError && error.code === 'ERR_AUDIT_UNSAFE') return null;
    throw error;
  }
}

const RETIRED = Buffer.from('"event":"retired"');

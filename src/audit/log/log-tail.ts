/** Where the next record goes: found from the end of the log, however long the log is. */
import { fstatSync, readSync } from 'node:fs';
import { shellQuote } from '../../base/shell-quote.ts';
import { CapwrapError } from '../../errors.ts';
import { type ChainHead, GENESIS, readLink } from './chain.ts';

export interface LogTail {
  /** Of the last whole record. */
  readonly head: ChainHead;
  /** Offset behind the last whole record. */
  readonly end: number;
  /** Bytes behind that offset: what a crash left of a record. */
  readonly torn: Buffer | null;
}

/** A record is shorter. */
export const LONGEST_LINE = 64 * 1024;

/**
 * Reads the last record's place in the chain. The last line alone is forgiven: without a newline, or no record, it is
 * `torn`. Throws ERR_AUDIT_UNSAFE where the line before it is no record either. Its hash is for `verify` to check.
 */
export function readLogTail(path: string, fd: number): LogTail {
  const { size } = fstatSync(fd);
  // Nearly always the first window holds the last record.
  return tailWithin(fd, size, 8 * 1024) ?? tailWithin(fd, size, 2 * LONGEST_LINE + 1) ?? damaged(path);
}

/** Null where the last whole record doesn't lie within the last `window` bytes. */
function tailWithin(fd: number, size: number, window: number): LogTail | null {
  const from = Math.max(0, size - window);
  const bytes = Buffer.alloc(size - from);
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(fd, bytes, done, bytes.length - done, from + done);
    if (read === 0) return null;
    done += read;
  }
  let end = bytes.lastIndexOf(NEWLINE) + 1;
  for (let forgiven = end < bytes.length; ; forgiven = true) {
    if (end === 0) return from === 0 ? { head: GENESIS, end: 0, torn: rest(bytes, 0) } : null;
    const start = end === 1 ? 0 : bytes.lastIndexOf(NEWLINE, end - 2) + 1;
    if (start === 0 && from > 0) return null;
    const link = readLink(bytes.subarray(start, end - 1));
    if (link) return { head: { seq: link.seq, hash: link.hash }, end: from + end, torn: rest(bytes, end) };
    if (forgiven) return null;
    end = start;
  }
}

const NEWLINE = 0x0a;

function rest(bytes: Buffer, from: number): Buffer | null {
  return from < bytes.length ? bytes.subarray(from) : null;
}

export function damaged(path: string): never {
  throw new CapwrapError('ERR_AUDIT_UNSAFE', `"${path}" is damaged before its last line`, {
    hint: `capwrap audit verify; to start a new log: mv ${shellQuote(path)} ${shellQuote(`${path}.damaged`)}`,
  });
}

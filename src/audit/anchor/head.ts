/**
 * The head of a log as one word, which can be left in any text and be found there again: a file, a line of syslog, the
 * value of an AWS session tag.
 *
 *     capwrap-head:v1:<log id>:<seq>:<hash of record seq>:<place>
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { LogBook } from '../log/book.ts';
import type { ChainHead } from '../log/chain.ts';
import { readLines } from '../log/lines.ts';
import { isLogId, logIdOfLine } from '../log/log-id.ts';

export interface LeftHead extends ChainHead {
  /** Tells one log from another. */
  readonly logId: string;
  /** Tells where the log was, so that one that took its place is noticed. */
  readonly place: string;
}

/** Where a log is: the machine's name, and the path without symbolic links. */
export interface LogSite {
  readonly host: string;
  readonly path: string;
}

/** How each of them begins. */
export const HEAD_MARK = 'capwrap-head:v1:';

export function headText({ logId, seq, hash, place }: LeftHead): string {
  return `${HEAD_MARK}${logId}:${seq}:${hash}:${place}`;
}

/** Characters of the longest one. */
export const LONGEST_HEAD = 130;

/** A head and where it ends in a text. */
export interface FoundHead {
  readonly head: LeftHead;
  readonly end: number;
}

/** All heads in a text, in order. */
export function* headsIn(text: string): Generator<FoundHead> {
  for (const match of text.matchAll(HEAD)) {
    const [whole, logId = '', seq = '', hash = '', place = ''] = match;
    yield { head: { logId, seq: Number(seq), hash, place }, end: match.index + whole.length };
  }
}

const HEAD = new RegExp(
  `${HEAD_MARK}([0-9a-f]{16}):([1-9]\\d{0,14}):([0-9a-f]{64}):([0-9a-f]{16})(?![0-9a-f])`,
  'g',
);

/** The site of the log at a path; a folder that is gone stays as it is named. */
export function siteOf(path: string): LogSite {
  return { host: hostname(), path: join(canonical(dirname(path)), basename(path)) };
}

export function placeOf({ host, path }: LogSite): string {
  return createHash('sha256').update(`${host}\0${path}`).digest('hex').slice(0, 16);
}

/** The head of an open log, in its textual form; null where the log doesn't tell its id. Never throws. */
export function headOfBook(book: LogBook, head: ChainHead): string | null {
  const logId = logIdOf(book);
  return logId === null ? null : headText({ ...head, logId, place: placeOf(siteOf(book.path)) });
}

/** What tells the log from others, as its files say; null where they don't, or can't be read. */
export function logIdOf(book: LogBook): string | null {
  // The oldest archive comes second: it may have to be inflated.
  return idIn(() => readLines(book.current)) ?? idIn(() => book.lines());
}

function idIn(lines: () => Iterable<{ readonly bytes: Buffer }>): string | null {
  const id = attempt(() => {
    const [first] = lines();
    return first === undefined ? null : logIdOfLine(first.bytes);
  });
  return isLogId(id) ? id : null;
}

function canonical(folder: string): string {
  return attempt(() => realpathSync.native(folder)) ?? folder;
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}

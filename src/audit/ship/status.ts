/** How far a collector is behind the log, told without asking it. */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isRunningHere, parseHolder } from '../../base/lock-holder.ts';
import { type LogBook, withBook } from '../log/book.ts';
import { readLink } from '../log/chain.ts';
import { textAt } from '../record/stored-record.ts';
import type { ShipCursor } from './cursor.ts';
import { replaced, unsentRecords } from './unsent.ts';

export interface ShipStatus {
  /** Number of the log's last record; 0 where there is none. */
  readonly last: number;
  /** Records that wait to be sent. */
  readonly behind: number;
  /** Timestamp of the first of them, as it stands in the log. */
  readonly waitingSince: string | null;
  /** Of these, records that are not in the log any more. */
  readonly gone: number;
}

/** Throws ERR_AUDIT_UNSAFE where the log is not the one that was sent, or doesn't go on from there. */
export async function shipStatus(log: string, cursor: ShipCursor): Promise<ShipStatus> {
  const status = await withBook(log, (book): ShipStatus => {
    const [next] = unsentRecords(book, cursor);
    const last = lastSeq(book);
    return {
      last,
      behind: next ? last - cursor.head.seq : 0,
      waitingSince: (next && textAt(next.record, 'timestamp')) ?? null,
      gone: next?.missed ?? 0,
    };
  });
  if (status === null && cursor.head.seq > 0) throw replaced(cursor.head);
  return status ?? { last: 0, behind: 0, waitingSince: null, gone: 0 };
}

function lastSeq(book: LogBook): number {
  for (const { bytes, ended } of book.linesBackwards()) {
    const link = ended ? readLink(bytes) : null;
    if (link) return link.seq;
  }
  return 0;
}

/** Held by the one process that sends. */
export function shipLockPath(stateDir: string): string {
  return join(stateDir, 'ship.lock');
}

/** The process that sends just now; null where none is known to. */
export function shipperOf(lockFile: string): number | null {
  try {
    const holder = parseHolder(readlinkSync(lockFile));
    return holder && isRunningHere(holder) ? holder.pid : null;
  } catch {
    return null;
  }
}

/** What a crash, or a lost file, left behind is brought in order before the next record, and a record says so. */
import { ftruncateSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { asWriteFault } from '../../base/write-fault.ts';
import { systemErrorCode } from '../../errors.ts';
import { logIdOf } from '../anchor/head.ts';
import { listArchives, withArchive } from './archives.ts';
import { bookOf } from './book.ts';
import { bytesOfFile } from './bytes.ts';
import { type ChainHead, readLink } from './chain.ts';
import { readLinesBackwards } from './lines.ts';
import { type LogFile, syncLog } from './log-file.ts';
import { damaged, readLogTail } from './log-tail.ts';
import { pendingFragments, setAside, settleFragment } from './torn.ts';
import { writeRecord } from './write-record.ts';

/**
 * The head behind which to append. `known` is the one that this process left, or null: with it, later appends of a run are
 * spared the look for an interrupted repair, and notice that records were taken away meanwhile.
 */
export function repair(
  log: LogFile,
  { stateDir, uid }: { readonly stateDir: string; readonly uid: number },
  known: ChainHead | null,
): ChainHead {
  const tail = readLogTail(log.path, log.fd);
  const isShort = tail.head.seq < (known?.seq ?? 1);
  if (tail.torn === null && known !== null && !isShort) return tail.head;
  try {
    if (tail.torn !== null) {
      setAside(stateDir, uid, tail.torn);
      ftruncateSync(log.fd, tail.end);
    }
    let head = isShort ? resume(log, tail.head, known) : tail.head;
    for (const fragment of pendingFragments(stateDir, uid)) {
      head = writeRecord(log, { event: 'recovered', recovered: fragment }, head);
      syncLog(log);
      settleFragment(stateDir, fragment);
    }
    return head;
  } catch (error) {
    throw asLogFault(log.path, error);
  }
}

/**
 * A log without its current file goes on behind its newest archive, and a log that lost what this process wrote, behind that:
 * then the chain has a gap, as the log has. What was lost is lost, and the record says that it was missing.
 */
function resume(log: LogFile, found: ChainHead, known: ChainHead | null): ChainHead {
  const folder = dirname(log.path);
  const newest = listArchives(folder).at(-1);
  if (known !== null && known.seq > Math.max(found.seq, newest?.last ?? 0)) {
    const lost = { file: basename(log.path), first: found.seq + 1, last: known.seq, resumed: true };
    return writeRecord(log, { event: 'rotated', rotated: lost }, known);
  }
  if (newest === undefined || found.seq > 0) return found;
  const [line] = withArchive(folder, newest, readLinesBackwards);
  const link = line?.ended ? readLink(line.bytes) : null;
  if (link === null) return damaged(join(folder, newest.name));
  const { name, first, last } = newest;
  const logId = logIdOf(bookOf(log.path, bytesOfFile(log.fd)));
  const rotated = { file: name, first, last, ...(logId === null ? {} : { log_id: logId }), resumed: true };
  return writeRecord(log, { event: 'rotated', rotated }, { seq: link.seq, hash: link.hash });
}

/** A file beside the log may meet the same full or read-only disk as the log. */
export function asLogFault(path: string, error: unknown): Error {
  const cause = error instanceof Error ? error.cause : undefined;
  return systemErrorCode(cause) === undefined ? asWriteFault(path, error) : asWriteFault(path, cause);
}

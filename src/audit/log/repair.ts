/** What a crash, or a lost file, left behind is brought in order before the next record, and a record says so. */
import { ftruncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** The head behind which to append. `looked` spares a run's later appends the look for an interrupted repair. */
export function repair(
  log: LogFile,
  { stateDir, uid }: { readonly stateDir: string; readonly uid: number },
  looked: boolean,
): ChainHead {
  const tail = readLogTail(log.path, log.fd);
  if (tail.torn === null && looked && tail.head.seq > 0) return tail.head;
  try {
    if (tail.torn !== null) {
      setAside(stateDir, uid, tail.torn);
      ftruncateSync(log.fd, tail.end);
    }
    let head = tail.head.seq === 0 ? resume(log, tail.head) : tail.head;
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

/** A log without its current file goes on behind its newest archive; what that file held is lost, and the record says that it was missing. */
function resume(log: LogFile, genesis: ChainHead): ChainHead {
  const folder = dirname(log.path);
  const newest = listArchives(folder).at(-1);
  if (newest === undefined) return genesis;
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

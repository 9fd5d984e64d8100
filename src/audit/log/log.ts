/** The audit log: `<state>/audit.jsonl`, one JSON object a line, each tied to the one before it. */
import { closeSync, ftruncateSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../base/lock.ts';
import { VERSION } from '../../base/version.ts';
import { asWriteFault } from '../../base/write-fault.ts';
import { systemErrorCode } from '../../errors.ts';
import { buildRecord } from '../record/build-record.ts';
import type { AuditFields, AuditLog } from '../record/record.ts';
import { bookOf } from './book.ts';
import { bytesOfFile } from './bytes.ts';
import { type ChainHead, sealRecord } from './chain.ts';
import { appendLine, type LogFile, openLogFile, syncLog } from './log-file.ts';
import { readLogTail } from './log-tail.ts';
import { pendingFragments, setAside, settleFragment } from './torn.ts';

/** Where the log of a state directory is. */
export function auditLogPath(stateDir: string): string {
  return join(stateDir, 'audit.jsonl');
}

/**
 * The log in a state directory that exists and is private; touches nothing yet.
 *
 * `append` settles once the record is written, whole and in the chain; with `durable`, once it and everything before
 * it would survive a crash of the machine. It throws ERR_AUDIT_WRITE, ERR_AUDIT_UNSAFE or ERR_AUDIT_LOCKED, and then
 * the log is as it was. What a crash left of a last line is set aside first. With `unless` the record is written only
 * where that finds nothing against it, and no other record comes in between.
 */
export function openAuditLog(place: { readonly stateDir: string; readonly uid: number }): AuditLog {
  const path = auditLogPath(place.stateDir);
  let looked = false;
  let repairedMode: string | null = null; // until a record has said so
  return {
    path,
    append: (fields, { durable = false, unless } = {}) =>
      withLock(`${path}.lock`, () => {
        const log = openLogFile(path, place.uid);
        try {
          repairedMode = log.repairedMode ?? repairedMode;
          const head = repair(log, place, looked);
          looked = true;
          const refusal = unless?.(bookOf(path, bytesOfFile(log.fd))) ?? null;
          if (refusal === null) {
            write(log, fields, head, repairedMode);
            repairedMode = null;
          }
          if (durable || log.created) syncLog(log);
          return refusal;
        } finally {
          closeSync(log.fd);
        }
      }),
  };
}

/** The head behind which to append. `looked` spares a run's later appends the look for an interrupted repair. */
function repair(
  log: LogFile,
  place: { readonly stateDir: string; readonly uid: number },
  looked: boolean,
): ChainHead {
  const { stateDir, uid } = place;
  const tail = readLogTail(log.path, log.fd);
  if (tail.torn === null && looked) return tail.head;
  try {
    if (tail.torn !== null) {
      setAside(stateDir, uid, tail.torn);
      ftruncateSync(log.fd, tail.end);
    }
    let { head } = tail;
    for (const fragment of pendingFragments(stateDir, uid)) {
      head = write(log, { event: 'recovered', recovered: fragment }, head, null);
      syncLog(log);
      settleFragment(stateDir, fragment);
    }
    return head;
  } catch (error) {
    throw asRepairFault(log.path, error);
  }
}

function write(log: LogFile, fields: AuditFields, after: ChainHead, repairedMode: string | null): ChainHead {
  const stamp = {
    timestamp: new Date().toISOString(),
    host: hostname(),
    pid: process.pid,
    version: VERSION,
    repairedMode,
  };
  const { line, head } = sealRecord(buildRecord(fields, stamp), after);
  appendLine(log, line);
  return head;
}

/** The torn line's file may meet the same full or read-only disk as the log. */
function asRepairFault(path: string, error: unknown): Error {
  const cause = error instanceof Error ? error.cause : undefined;
  return systemErrorCode(cause) === undefined ? asWriteFault(path, error) : asWriteFault(path, cause);
}

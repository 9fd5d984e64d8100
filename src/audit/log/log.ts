/** The audit log: `<state>/audit.jsonl`, one JSON object a line, each tied to the one before it, and its archives. */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../base/lock.ts';
import type { AuditLog } from '../record/record.ts';
import { bookOf } from './book.ts';
import { bytesOfFile } from './bytes.ts';
import { openLogFile, syncLog } from './log-file.ts';
import { repair } from './repair.ts';
import { finishRotation, NEVER, type RotateRules, rotateIfDue } from './rotate.ts';
import { writeRecord } from './write-record.ts';

/** Where the log of a state directory is. */
export function auditLogPath(stateDir: string): string {
  return join(stateDir, 'audit.jsonl');
}

/** A state directory that exists and is private, and how its log is kept. */
export interface LogPlace {
  readonly stateDir: string;
  readonly uid: number;
  /** When the file becomes an archive; never where it isn't given. */
  readonly rotate?: RotateRules;
  /** The mode that the directory had, where it has just been tightened: the next record says so. */
  readonly repairedDirMode?: string | null;
}

/**
 * The log in a state directory; touches nothing yet.
 *
 * `append` settles once the record is written, whole and in the chain; with `durable`, once it and everything before
 * it would survive a crash of the machine. It throws ERR_AUDIT_WRITE, ERR_AUDIT_UNSAFE or ERR_AUDIT_LOCKED, and then
 * the log is as it was. What a crash left of a last line is set aside first. With `unless` the record is written only
 * where that finds nothing against it, and no other record comes in between. The file is rotated before the first record
 * alone: the end of a run never has to wait for that, nor fail with it.
 */
export function openAuditLog(place: LogPlace): AuditLog {
  const path = auditLogPath(place.stateDir);
  let looked = false;
  // Both until a record has said so.
  let repairedMode: string | null = null;
  let repairedDirMode = place.repairedDirMode ?? null;
  return {
    path,
    append: (fields, { durable = false, unless } = {}) =>
      withLock(`${path}.lock`, () => {
        finishRotation(path);
        let log = openLogFile(path, place.uid);
        try {
          repairedMode = log.repairedMode ?? repairedMode;
          let head = repair(log, place, looked);
          const rotated = looked ? null : rotateIfDue(log, head, place.uid, place.rotate ?? NEVER);
          looked = true;
          if (rotated !== null) {
            closeSync(log.fd);
            ({ log, head } = rotated);
          }
          const refusal = unless?.(bookOf(path, bytesOfFile(log.fd))) ?? null;
          if (refusal === null) {
            writeRecord(log, fields, head, { repairedMode, repairedDirMode });
            repairedMode = null;
            repairedDirMode = null;
          }
          if (durable || log.created) syncLog(log);
          return refusal;
        } finally {
          closeSync(log.fd);
        }
      }),
  };
}

/** The audit log: `<state>/audit.jsonl`, one JSON object a line, each tied to the one before it, and its archives. */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../base/lock.ts';
import { headOfBook } from '../anchor/head.ts';
import type { Asides } from '../record/build-record.ts';
import type { AppendOptions, AuditFields, AuditLog } from '../record/record.ts';
import type { Witnesses } from '../witness/offer.ts';
import { bookOf } from './book.ts';
import { bytesOfFile } from './bytes.ts';
import type { ChainHead } from './chain.ts';
import { openLogFile, syncLog } from './log-file.ts';
import { repair } from './repair.ts';
import { finishRotation, NEVER, type RotateRules, rotateIfDue } from './rotate.ts';
import { NO_ASIDES, writeRecord } from './write-record.ts';

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
  /** Who gets the head of each durable record, and where a failure is said at once. */
  readonly witnesses?: Witnesses | undefined;
}

/**
 * The log in a state directory; touches nothing yet.
 *
 * `append` settles once the record is written, whole and in the chain; with `durable`, once it and everything before
 * it would survive a crash of the machine. It throws ERR_AUDIT_WRITE, ERR_AUDIT_UNSAFE or ERR_AUDIT_LOCKED, and then
 * the log is as it was. What a crash left of a last line is set aside first. With `unless` the record is written only
 * where that finds nothing against it, and no other record comes in between. The file is rotated before the first record
 * alone: the end of a run never has to wait for that, nor fail with it. A witness that doesn't take a head never makes it
 * throw: that is warned of, and said in the records that follow.
 */
export function openAuditLog(place: LogPlace): AuditLog {
  const path = auditLogPath(place.stateDir);
  /** Behind the last record that was written from here; null until there is one. */
  let known: ChainHead | null = null;
  // What is repaired is said once; that a witness didn't take a head, until it takes one.
  let asides: Asides = { ...NO_ASIDES, repairedDirMode: place.repairedDirMode ?? null };

  const appendNow = <Refusal>(
    fields: AuditFields,
    { durable = false, unless }: AppendOptions<Refusal>,
    wantsHead: boolean,
  ): { readonly refusal: Refusal | null; readonly head: string | null } => {
    finishRotation(path);
    let log = openLogFile(path, place.uid);
    try {
      asides = { ...asides, repairedMode: log.repairedMode ?? asides.repairedMode };
      const before = known;
      let head = repair(log, place, before);
      const rotated = before !== null ? null : rotateIfDue(log, head, place.uid, place.rotate ?? NEVER);
      known = head;
      if (rotated !== null) {
        closeSync(log.fd);
        ({ log, head } = rotated);
        known = head;
      }
      const book = () => bookOf(path, bytesOfFile(log.fd));
      const refusal = unless?.(book()) ?? null;
      if (refusal === null) {
        head = writeRecord(log, fields, head, asides);
        known = head;
        asides = { ...NO_ASIDES, witnessError: asides.witnessError };
      }
      if (durable || log.created) syncLog(log);
      return { refusal, head: refusal === null && wantsHead ? headOfBook(book(), head) : null };
    } finally {
      closeSync(log.fd);
    }
  };

  return {
    path,
    async append(fields, options = {}) {
      const witnesses = options.durable ? place.witnesses : undefined;
      const wantsHead = options.wantsHead === true || witnesses !== undefined;
      const { refusal, head } = await withLock(`${path}.lock`, () => appendNow(fields, options, wantsHead));
      if (refusal !== null || witnesses === undefined) return { refusal, head, unwitnessed: null };
      const { offerHead } = await import('../witness/offer.ts');
      const { fault, unwitnessed } = await offerHead(witnesses, head, path);
      asides = { ...asides, witnessError: fault };
      return { refusal, head, unwitnessed };
    },
  };
}

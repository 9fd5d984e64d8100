/**
 * Rotation: the current file becomes an archive, and a new one takes its place whose first record names it and follows it
 * in the chain. The new file is complete and durable before the two names change, so a crash at any point leaves one of
 * three: nothing done, the new file waiting under `<log>.next`, or all done.
 */
import { fdatasyncSync, fstatSync, lstatSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncDir, writePrivateFile } from '../../base/private-files.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import { CapwrapError, systemErrorCode } from '../../errors.ts';
import { parseRecord, textAt } from '../record/stored-record.ts';
import { archiveName } from './archives.ts';
import { bytesOfFile } from './bytes.ts';
import { type ChainHead, readLink } from './chain.ts';
import { readLines } from './lines.ts';
import { type LogFile, openLogFile } from './log-file.ts';
import { logIdOfLine } from './log-id.ts';
import { asLogFault } from './repair.ts';
import { nextPath } from './rotation-names.ts';
import { sealNow } from './write-record.ts';

/** Null stands for never. */
export interface RotateRules {
  readonly maxBytes: number | null;
  /** Seconds since the file's first record. */
  readonly maxAge: number | null;
}

export const NEVER: RotateRules = { maxBytes: null, maxAge: null };

/** As soon as there is anything to archive. */
export const NOW: RotateRules = { maxBytes: 0, maxAge: null };

/** The log that took the place of this one, open, and the head behind its first record. */
export interface Rotated {
  readonly log: LogFile;
  readonly head: ChainHead;
  readonly archive: string;
}

/** Null where it isn't due, or where the file has no more than the record of the last rotation. Under the log's lock. */
export function rotateIfDue(
  log: LogFile,
  head: ChainHead,
  uid: number,
  { maxBytes, maxAge }: RotateRules,
): Rotated | null {
  const { size } = fstatSync(log.fd);
  const large = maxBytes !== null && size >= maxBytes;
  if (size === 0 || (!large && maxAge === null)) return null;
  const [first] = readLines(bytesOfFile(log.fd));
  const link = first === undefined ? null : readLink(first.bytes);
  // A file whose first line is no record stays where it is: `verify` names that line.
  if (first === undefined || link === null || link.seq === head.seq) return null;
  const age = (Date.now() - Date.parse(textAt(parseRecord(first.bytes) ?? {}, 'timestamp') ?? '')) / 1000;
  if (!large && !(maxAge !== null && age >= maxAge)) return null;
  try {
    return rotate(log, head, uid, { first: link.seq, logId: logIdOfLine(first.bytes), bytes: size });
  } catch (error) {
    throw asLogFault(log.path, error);
  }
}

function rotate(
  log: LogFile,
  head: ChainHead,
  uid: number,
  file: { readonly first: number; readonly logId: string | null; readonly bytes: number },
): Rotated {
  const archive = archiveName(file.first, head.seq);
  const folder = dirname(log.path);
  assertFree(join(folder, archive));
  const named = { file: archive, first: file.first, last: head.seq, bytes: file.bytes };
  const rotated = { ...named, ...(file.logId === null ? {} : { log_id: file.logId }) };
  const opening = sealNow({ event: 'rotated', rotated }, head);
  // The new file is durable, and so must be what its first record follows: not every append before was.
  fdatasyncSync(log.fd);
  writePrivateFile(nextPath(log.path), `${opening.line}\n`);
  renameSync(log.path, join(folder, archive));
  finishRotation(log.path);
  return { log: openLogFile(log.path, uid), head: opening.head, archive };
}

/** Where a crash came between the two renames: the new file gets its name. Under the log's lock. */
export function finishRotation(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  try {
    renameSync(nextPath(path), path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw asLogFault(path, error);
  }
  syncDir(dirname(path));
}

/** A rename would replace what has the archive's name. */
function assertFree(path: string): void {
  for (const taken of [path, `${path}.gz`]) {
    if (lstatSync(taken, { throwIfNoEntry: false }) === undefined) continue;
    throw new CapwrapError('ERR_AUDIT_UNSAFE', `"${taken}" is in the way of the log's rotation`, {
      hint: `look at what it is, then: mv ${shellQuote(taken)} ${shellQuote(`${taken}.aside`)}`,
    });
  }
}

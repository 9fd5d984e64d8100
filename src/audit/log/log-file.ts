/** The log file itself: opened, judged by its descriptor, written to. Node's fs is used synchronously: a run waits for it anyway. */
import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { octal, syncDir } from '../../base/private-files.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import { asWriteFault } from '../../base/write-fault.ts';
import { CapwrapError, systemErrorCode } from '../../errors.ts';

export interface LogFile {
  readonly path: string;
  readonly fd: number;
  /** True where this call created it. */
  readonly created: boolean;
  /** The mode it had, in octal, where others could read or write it; it has been set to 0600. Else null. */
  readonly repairedMode: string | null;
}

/**
 * Opens the log for appending, and creates it with mode 0600 where it is missing. Throws ERR_AUDIT_UNSAFE for
 * anything but a regular file of this user with one name, ERR_AUDIT_WRITE where it can't be opened. Never blocks.
 */
export function openLogFile(path: string, uid: number): LogFile {
  const { fd, created } = openOrCreate(path);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw unsafe(path, 'is not a regular file');
    if (stat.uid !== uid) throw unsafe(path, `belongs to user ${stat.uid}`);
    if (stat.nlink !== 1) throw unsafe(path, `has ${stat.nlink} names (hard links)`);
    const loose = (stat.mode & 0o077) !== 0;
    if (loose || created) fchmodSync(fd, 0o600);
    return { path, fd, created, repairedMode: loose ? octal(stat.mode) : null };
  } catch (error) {
    closeSync(fd);
    throw asWriteFault(path, error);
  }
}

/** Appends a line with one write. Where the disk takes only a part of it, the file gets its old length back. */
export function appendLine(log: LogFile, line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  const size = fstatSync(log.fd).size;
  try {
    // A short write is followed by one that tells its cause.
    for (let done = 0; done < bytes.length; ) done += writeSync(log.fd, bytes, done);
  } catch (error) {
    takeBack(log.fd, size);
    throw asWriteFault(log.path, error);
  }
}

/** Returns once everything written, and the name of a new file, survives a crash of the machine. */
export function syncLog(log: LogFile): void {
  try {
    fdatasyncSync(log.fd);
    if (log.created) syncDir(dirname(log.path));
  } catch (error) {
    throw asWriteFault(log.path, error);
  }
}

/** ERR_AUDIT_UNSAFE: nothing is appended to such a file. */
function unsafe(path: string, why: string): CapwrapError {
  return new CapwrapError('ERR_AUDIT_UNSAFE', `"${path}" ${why}: it can't be the audit log`, {
    hint: `ls -l ${shellQuote(path)}; to start a new log: mv ${shellQuote(path)} ${shellQuote(`${path}.refused`)}`,
  });
}

function openOrCreate(path: string): { readonly fd: number; readonly created: boolean } {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    return { fd: openSync(path, flags), created: false };
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw openFault(path, error);
  }
  try {
    return { fd: openSync(path, flags | constants.O_CREAT | constants.O_EXCL, 0o600), created: true };
  } catch (error) {
    throw openFault(path, error);
  }
}

function openFault(path: string, error: unknown): CapwrapError {
  const code = systemErrorCode(error);
  if (code === 'ELOOP') return unsafe(path, 'is a symbolic link');
  if (code === 'EISDIR' || code === 'ENXIO') return unsafe(path, 'is not a regular file'); // ENXIO: a socket
  return asWriteFault(path, error);
}

function takeBack(fd: number, size: number): void {
  try {
    ftruncateSync(fd, size);
  } catch {
    // the next append finds a torn line and sets it aside
  }
}

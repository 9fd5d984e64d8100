/**
 * Files that only the running user may read: state, keys, the audit log. Every check is made on the descriptor
 * that is then used, so a swap between check and use changes nothing.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { CapwrapError, systemErrorCode } from '../errors.ts';

/**
 * Creates `dir` with mode 0700 where it is missing; refuses a symbolic link or a foreign owner. A loose mode is tightened;
 * then the mode that it had comes back, in octal, else null.
 */
export function ensurePrivateDir(dir: string, uid: number): string | null {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const stat = lstatSync(dir);
    if (stat.isSymbolicLink()) throw unsafe(dir, 'is a symbolic link');
    if (!stat.isDirectory()) throw unsafe(dir, 'is not a directory');
    if (stat.uid !== uid) throw unsafe(dir, `belongs to user ${stat.uid}`);
    if ((stat.mode & 0o077) === 0) return null;
    chmodSync(dir, 0o700);
    return octal(stat.mode);
  } catch (error) {
    throw asStateError(error, dir);
  }
}

/**
 * Reads a private file whole, or returns null where it does not exist. Throws ERR_STATE_UNSAFE for anything that
 * is not a regular file of this user with mode 0600 and a single name.
 */
export function readPrivateFile(path: string, uid: number, maxBytes = 16 * 1024 * 1024): Buffer | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw asStateError(error, path);
  }
  try {
    const stat = fstatSync(fd);
    assertPrivate(path, stat, uid);
    if (stat.size > maxBytes) throw unsafe(path, `is larger than ${maxBytes} bytes`);
    return readAll(fd, stat.size);
  } finally {
    closeSync(fd);
  }
}

/** Replaces a private file in one step: either the old bytes or the new ones are there, never a part. */
export function writePrivateFile(path: string, data: string | Uint8Array, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.${Date.now().toString(36)}.tmp`;
  try {
    const fd = openSync(temporary, 'wx', mode);
    try {
      fchmodSync(fd, mode);
      writeAll(fd, Buffer.from(data));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    syncDir(dirname(path));
  } catch (error) {
    try {
      unlinkSync(temporary);
    } catch {
      // never created, or already renamed
    }
    throw asStateError(error, path);
  }
}

/** Reads up to `size` bytes of an open file from its start. */
export function readAll(fd: number, size: number): Buffer {
  const buffer = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const read = readSync(fd, buffer, length, size - length, length);
    if (read === 0) break;
    length += read;
  }
  return buffer.subarray(0, length);
}

/** Writes all bytes, however many calls it takes. */
export function writeAll(fd: number, data: Uint8Array): void {
  let offset = 0;
  while (offset < data.length) offset += writeSync(fd, data, offset, data.length - offset);
}

/** Makes a rename or a new name in `dir` survive a crash. */
export function syncDir(dir: string): void {
  const fd = openSync(dir, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A file's permission bits as people write them: `0644`. */
export function octal(mode: number): string {
  return `0${(mode & 0o7777).toString(8)}`;
}

/** Throws ERR_STATE_UNSAFE unless the file is a regular one of this user, mode 0600, with a single name. */
export function assertPrivate(path: string, stat: Stats, uid: number): void {
  if (!stat.isFile()) throw unsafe(path, 'is not a regular file');
  if (stat.uid !== uid) throw unsafe(path, `belongs to user ${stat.uid}`);
  if (stat.nlink > 1) throw unsafe(path, 'has a second name (hard link)');
  if ((stat.mode & 0o077) !== 0) throw unsafe(path, 'can be read or written by others', `chmod 600 ${path}`);
}

function unsafe(path: string, why: string, hint?: string): CapwrapError {
  return new CapwrapError('ERR_STATE_UNSAFE', `"${path}" ${why}`, { hint });
}

function asStateError(error: unknown, path: string): CapwrapError {
  if (error instanceof CapwrapError) return error;
  const code = systemErrorCode(error) ?? 'unknown error';
  const why = code === 'ELOOP' ? 'is a symbolic link' : `can't be used (${code})`;
  return new CapwrapError('ERR_STATE_UNSAFE', `"${path}" ${why}`, { cause: error });
}

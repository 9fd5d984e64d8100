/** Reading git's own files: bounded, never blocking, and with a reason where one can't be used. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { readAll } from '../../base/private-files.ts';
import { systemErrorCode } from '../../errors.ts';

/** Why git's files could not be read; becomes the `from` of an unknown fact and never leaves this room. */
export class GitFault extends Error {}

/** Bytes that each kind of file may have. */
export const LIMITS = {
  pointer: 8 * 1024,
  config: 1024 * 1024,
  packedRefs: 64 * 1024 * 1024,
  index: 256 * 1024 * 1024,
  /** A pack is read whole. */
  pack: 1024 * 1024 * 1024,
} as const;

/**
 * The file's bytes, or null where there is no file by that name. `shown` names it in a reason. A FIFO or device
 * can't block or flood: the descriptor is opened without waiting and judged before anything is read.
 */
export function readGitFile(path: string, maxBytes: number, shown: string): Buffer | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new GitFault(`${shown} can't be read (${code ?? 'unknown error'})`);
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return null;
    if (!stat.isFile()) throw new GitFault(`${shown} is not a regular file`);
    if (stat.size > maxBytes) throw new GitFault(`${shown} is larger than ${maxBytes} bytes`);
    return readAll(fd, stat.size);
  } finally {
    closeSync(fd);
  }
}

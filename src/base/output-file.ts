/** A file that a command was asked to write: for its user alone, since it may tell as much as what it was made from. */
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { writeAll } from './private-files.ts';
import { shellQuote } from './shell-quote.ts';

/**
 * Writes the pieces one after another into a file with mode 0600, which takes the place of `path` once it is whole and on
 * disk. Throws ERR_OUTPUT_WRITE, and leaves what was there, where that is anything but a regular file or can't be written.
 */
export function writeOutputFile(path: string, pieces: Iterable<string>): void {
  const temporary = `${path}.${process.pid}.${Date.now().toString(36)}.tmp`;
  let fd: number | null = null;
  try {
    assertReplaceable(path);
    fd = openSync(temporary, 'wx', 0o600);
    for (const piece of pieces) writeAll(fd, Buffer.from(piece));
    fsyncSync(fd);
    renameSync(temporary, path);
  } catch (error) {
    if (fd !== null) unlinkSync(temporary);
    throw asOutputFault(path, error);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function assertReplaceable(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isFile()) return;
  throw new CapwrapError('ERR_OUTPUT_WRITE', `"${path}" is not a regular file`, {
    hint: `ls -ld ${shellQuote(path)}`,
  });
}

function asOutputFault(path: string, error: unknown): Error {
  const code = systemErrorCode(error);
  if (error instanceof CapwrapError || code === undefined) return error as Error;
  return new CapwrapError('ERR_OUTPUT_WRITE', `"${path}" can't be written (${code})`, {
    hint: `ls -ld ${shellQuote(dirname(path))}`,
    cause: error,
  });
}

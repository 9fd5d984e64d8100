/** A file that a command was asked to write, for its user alone: it may tell as much as the state that it was made from. */
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { writeAll } from './private-files.ts';
import { shellQuote } from './shell-quote.ts';

/**
 * Writes the pieces one after another into a file with mode 0600, which takes the place of `path` once it is whole and on
 * disk. Throws ERR_OUTPUT_WRITE, and leaves what was there, where that is anything but a regular file (a symbolic link is
 * not followed, a device not replaced) or can't be written.
 */
export function writeOutputFile(path: string, pieces: Iterable<string>): void {
  const temporary = `${path}.${process.pid}.${Date.now().toString(36)}.tmp`;
  let created = false;
  try {
    assertReplaceable(path);
    const fd = openSync(temporary, 'wx', 0o600);
    created = true;
    try {
      for (const piece of pieces) writeAll(fd, Buffer.from(piece));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    if (created) unlinkIfThere(temporary);
    throw asOutputFault(path, error);
  }
}

/** Throws ERR_OUTPUT_WRITE where `path` is there and no regular file: to be asked before hard work, too. */
export function assertReplaceable(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isFile()) return;
  const what = stat.isSymbolicLink()
    ? 'a symbolic link'
    : stat.isDirectory()
      ? 'a directory'
      : 'no regular file';
  throw new CapwrapError('ERR_OUTPUT_WRITE', `"${path}" is ${what}`, {
    hint: 'write to another file, or to standard output: -o -',
  });
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // renamed already
  }
}

function asOutputFault(path: string, error: unknown): CapwrapError {
  if (error instanceof CapwrapError) return error;
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return new CapwrapError('ERR_OUTPUT_WRITE', `"${path}" can't be written (${code})`, {
    hint: `ls -ld ${shellQuote(dirname(path))}`,
    cause: error,
  });
}

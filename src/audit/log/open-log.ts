/** Opening a file of the log for reading. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { shellQuote } from '../../base/shell-quote.ts';
import { CapwrapError, systemErrorCode } from '../../errors.ts';

/** Null where there is no such file. Throws ERR_AUDIT_UNSAFE for anything but a regular file; never blocks. */
export function openForReading(path: string): number | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    if (code === 'ENOENT') return null;
    if (code === 'ELOOP' || code === 'ENXIO') throw notRegular(path);
    throw new CapwrapError('ERR_AUDIT_UNSAFE', `"${path}" can't be read (${code})`, {
      hint: `ls -l ${shellQuote(path)}`,
      cause: error,
    });
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw notRegular(path);
}

function notRegular(path: string): CapwrapError {
  return new CapwrapError('ERR_AUDIT_UNSAFE', `"${path}" is not a regular file`, {
    hint: `ls -l ${shellQuote(path)}`,
  });
}

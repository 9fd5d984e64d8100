/** Adding a line to a file that may belong to somebody else, such as an append-only one of root's on another disk. */
import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

export interface AppendTerms {
  /** True where the file is created when it is missing (mode 0644, less the umask). */
  readonly create: boolean;
  /** A file that it must not be, under whatever name. */
  readonly not: string;
}

/**
 * Adds the line, newline included, with one write at the end of the file. Null once it is handed to the system, else why
 * not, as a sentence fragment. Follows no symbolic link in the last part of the path, never waits for a FIFO, truncates
 * nothing: it works on a file with `chattr +a`. Doesn't wait for the disk.
 */
export function appendForeign(path: string, line: string, { create, not }: AppendTerms): string | null {
  let fd: number;
  try {
    fd = openSync(path, FLAGS | (create ? constants.O_CREAT : 0), 0o644);
  } catch (error) {
    return openFault(systemErrorCode(error));
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return NOT_A_FILE;
    if (stat.nlink !== 1) return `has ${stat.nlink} names (hard links)`;
    const other = statSync(not, { throwIfNoEntry: false });
    if (other?.ino === stat.ino && other.dev === stat.dev) return 'is the audit log itself';
    const bytes = Buffer.from(`${line}\n`);
    // A short write is followed by one that tells its cause.
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    return null;
  } catch (error) {
    return `can't be written (${systemErrorCode(error) ?? 'unknown error'})`;
  } finally {
    closeSync(fd);
  }
}

const FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

const NOT_A_FILE = 'is not a regular file';

function openFault(code: string | undefined): string {
  switch (code) {
    case 'ENOENT':
      return 'is missing';
    case 'ELOOP':
      return 'is a symbolic link';
    case 'ENXIO': // a socket, or a FIFO that nobody reads
    case 'EISDIR':
      return NOT_A_FILE;
    default:
      return `can't be opened (${code ?? 'unknown error'})`;
  }
}

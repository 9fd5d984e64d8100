/** Adding a line to a file that may belong to somebody else, such as an append-only one of root's on another disk. */
import { closeSync, constants, fstatSync, openSync, type Stats, statSync, writeSync } from 'node:fs';
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
export function appendForeign(path: string, line: string, terms: AppendTerms): string | null {
  const file = openForeign(path, terms);
  if (typeof file === 'string') return file;
  try {
    const bytes = Buffer.from(`${line}\n`);
    // A short write is followed by one that tells its cause.
    for (let done = 0; done < bytes.length; ) done += writeSync(file.fd, bytes, done);
    return null;
  } catch (error) {
    return notWritten(error);
  } finally {
    closeSync(file.fd);
  }
}

/** What the file is, or why no line could be added, as `appendForeign` says it. Opens it as that does, and writes nothing. */
export function lookAtForeign(path: string, terms: AppendTerms): Stats | string {
  const file = openForeign(path, terms);
  if (typeof file === 'string') return file;
  closeSync(file.fd);
  return file.stat;
}

function openForeign(
  path: string,
  { create, not }: AppendTerms,
): { readonly fd: number; readonly stat: Stats } | string {
  let fd: number;
  try {
    fd = openSync(path, FLAGS | (create ? constants.O_CREAT : 0), 0o644);
  } catch (error) {
    return openFault(systemErrorCode(error));
  }
  let fault: string;
  try {
    const stat = fstatSync(fd);
    const other = statSync(not, { throwIfNoEntry: false });
    if (!stat.isFile()) fault = NOT_A_FILE;
    else if (stat.nlink !== 1) fault = `has ${stat.nlink} names (hard links)`;
    else if (other?.ino === stat.ino && other.dev === stat.dev) fault = 'is the audit log itself';
    else return { fd, stat };
  } catch (error) {
    fault = notWritten(error);
  }
  closeSync(fd);
  return fault;
}

function notWritten(error: unknown): string {
  return `can't be written (${systemErrorCode(error) ?? 'unknown error'})`;
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

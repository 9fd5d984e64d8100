/**
 * Files that steer what is granted: read only after their owner, their mode and their place were judged. The file is
 * opened first and the descriptor is judged, as sudo does, and every parent of the canonical path, as OpenSSH's
 * StrictModes does; the bytes come from that same descriptor, so a swap in between changes nothing.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { CapwrapError, type ErrorCode, systemErrorCode } from '../errors.ts';
import type { Ambient } from './ambient.ts';
import { readAll } from './private-files.ts';
import { shellQuote } from './shell-quote.ts';

/** What a file and the folders above it must be like. */
export interface FileTerms {
  /** Users that the file and each folder may belong to. */
  readonly owners: readonly number[];
  /** The one group that may have write permission, or null for none. */
  readonly ownGroup: number | null;
  readonly maxBytes: number;
  /** Codes for: no such file, not readable, not safe. */
  readonly codes: { readonly missing: ErrorCode; readonly unreadable: ErrorCode; readonly unsafe: ErrorCode };
}

export interface JudgedFile {
  /** The path with every symbolic link resolved. */
  readonly path: string;
  readonly bytes: Buffer;
  /** True where the file and all folders above it belong to root and nobody else has write permission. */
  readonly rootOnly: boolean;
}

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;

/** Reads a whole file after judging it. Throws a CapwrapError with one of `terms.codes`; never blocks on a FIFO or device. */
export function readJudgedFile(path: string, terms: FileTerms): JudgedFile {
  const canonical = attempt(path, terms, () => realpathSync.native(path));
  const fd = attempt(canonical, terms, () => openSync(canonical, OPEN_FLAGS));
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw notRegular(canonical, terms);
    if (stat.size > terms.maxBytes) {
      throw new CapwrapError(terms.codes.unsafe, `"${canonical}" is larger than ${terms.maxBytes} bytes`);
    }
    assertSafe(canonical, stat, terms);
    const parents = parentsOf(canonical).map((folder) => {
      const parent = attempt(folder, terms, () => lstatSync(folder));
      assertSafe(folder, parent, terms);
      return parent;
    });
    const rootOnly = [stat, ...parents].every((each) => each.uid === 0 && (each.mode & 0o022) === 0);
    return { path: canonical, bytes: attempt(canonical, terms, () => readAll(fd, stat.size)), rootOnly };
  } finally {
    closeSync(fd);
  }
}

/** The group that only the running user is in, by the convention of Linux; on macOS every user shares `staff`. */
export function ownGroup(ambient: Ambient): number | null {
  return ambient.platform === 'darwin' ? null : ambient.gid;
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let at = path; at !== dirname(at); at = dirname(at)) parents.push(dirname(at));
  return parents;
}

function assertSafe(path: string, stat: Stats, terms: FileTerms): void {
  const unsafe = (why: string, hint: string) =>
    new CapwrapError(terms.codes.unsafe, `"${path}" ${why}`, { hint: `${hint} ${shellQuote(path)}` });
  if (!terms.owners.includes(stat.uid)) {
    const allowed = terms.owners.some((owner) => owner !== 0)
      ? 'neither root nor the running user'
      : 'not root';
    throw unsafe(`belongs to user ${stat.uid}, ${allowed}`, `sudo chown ${terms.owners.at(-1)}`);
  }
  // In a sticky folder nobody can replace an entry of somebody else, and each entry on the way is judged too.
  if (stat.isDirectory() && (stat.mode & 0o1000) !== 0) return;
  if ((stat.mode & 0o002) !== 0) throw unsafe('can be written by everybody', 'chmod o-w');
  if ((stat.mode & 0o020) !== 0 && stat.gid !== terms.ownGroup) {
    throw unsafe(`can be written by group ${stat.gid}`, 'chmod g-w');
  }
}

function attempt<T>(path: string, terms: FileTerms, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new CapwrapError(terms.codes.missing, `"${path}" does not exist`, { cause: error });
    }
    if (code === 'ENXIO') throw notRegular(path, terms); // a socket
    throw new CapwrapError(terms.codes.unreadable, `"${path}" can't be read (${code})`, { cause: error });
  }
}

function notRegular(path: string, terms: FileTerms): CapwrapError {
  return new CapwrapError(terms.codes.unsafe, `"${path}" is not a regular file`);
}

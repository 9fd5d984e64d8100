/** Files of a work tree compared with what git stored of them. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import type { IgnoreRules } from './ignore-rules.ts';
import type { IndexEntry } from './read-index.ts';

/** Type bits of a mode. */
export const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;
export const GITLINK = 0o160000;

/** Whether the file on disk is byte for byte what is staged. `trustMode`: the executable bit counts (`core.fileMode`). */
export function isUnchanged(workTree: string, entry: IndexEntry, trustMode: boolean): boolean {
  const path = join(workTree, entry.path);
  const stat = lstatOf(path);
  if (stat === null || !leadsThroughDirectories(workTree, entry.path)) return false;
  if ((entry.mode & FILE_TYPE) === SYMLINK) {
    return stat.isSymbolicLink() && hashOf(readlinkSync(path, { encoding: 'buffer' })) === entry.oid;
  }
  if (!stat.isFile()) return false;
  if (trustMode && ((stat.mode & 0o100) !== 0) !== ((entry.mode & 0o100) !== 0)) return false;
  return hashOfFile(path) === entry.oid;
}

/**
 * The first file that is neither tracked nor ignored, or null. `tracked` holds all staged paths, `directories` all
 * directories above them. A directory that is a repository of its own counts as one untracked file.
 */
export function findUntracked(
  workTree: string,
  tracked: ReadonlySet<string>,
  directories: ReadonlySet<string>,
  rules: IgnoreRules,
): string | null {
  const visit = (directory: string, ignoredAbove: boolean): string | null => {
    for (const item of readdirSync(join(workTree, directory), { withFileTypes: true })) {
      const path = directory === '' ? item.name : `${directory}/${item.name}`;
      if (item.name === '.git' || tracked.has(path)) continue;
      // git never mentions sockets, FIFOs and devices.
      if (!item.isDirectory() && !item.isFile() && !item.isSymbolicLink()) continue;
      const ignored = ignoredAbove || rules.isIgnored(path, item.isDirectory());
      if (!item.isDirectory()) {
        if (!ignored) return path;
      } else if (directories.has(path) || !ignored) {
        if (!directories.has(path) && isRepository(join(workTree, path))) return path;
        const found = visit(path, ignored);
        if (found !== null) return found;
      }
    }
    return null;
  };
  return visit('', false);
}

function isRepository(path: string): boolean {
  return lstatOf(join(path, '.git'))?.isFile() === true || lstatOf(join(path, '.git', 'HEAD')) !== null;
}

/** A directory of the path replaced by a symbolic link would show another directory's files. */
function leadsThroughDirectories(workTree: string, path: string): boolean {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    if (lstatOf(join(workTree, path.slice(0, at)))?.isDirectory() !== true) return false;
  }
  return true;
}

function hashOf(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** The blob hash of a file, read in pieces; null where it is no regular file any more. */
function hashOfFile(path: string): string | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return null;
    const hash = createHash('sha1').update(`blob ${stat.size}\0`);
    const piece = Buffer.allocUnsafe(Math.min(stat.size, PIECE) || 1);
    for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece))
      hash.update(piece.subarray(0, read));
    return hash.digest('hex');
  } finally {
    closeSync(fd);
  }
}

const PIECE = 1024 * 1024;

function lstatOf(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

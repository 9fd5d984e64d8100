/** Where files with a credential may lie: in memory where the system has a file system there, else in the state folder. */
import { lstatSync, type Stats, statfsSync } from 'node:fs';
import { isAbsolute } from 'node:path';

/** `memory`: /dev/shm. `runtime_dir`: the caller's XDG_RUNTIME_DIR. `state_dir`: beside the audit log, on a disk. */
export const FILE_PLACES = ['memory', 'runtime_dir', 'state_dir'] as const;
export type FilePlace = (typeof FILE_PLACES)[number];

export interface Place {
  readonly kind: Exclude<FilePlace, 'state_dir'>;
  readonly dir: string;
}

const SHARED_MEMORY = '/dev/shm';

/** statfs(2): tmpfs and ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);

/**
 * The places beside the state folder, best first, that are what they should be. `/dev/shm` must be a file system in
 * memory that belongs to root, where nobody can touch another's files (sticky); `runtimeDir` (XDG Base Directory
 * Specification) a folder of this user's with mode 0700. Memory may be swapped out.
 */
export function placesInMemory(
  runtimeDir: string | undefined,
  uid: number,
  sharedMemory = SHARED_MEMORY,
): readonly Place[] {
  const places: Place[] = [];
  if (process.platform === 'linux' && isSharedMemory(sharedMemory))
    places.push({ kind: 'memory', dir: sharedMemory });
  if (runtimeDir && isAbsolute(runtimeDir) && isPrivateTo(uid, look(runtimeDir)))
    places.push({ kind: 'runtime_dir', dir: runtimeDir });
  return places;
}

function isSharedMemory(dir: string): boolean {
  const stat = look(dir);
  const safe =
    stat?.isDirectory() && stat.uid === 0 && ((stat.mode & 0o1000) !== 0 || (stat.mode & 0o022) === 0);
  try {
    return Boolean(safe) && IN_MEMORY.has(statfsSync(dir).type >>> 0);
  } catch {
    return false;
  }
}

function isPrivateTo(uid: number, stat: Stats | null): boolean {
  return stat?.isDirectory() === true && stat.uid === uid && (stat.mode & 0o777) === 0o700;
}

/** Null where there is none. Of a symbolic link it is the link's. */
function look(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

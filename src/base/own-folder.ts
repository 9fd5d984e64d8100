/** A folder that nobody but the running user decides about. */
import { existsSync, lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Owner {
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
}

/**
 * The folder below `home`, made where it is missing; null where it isn't the user's alone, or where others could put
 * another one in its place after this look, as in the HOME of the user who called sudo. Each is made by itself, since
 * Node's way to make them all never ends in /proc. Throws the system's error where one can't be made or looked at.
 */
export function ownFolderIn(home: string, names: readonly string[], user: Owner): string | null {
  let folder = home;
  let stat = statSync(folder);
  for (const name of names) {
    if (!isOurs(stat, user) || isOpen(stat, user)) return null;
    folder = join(folder, name);
    if (!existsSync(folder)) makeFolder(folder);
    // Where a link leads to is decided by its owner, at any time.
    if (!isOurs(lstatSync(folder), user)) return null;
    stat = statSync(folder);
  }
  const own = lstatSync(folder);
  return own.isDirectory() && own.uid === user.uid && (own.mode & 0o077) === 0 ? folder : null;
}

const isOurs = (stat: Stats, { uid }: Owner) => stat.uid === uid || stat.uid === 0;

/** True where others can take an entry away and put their own in its place; in a sticky folder they can't. */
function isOpen({ mode, gid }: Stats, user: Owner): boolean {
  if ((mode & 0o1000) !== 0) return false;
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isPrivateGroup(gid, user));
}

/**
 * On Debian and Fedora each user has a group of their own and a umask of 002, so that ~/.cache may well be 0775: the cache
 * has to work there. That nobody else is in a group can't be told without asking for its members, in a directory service
 * perhaps. What tells it as well as pam_umask(8) has it: the primary group has the user's own number, which a group shared
 * by many (`users`, `staff`) hasn't. Where numbers have drifted apart, capwrap only starts slower. Root's group may have
 * members, in containers for one, and root's umask leaves no folder open to it.
 */
function isPrivateGroup(gid: number, user: Owner): boolean {
  return user.uid !== 0 && gid === user.uid && gid === user.gid;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another run was faster.
    if (!existsSync(folder)) throw error;
  }
}

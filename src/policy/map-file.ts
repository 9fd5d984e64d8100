/** Finds the capability map and reads it once: the bytes that are hashed here are the bytes that are parsed. */
import { createHash } from 'node:crypto';
import { lstatSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Ambient } from '../base/ambient.ts';
import { ownGroup, readJudgedFile } from '../base/judged-file.ts';
import { homeDir } from '../base/state.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { MAX_MAP_BYTES } from './yaml-text.ts';

/** A map as it was read; nothing in it is understood yet. */
export interface MapFile {
  /** Canonical path. */
  readonly path: string;
  readonly dir: string;
  readonly bytes: Buffer;
  /** SHA-256 of `bytes`, lower-case hex. */
  readonly sha256: string;
  /** The file and all folders above it are root's alone, and the running user isn't root. */
  readonly adminOwned: boolean;
}

export const MAP_NAME = 'capabilities.yaml';

/**
 * The path of the map: `explicit` where given, else the first that exists of `capabilities.yaml` in the working
 * directory or a parent up to the root of the git work tree, `$XDG_CONFIG_HOME/capwrap/capabilities.yaml`, and
 * `/etc/capwrap/capabilities.yaml`. A candidate that exists and can't be read is still the one: falling through to
 * another map would grant by accident. Throws ERR_MAP_NOT_FOUND.
 */
export function findMapFile(ambient: Ambient, explicit: string | undefined): string {
  if (explicit === '') {
    throw new CapwrapError('ERR_USAGE', '"--map" is empty: it must name a file', {
      hint: `capwrap list -f ./${MAP_NAME}`,
    });
  }
  if (explicit !== undefined) return resolve(ambient.cwd, explicit);
  const candidates = [
    ...searchedFolders(ambient.cwd).map((folder) => join(folder, MAP_NAME)),
    join(configHome(ambient), 'capwrap', MAP_NAME),
    join('/etc/capwrap', MAP_NAME),
  ];
  const found = candidates.find(exists);
  if (found !== undefined) return found;
  throw new CapwrapError(
    'ERR_MAP_NOT_FOUND',
    `"${MAP_NAME}" was not found; looked for ${candidates.join(', ')}`,
    { hint: 'capwrap init' },
  );
}

/**
 * Reads the map after judging the file and its folders: each must belong to root or the running user and be
 * writable by nobody else. Throws ERR_MAP_NOT_FOUND, ERR_MAP_UNREADABLE or ERR_MAP_UNSAFE.
 */
export function readMapFile(path: string, ambient: Ambient): MapFile {
  const file = readJudgedFile(path, {
    owners: [0, ambient.uid],
    ownGroup: ownGroup(ambient),
    maxBytes: MAX_MAP_BYTES,
    codes: { missing: 'ERR_MAP_NOT_FOUND', unreadable: 'ERR_MAP_UNREADABLE', unsafe: 'ERR_MAP_UNSAFE' },
  });
  return {
    path: file.path,
    dir: dirname(file.path),
    bytes: file.bytes,
    sha256: createHash('sha256').update(file.bytes).digest('hex'),
    adminOwned: file.rootOnly && ambient.uid !== 0,
  };
}

/** The path that pins of a map are kept under; a file that is gone keeps the path it was asked for by. */
export function pinnedPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

/** The root of the git work tree that holds `folder`, or null. */
export function workTreeRoot(folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    if (exists(join(at, '.git'))) return at;
    if (at === dirname(at)) return null;
  }
}

/** The working directory, and its parents as far as the work tree reaches. */
function searchedFolders(cwd: string): string[] {
  const root = workTreeRoot(cwd) ?? cwd;
  const folders = [cwd];
  for (let at = cwd; at !== root; at = dirname(at)) folders.push(dirname(at));
  return folders;
}

/** `$XDG_CONFIG_HOME` counts only where it is absolute (XDG Base Directory Specification). */
function configHome(ambient: Ambient): string {
  const xdg = ambient.env['XDG_CONFIG_HOME'];
  return xdg && isAbsolute(xdg) ? xdg : join(homeDir(ambient), '.config');
}

/** True for anything that has this name, a dangling link and what can't be looked at included. */
function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return systemErrorCode(error) !== 'ENOTDIR';
  }
}

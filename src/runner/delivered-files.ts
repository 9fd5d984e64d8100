/**
 * Values of a lease as files: each 0600, in a 0700 folder of the lease's own, gone with it. The folder's name carries
 * the lease and its owner, so that what a killed run has left is found at the next start, and what a live one uses is not
 * touched.
 */
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHolder, isDead, newHolder, parseHolder } from '../base/lock-holder.ts';
import { namesIn } from '../base/names-in.ts';
import type { Lease } from '../broker/provider.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { type FilePlace, placesInMemory } from './memory-place.ts';
import { removeTree } from './remove-tree.ts';

export interface DeliveredFiles {
  /** Child variable → path of the file that holds its value. */
  readonly variables: Readonly<Record<string, string>>;
  readonly place: FilePlace;
  /** Removes the files with their folder; what can't be removed now goes at a later start. */
  remove(): void;
}

export interface DeliveryInput {
  /** Child variable → name of the lease's value. */
  readonly files: Readonly<Record<string, string>>;
  readonly lease: Pick<Lease, 'leaseId' | 'values'>;
  /** The caller's XDG_RUNTIME_DIR. */
  readonly runtimeDir: string | undefined;
  /** The run's folder in the state directory: where there is no better place. */
  readonly isolationDir: string;
  readonly uid: number;
  /** For tests. */
  readonly sharedMemory?: string;
}

/**
 * Writes each value as it is, without a line end, in the best place that takes them. Throws ERR_ENVIRONMENT where the
 * lease lacks a value, ERR_STATE_UNSAFE where no place takes them; nothing stays behind then.
 */
export function deliverFiles(input: DeliveryInput): DeliveredFiles {
  const { files, lease, runtimeDir, uid, isolationDir, sharedMemory } = input;
  const values = Object.entries(files).map(([name, key]) => [name, leaseValue(lease, name, key)] as const);
  const name = `${prefixOf(uid)}${lease.leaseId}.${formatHolder(newHolder())}`;
  for (const { kind, dir } of placesInMemory(runtimeDir, uid, sharedMemory)) {
    try {
      return writeAllTo(join(dir, name), kind, values);
    } catch {
      // full, read-only or not for this user: the next one
    }
  }
  const dir = join(isolationDir, 'files');
  try {
    return writeAllTo(dir, 'state_dir', values);
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    throw new CapwrapError('ERR_STATE_UNSAFE', `"${dir}" can't be made (${code})`);
  }
}

/** Removes what runs of this user that died left in memory; what lies in the state folder goes with the isolation. */
export function sweepDelivered(runtimeDir: string | undefined, uid: number, sharedMemory?: string): void {
  for (const { dir } of placesInMemory(runtimeDir, uid, sharedMemory)) {
    let left = MOST_SWEPT;
    for (const name of namesIn(dir)) {
      if (left === 0) break;
      const path = join(dir, name);
      // Only what is removed counts: in /dev/shm others can make any number of folders with such names.
      if (!name.startsWith(prefixOf(uid)) || !isLeftover(path, name, uid)) continue;
      removeTree(path);
      left -= 1;
    }
  }
}

/** Folders removed in one go, so that a start stays quick whatever has been left. */
const MOST_SWEPT = 64;
/** No lease lasts so long, so whoever made the folder needs it no more. */
const TOO_OLD = 7 * 24 * 3_600_000;

function prefixOf(uid: number): string {
  return `capwrap.${uid}.`;
}

/** `mkdir` itself makes sure that the folder is new, and nobody else's. */
function writeAllTo(
  dir: string,
  place: FilePlace,
  values: readonly (readonly [string, string])[],
): DeliveredFiles {
  mkdirSync(dir, { mode: 0o700 });
  const remove = () => void removeTree(dir);
  try {
    const variables: Record<string, string> = Object.create(null);
    for (const [name, value] of values) {
      const path = join(dir, name);
      writeFileSync(path, value, { mode: 0o600, flag: 'wx' });
      variables[name] = path;
    }
    return { variables, place, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function leaseValue(lease: DeliveryInput['lease'], name: string, key: string): string {
  const value = Object.hasOwn(lease.values, key) ? lease.values[key]?.value : undefined;
  if (value) return value;
  const known = Object.keys(lease.values).join(', ');
  throw new CapwrapError(
    'ERR_ENVIRONMENT',
    `"${name}" is to be the lease's "${key}", which it does not have`,
    {
      hint: `in files, name one of: ${known}`,
    },
  );
}

function isLeftover(path: string, name: string, uid: number): boolean {
  try {
    const stat = lstatSync(path);
    if (!stat.isDirectory() || stat.uid !== uid) return false;
    if (Date.now() - stat.mtimeMs > TOO_OLD) return true;
    const [, owner = ''] = name.slice(prefixOf(uid).length).split(/\.(.*)/s);
    const holder = parseHolder(owner);
    return holder !== null && isDead(holder, path);
  } catch {
    return false; // gone already
  }
}

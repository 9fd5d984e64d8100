/** The versions of maps that were trusted, byte for byte, so that a change can be compared with the one before it. */
import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateDir, readPrivateFile, writePrivateFile } from '../base/private-files.ts';
import { CapwrapError } from '../errors.ts';
import { MAX_MAP_BYTES } from '../policy/yaml-text.ts';
import type { TrustPlace } from './pins.ts';

export type KeptVersion =
  | { readonly kind: 'kept'; readonly bytes: Buffer }
  /** `why` is a sentence fragment without the subject. */
  | { readonly kind: 'missing' | 'damaged'; readonly why: string };

/** Keeps the bytes under their digest; a damaged file of that name is replaced. Throws ERR_STATE_UNSAFE. */
export function keepVersion(place: TrustPlace, bytes: Uint8Array, sha256: string): void {
  ensurePrivateDir(folderOf(place), place.uid);
  if (digestOf(bytes) !== sha256)
    throw new CapwrapError('ERR_INTERNAL', 'a map was kept under another digest');
  if (readVersion(place, sha256).kind !== 'kept') writePrivateFile(versionFile(place, sha256), bytes);
}

/**
 * The bytes of a version, only ever the ones that the digest is of. What is missing, altered, a link, or readable by
 * others is said and not used; never throws for it.
 */
export function readVersion(place: TrustPlace, sha256: string): KeptVersion {
  const path = versionFile(place, sha256);
  const damaged = (why: string) => ({ kind: 'damaged', why }) as const;
  try {
    const folder = lstatSync(folderOf(place), { throwIfNoEntry: false });
    const bytes = folder === undefined ? null : readPrivateFile(path, place.uid, MAX_MAP_BYTES);
    if (folder === undefined || bytes === null)
      return { kind: 'missing', why: `is not in ${folderOf(place)}` };
    if (!folder.isDirectory() || folder.uid !== place.uid) return damaged('is not in a folder of this user');
    if (digestOf(bytes) !== sha256) return damaged('was altered since it was kept');
    return { kind: 'kept', bytes };
  } catch (error) {
    if (error instanceof CapwrapError) return damaged(`can't be used: ${error.message}`);
    throw error;
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function folderOf({ stateDir }: TrustPlace): string {
  return join(stateDir, 'maps');
}

function versionFile(place: TrustPlace, sha256: string): string {
  return join(folderOf(place), `${sha256}.yaml`);
}

/** Pins a map as `capwrap trust` does, without a question. */

import { mkdirSync } from 'node:fs';
import type { Ambient } from '../../src/base/ambient.ts';
import { findMapFile, readMapFile } from '../../src/policy/map-file.ts';
import { parseMap } from '../../src/policy/parse.ts';
import { mapRepo } from '../../src/trust/map-repo.ts';
import { headOf, lineageFor, type Pin } from '../../src/trust/pin.ts';
import { addPin, readTrust } from '../../src/trust/pins.ts';

/** The map that `explicit` names, or that a run would use, as it is now; its pin. */
export async function pinMap(
  ambient: Ambient,
  stateDir: string,
  explicit?: string,
  terms: Partial<Pin> = {},
): Promise<Pin> {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const place = { stateDir, uid: ambient.uid };
  const file = readMapFile(findMapFile(ambient, explicit), ambient);
  const repo = mapRepo(file.dir, ambient);
  const pin: Pin = {
    path: file.path,
    repo: repo.name,
    repository: repo.root,
    sha256: file.sha256,
    grade: 'pinned',
    pinned_at: new Date().toISOString(),
    signature: null,
    ...terms,
  };
  const before = lineageFor(readTrust(place), pin.path, pin.repo);
  await addPin(place, pin, {
    bytes: file.bytes,
    approvers: approversOf(file.bytes, file),
    replaces: before === null ? null : headOf(before),
  });
  return pin;
}

/** None where the map is not valid: a pin is of bytes, whatever they say. */
function approversOf(bytes: Uint8Array, origin: Parameters<typeof parseMap>[1]): string[] {
  try {
    return [...parseMap(bytes, origin).approvers.keys()];
  } catch {
    return [];
  }
}

/** What `capwrap trust` is about: the map as it is now, what was trusted before, and what is trusted already. */

import type { MapTrust } from '../base/map-trust.ts';
import type { StatePlace } from '../base/state.ts';
import type { CapabilityMap } from '../policy/capability.ts';
import type { MapChange } from '../policy/diff/change.ts';
import { compareMaps } from '../policy/diff/compare-maps.ts';
import { findMapFile, type MapFile, readMapFile } from '../policy/map-file.ts';
import { parseMap } from '../policy/parse.ts';
import type { MapSubject } from '../trust/judge.ts';
import { judgeSubject } from '../trust/judge-map.ts';
import { mapRepo } from '../trust/map-repo.ts';
import type { Pin, PinGrade } from '../trust/pin.ts';
import { addPin, readTrust, type TrustPlace } from '../trust/pins.ts';
import { type Predecessor, predecessorOf } from '../trust/predecessor.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';

export interface TrustCase {
  readonly file: MapFile;
  readonly map: CapabilityMap;
  readonly subject: MapSubject;
  readonly state: StatePlace;
  readonly place: TrustPlace;
  /** What it replaces; null for a first version. */
  readonly predecessor: Predecessor | null;
  /** Against the predecessor's basis; null where there is none, or none that can be read. */
  readonly changes: readonly MapChange[] | null;
  /** The grade that this content has already, whatever the administrator demands; null for none. */
  readonly held: MapTrust | null;
  /** The same where it is enough; null where it isn't. */
  readonly standing: MapTrust | null;
}

/** Reads the map once: what is shown, signed and pinned later are these bytes. Throws what reading and parsing throw. */
export async function openCase(
  context: CommandContext,
  explicit: string | undefined,
  grade: PinGrade,
): Promise<TrustCase> {
  const { ambient, admin } = context;
  const asked = findMapFile(ambient, explicit);
  const file = readMapFile(asked, ambient);
  const map = parseMap(file.bytes, file);
  const state = openStateFor(context);
  const place = { stateDir: state.dir, uid: ambient.uid };
  const store = readTrust(place);
  const repo = mapRepo(file.dir, ambient);
  const subject = { file, asked, repo };
  const { path, sha256 } = file;
  const predecessor = predecessorOf(store, place, { path, sha256, repo: repo.name, grade });
  const before = predecessor?.basis?.version.map ?? null;
  const held = await judgeSubject(subject, store, place, { ...admin, requireMapTrust: null });
  const standing = await judgeSubject(subject, store, place, admin);
  return {
    file,
    map,
    subject,
    state,
    place,
    predecessor,
    changes: before === null ? null : compareMaps(before, map),
    held: held.trusted ? held.grade : null,
    standing: standing.trusted ? standing.grade : null,
  };
}

/** The pin of what was read, for the repository that it was shown with. */
export function pinOf({ file, subject }: TrustCase, terms: Pick<Pin, 'grade' | 'signature'>): Pin {
  return {
    path: file.path,
    repo: subject.repo.name,
    repository: subject.repo.root,
    sha256: file.sha256,
    pinned_at: new Date().toISOString(),
    ...terms,
  };
}

/** Keeps the bytes, has `record` written, and pins. `worth` may be less than the pin's grade. */
export async function pinCase(
  found: TrustCase,
  pin: Pin,
  worth: PinGrade,
  record: () => Promise<void>,
): Promise<void> {
  const { place, file, map, predecessor } = found;
  await addPin(place, pin, {
    bytes: file.bytes,
    approvers: [...map.approvers.keys()],
    replaces: predecessor?.sha256 ?? null,
    worth,
    record,
  });
}

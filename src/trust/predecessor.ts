/** The version that a new one replaces, whose approvers decide, and the version that it is compared with. */
import { dirname } from 'node:path';
import { CapwrapError } from '../errors.ts';
import type { CapabilityMap } from '../policy/capability.ts';
import { parseMap } from '../policy/parse.ts';
import { basisOf, headOf, lineageFor, type Pin, type PinGrade, type TrustStore } from './pin.ts';
import type { TrustPlace } from './pins.ts';
import { readVersion } from './versions.ts';

export interface Predecessor {
  readonly sha256: string;
  /** The strongest that it was ever pinned with. */
  readonly grade: PinGrade;
  /** The repository that it was trusted in. */
  readonly repo: string | null;
  /** Of the lineage, as it is now. */
  readonly mark: string;
  readonly version: MapVersion;
  /** True where its approvers have to sign; also where it can't be read any more and is known to have named some. */
  readonly mustSign: boolean;
  /** What a new version is compared with: see `basisOf`. Null where there is none. */
  readonly basis: Basis | null;
}

export interface Basis {
  readonly sha256: string;
  readonly version: MapVersion;
}

/** A kept version as a map, or why there is none: a sentence fragment without the subject. */
export type MapVersion =
  | { readonly map: CapabilityMap; readonly fault: null }
  | { readonly map: null; readonly fault: string };

/** What content that is to be pinned with `grade` replaces under its path; null where nothing was trusted there. */
export function predecessorOf(
  store: TrustStore,
  place: TrustPlace,
  { path, repo, sha256: next, grade }: Pick<Pin, 'path' | 'repo' | 'sha256' | 'grade'>,
): Predecessor | null {
  const lineage = lineageFor(store, path, repo);
  if (lineage === null) return null;
  const sha256 = headOf(lineage);
  const version = mapVersion(place, path, sha256);
  const mustSign = lineage.approvers.length > 0 || (version.map?.approvers.size ?? 0) > 0;
  const basis = basisOf(lineage, next, grade);
  return {
    sha256,
    grade: lineage.versions.at(-1)?.grade ?? 'pinned_noninteractive',
    repo: lineage.repo,
    mark: lineage.mark,
    version,
    mustSign,
    basis: basis === null ? null : { sha256: basis, version: mapVersion(place, path, basis) },
  };
}

/** A kept version of the map at `path`, understood by today's rules. */
export function mapVersion(place: TrustPlace, path: string, sha256: string): MapVersion {
  const kept = readVersion(place, sha256);
  if (kept.kind !== 'kept') return { map: null, fault: kept.why };
  try {
    return { map: parseMap(kept.bytes, { path, dir: dirname(path), sha256 }), fault: null };
  } catch (error) {
    if (!(error instanceof CapwrapError)) throw error;
    return { map: null, fault: 'is not valid for this version of capwrap' };
  }
}

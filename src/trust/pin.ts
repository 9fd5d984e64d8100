/** What trust is made of: pins of content, and the lineage that says who has to approve the next change. */

/**
 * Strongest first. `signed` was approved by a signature; `pinned` was confirmed on a terminal; `pinned_noninteractive`
 * was not, and an agent of the same user could have made it.
 */
export const PIN_GRADES = ['signed', 'pinned', 'pinned_noninteractive'] as const;
export type PinGrade = (typeof PIN_GRADES)[number];

/** What a pin of an earlier capwrap held: it doesn't say which repository it was for. */
export interface OldPin {
  /** Canonical path of the map. */
  readonly path: string;
  /** Root of the git work tree that held it, or null; tells people what was trusted, and decides nothing. */
  readonly repository: string | null;
  /** SHA-256 of the content, lower-case hex. */
  readonly sha256: string;
  readonly grade: Exclude<PinGrade, 'signed'>;
  /** RFC 3339, UTC. */
  readonly pinned_at: string;
}

/** Content that is trusted under one path and in one repository. */
export interface Pin extends Omit<OldPin, 'grade'> {
  /** `owner/name` of the repository by git's files; null where they name none. */
  readonly repo: string | null;
  readonly grade: PinGrade;
  /** Null for every grade but `signed`. */
  readonly signature: PinSignature | null;
}

/** The approval itself, so that it can be verified again whenever the pin is to count. */
export interface PinSignature {
  /** The approver's name, as the map or the administrator's config has it. */
  readonly principal: string;
  readonly statement: string;
  /** The armored SSH signature over the statement. */
  readonly armored: string;
}

/** The versions of one map that have been trusted. It outlives its pins, so that removing them removes no demand. */
export interface Lineage {
  readonly path: string;
  readonly repo: string | null;
  /** The one that was trusted last at the end; never empty. */
  readonly versions: readonly LineageVersion[];
  /** Names of the approvers in the last version; empty where it names none. */
  readonly approvers: readonly string[];
  /** Made anew whenever another version becomes the last: a signature is for one change, and can't be used for a second. */
  readonly mark: string;
}

export interface LineageVersion {
  readonly sha256: string;
  /** The strongest that it was ever pinned with. */
  readonly grade: PinGrade;
}

/** All that `trust.json` holds. */
export interface TrustStore {
  /** Oldest first. */
  readonly pins: readonly Pin[];
  readonly lineages: readonly Lineage[];
  /** They count for nothing, and are kept until they are replaced, so that nobody wonders where they went. */
  readonly oldPins: readonly OldPin[];
}

export const NOTHING_TRUSTED: TrustStore = { pins: [], lineages: [], oldPins: [] };

/** True where `grade` is at least as strong as `other`. */
export function isAsStrong(grade: PinGrade, other: PinGrade): boolean {
  return PIN_GRADES.indexOf(grade) <= PIN_GRADES.indexOf(other);
}

/** The digest of the version that was trusted last. */
export function headOf(lineage: Lineage): string {
  return lineage.versions.at(-1)?.sha256 ?? '';
}

/** True where this content was trusted once, whether it still is or not. */
export function hasVersion(lineage: Lineage, sha256: string): boolean {
  return lineage.versions.some((version) => version.sha256 === sha256);
}

/**
 * The version that a new one of `grade` is to be compared with: the last other one that was confirmed as strongly, so
 * that nothing gets past a person by being pinned without one first.
 */
export function basisOf(lineage: Lineage, sha256: string, grade: PinGrade): string | null {
  const confirmed = grade === 'signed' ? 'pinned' : grade;
  const basis = lineage.versions.findLast(
    (version) => version.sha256 !== sha256 && isAsStrong(version.grade, confirmed),
  );
  return basis?.sha256 ?? null;
}

/**
 * The lineage that a new version continues. One that names approvers wins over one that doesn't, whatever repository
 * it is of: else a changed remote in `.git/config` would be all it takes to leave the approvers behind.
 */
export function lineageFor(store: TrustStore, path: string, repo: string | null): Lineage | null {
  const here = store.lineages.filter((lineage) => lineage.path === path);
  const own = here.find((lineage) => lineage.repo === repo) ?? null;
  if (own !== null && own.approvers.length > 0) return own;
  return here.findLast(({ approvers }) => approvers.length > 0) ?? own;
}

/** True for a SHA-256 in lower-case hex. */
export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

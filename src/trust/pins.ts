/** The one place where trust is kept: `trust.json` in the state directory, outside every repository. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { withLock } from '../base/lock.ts';
import { readPrivateFile, writePrivateFile } from '../base/private-files.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import {
  headOf,
  isAsStrong,
  type Lineage,
  lineageFor,
  NOTHING_TRUSTED,
  type OldPin,
  type Pin,
  type PinGrade,
  type TrustStore,
} from './pin.ts';
import { formatTrustFile, parseTrustFile } from './trust-file.ts';
import { keepVersion } from './versions.ts';

/** A state directory that exists, and whose it is. */
export interface TrustPlace {
  readonly stateDir: string;
  readonly uid: number;
}

/** What goes with a new pin. */
export interface NewVersion {
  /** The map's bytes, which the pin's digest is of. */
  readonly bytes: Uint8Array;
  /** Names of the approvers in the map. */
  readonly approvers: readonly string[];
  /** The version that it was compared with: the head of the lineage that it continues, or null for the first. */
  readonly replaces: string | null;
  /** What the pin is worth, where that is less than its grade. */
  readonly worth?: PinGrade;
  /** Writes the record of the pin, durably; without it there is no pin. */
  readonly record?: () => Promise<void>;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** All that is trusted. Throws ERR_STATE_UNSAFE where the file is not what capwrap wrote; never reads that as "nothing". */
export function readTrust({ stateDir, uid }: TrustPlace): TrustStore {
  const path = trustFile(stateDir);
  const bytes = readPrivateFile(path, uid, MAX_BYTES);
  if (bytes === null) return NOTHING_TRUSTED;
  const store = parseTrustFile(bytes.toString('utf8'));
  if (store !== null) return store;
  throw new CapwrapError('ERR_STATE_UNSAFE', `"${path}" is damaged: it is not a list of pins`, {
    hint: `mv ${shellQuote(path)} ${shellQuote(`${path}.damaged`)}, then trust the maps again`,
  });
}

/**
 * Keeps the version's bytes, writes the record, and then the pin. Content that is pinned already gets the stronger
 * grade and moves nothing in its lineage: else pinning an older version again would bring its approvers back. Throws
 * ERR_MAP_UNTRUSTED where another version became the last one since `replaces` was looked at.
 */
export async function addPin(place: TrustPlace, pin: Pin, version: NewVersion): Promise<void> {
  await changeTrust(place, async (store) => {
    const before = lineageFor(store, pin.path, pin.repo);
    if ((before === null ? null : headOf(before)) !== version.replaces) throw overtaken(pin);
    keepVersion(place, version.bytes, pin.sha256);
    await version.record?.();
    const [same, others] = split(store.pins, (each) => isSameContent(each, pin));
    const stronger = same.filter((each) => !isAsStrong(pin.grade, each.grade));
    // A pin that was confirmed on a terminal can't lose its ground; a signed one can, once its key is nobody's.
    const isCovered = stronger.some((each) => each.grade !== 'signed');
    return {
      pins: [...others, ...stronger, ...(isCovered ? [] : [pin])],
      lineages: extended(store.lineages, pin, version, same.length > 0),
      oldPins: store.oldPins.filter((each) => each.path !== pin.path || each.sha256 !== pin.sha256),
    };
  });
}

/** Removes the pins of one map, whatever repository they are for, or those of `sha256`, and returns them. */
export async function removePins(
  place: TrustPlace,
  path: string,
  sha256?: string,
): Promise<readonly (Pin | OldPin)[]> {
  const goes = (pin: Pin | OldPin) => pin.path === path && (sha256 === undefined || pin.sha256 === sha256);
  const before = await changeTrust(place, (store) => ({
    ...store,
    pins: store.pins.filter((pin) => !goes(pin)),
    oldPins: store.oldPins.filter((pin) => !goes(pin)),
  }));
  return [...before.pins, ...before.oldPins].filter(goes);
}

/** Drops the lineages of one map: the next version is a first one, which nobody has to approve. Returns them. */
export async function forgetLineages(place: TrustPlace, path: string): Promise<readonly Lineage[]> {
  const before = await changeTrust(place, (store) => ({
    ...store,
    lineages: store.lineages.filter((lineage) => lineage.path !== path),
  }));
  return before.lineages.filter((lineage) => lineage.path === path);
}

/** Content that is pinned still keeps its place; any other goes to the end. */
function extended(
  lineages: readonly Lineage[],
  { path, repo, sha256, ...pin }: Pin,
  { approvers, worth: grade = pin.grade }: NewVersion,
  isPinned: boolean,
): Lineage[] {
  const [own, others] = split(lineages, (lineage) => lineage.path === path && lineage.repo === repo);
  const before = own[0]?.versions ?? [];
  const known = before.find((version) => version.sha256 === sha256)?.grade ?? grade;
  const version = { sha256, grade: isAsStrong(known, grade) ? known : grade };
  if (own[0] !== undefined && isPinned) {
    const versions = before.map((each) => (each.sha256 === sha256 ? version : each));
    return lineages.map((lineage) => (lineage === own[0] ? { ...lineage, versions } : lineage));
  }
  const versions = [...before.filter((each) => each.sha256 !== sha256), version];
  return [...others, { path, repo, versions, approvers, mark: randomBytes(16).toString('hex') }];
}

function isSameContent(a: Pin, b: Pin): boolean {
  return a.path === b.path && a.repo === b.repo && a.sha256 === b.sha256;
}

function split<T>(all: readonly T[], test: (item: T) => boolean): readonly [T[], T[]] {
  return [all.filter(test), all.filter((item) => !test(item))];
}

function overtaken({ path }: Pin): CapwrapError {
  return new CapwrapError(
    'ERR_MAP_UNTRUSTED',
    `"${path}" was not pinned: another version of it was trusted in the meantime`,
    { hint: `capwrap trust ${shellQuote(path)}` },
  );
}

/** One reader-and-writer at a time, so that two of them can't lose each other's pin. Returns the store from before. */
function changeTrust(
  place: TrustPlace,
  change: (store: TrustStore) => TrustStore | Promise<TrustStore>,
): Promise<TrustStore> {
  const path = trustFile(place.stateDir);
  return withLock(join(place.stateDir, 'trust.lock'), async () => {
    const before = readTrust(place);
    const text = formatTrustFile(await change(before));
    if (text === formatTrustFile(before)) return before;
    if (Buffer.byteLength(text) > MAX_BYTES) {
      throw new CapwrapError('ERR_STATE_UNSAFE', `"${path}" would grow past ${MAX_BYTES} bytes`, {
        hint: 'capwrap untrust FILE, for maps that are no longer used',
      });
    }
    writePrivateFile(path, text);
    return before;
  });
}

function trustFile(stateDir: string): string {
  return join(stateDir, 'trust.json');
}

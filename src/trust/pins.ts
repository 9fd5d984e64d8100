/** Pins: the digests of map content that somebody trusted, kept outside every repository. */
import { isAbsolute, join } from 'node:path';
import { withLock } from '../base/lock.ts';
import { readPrivateFile, writePrivateFile } from '../base/private-files.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';

/** `pinned` was confirmed on a terminal; `pinned_noninteractive` was not, and an agent of the same user could have made it. */
const PIN_GRADES = ['pinned', 'pinned_noninteractive'] as const;
export type PinGrade = (typeof PIN_GRADES)[number];

export interface Pin {
  /** Canonical path of the map. */
  readonly path: string;
  /** Root of the git work tree that held it, or null; tells people what was trusted, and decides nothing. */
  readonly repository: string | null;
  /** SHA-256 of the content, lower-case hex. */
  readonly sha256: string;
  readonly grade: PinGrade;
  /** RFC 3339, UTC. */
  readonly pinned_at: string;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** All pins, oldest first. Throws ERR_STATE_UNSAFE where the file is not what capwrap wrote; never reads that as "none". */
export function readPins(stateDir: string, uid: number): readonly Pin[] {
  const path = pinsFile(stateDir);
  const bytes = readPrivateFile(path, uid, MAX_BYTES);
  if (bytes === null) return [];
  const pins = parsePins(bytes.toString('utf8'));
  if (pins !== null) return pins;
  throw new CapwrapError('ERR_STATE_UNSAFE', `"${path}" is damaged: it is not a list of pins`, {
    hint: `mv ${shellQuote(path)} ${shellQuote(`${path}.damaged`)}, then trust the maps again`,
  });
}

/** Adds a pin. The same content pinned before keeps the stronger grade. */
export async function addPin(stateDir: string, uid: number, pin: Pin): Promise<void> {
  await changePins(stateDir, uid, (pins) => {
    const others = pins.filter((each) => each.path !== pin.path || each.sha256 !== pin.sha256);
    const before = pins.find((each) => !others.includes(each));
    return before?.grade === 'pinned' ? pins : [...others, pin];
  });
}

/** Removes the pins of one map, or the one of `sha256`, and returns them. */
export async function removePins(
  stateDir: string,
  uid: number,
  path: string,
  sha256?: string,
): Promise<readonly Pin[]> {
  const goes = (pin: Pin) => pin.path === path && (sha256 === undefined || pin.sha256 === sha256);
  const before = await changePins(stateDir, uid, (pins) => pins.filter((pin) => !goes(pin)));
  return before.filter(goes);
}

/** One reader-and-writer at a time, so that two of them can't lose each other's pin. Returns the pins from before. */
function changePins(
  stateDir: string,
  uid: number,
  change: (pins: readonly Pin[]) => readonly Pin[],
): Promise<readonly Pin[]> {
  return withLock(join(stateDir, 'trust.lock'), () => {
    const before = readPins(stateDir, uid);
    const after = change(before);
    if (after.length === before.length && after.every((pin, index) => pin === before[index])) return before;
    const text = `${JSON.stringify({ version: 1, pins: after }, null, 2)}\n`;
    if (Buffer.byteLength(text) > MAX_BYTES) {
      throw new CapwrapError(
        'ERR_STATE_UNSAFE',
        `"${pinsFile(stateDir)}" would grow past ${MAX_BYTES} bytes`,
        {
          hint: 'capwrap untrust FILE, for maps that are no longer used',
        },
      );
    }
    writePrivateFile(pinsFile(stateDir), text);
    return before;
  });
}

function pinsFile(stateDir: string): string {
  return join(stateDir, 'trust.json');
}

function parsePins(text: string): readonly Pin[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!hasKeys(value, ['version', 'pins']) || value['version'] !== 1) return null;
  const pins = value['pins'];
  return Array.isArray(pins) && pins.every(isPin) ? pins : null;
}

function isPin(value: unknown): value is Pin {
  if (!hasKeys(value, ['path', 'repository', 'sha256', 'grade', 'pinned_at'])) return false;
  const { path, repository, sha256, grade, pinned_at: pinnedAt } = value;
  return (
    typeof path === 'string' &&
    isAbsolute(path) &&
    (repository === null || typeof repository === 'string') &&
    typeof sha256 === 'string' &&
    isDigest(sha256) &&
    PIN_GRADES.some((known) => known === grade) &&
    typeof pinnedAt === 'string' &&
    !Number.isNaN(Date.parse(pinnedAt))
  );
}

/** True for a SHA-256 in lower-case hex. */
export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function hasKeys(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const own = Object.keys(value);
  return own.length === keys.length && keys.every((key) => own.includes(key));
}

/** The text of `trust.json`: version 2, and version 1, whose pins are read and count for nothing. */
import { isAbsolute } from 'node:path';
import {
  isDigest,
  type Lineage,
  type OldPin,
  PIN_GRADES,
  type Pin,
  type PinSignature,
  type TrustStore,
} from './pin.ts';

/** The text for a store; the same store has the same text. */
export function formatTrustFile({ pins, lineages, oldPins }: TrustStore): string {
  return `${JSON.stringify({ version: 2, pins, lineages, old_pins: oldPins }, null, 2)}\n`;
}

/** The store in a text; null for anything that capwrap would not have written. */
export function parseTrustFile(text: string): TrustStore | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (hasKeys(value, ['version', 'pins']) && value['version'] === 1) {
    return isListOf(value['pins'], isOldPin) ? { pins: [], lineages: [], oldPins: value['pins'] } : null;
  }
  if (!hasKeys(value, ['version', 'pins', 'lineages', 'old_pins']) || value['version'] !== 2) return null;
  const { pins, lineages, old_pins: oldPins } = value;
  return isListOf(pins, isPin) && isListOf(lineages, isLineage) && isListOf(oldPins, isOldPin)
    ? { pins, lineages, oldPins }
    : null;
}

const OLD_KEYS = ['path', 'repository', 'sha256', 'grade', 'pinned_at'];

function isOldPin(value: unknown): value is OldPin {
  return hasKeys(value, OLD_KEYS) && hasPinFields(value) && value['grade'] !== 'signed';
}

/** A `signed` pin without a signature has the shape of one: whoever judges it says what is missing. */
function isPin(value: unknown): value is Pin {
  if (!hasKeys(value, [...OLD_KEYS, 'repo', 'signature']) || !hasPinFields(value)) return false;
  const { repo, grade, signature } = value;
  return isTextOrNull(repo) && (signature === null || (grade === 'signed' && isSignature(signature)));
}

function isSignature(value: unknown): value is PinSignature {
  const keys = ['principal', 'statement', 'armored'];
  return hasKeys(value, keys) && keys.every((key) => typeof value[key] === 'string');
}

function isLineage(value: unknown): value is Lineage {
  if (!hasKeys(value, ['path', 'repo', 'versions', 'approvers', 'mark'])) return false;
  const { path, repo, versions, approvers, mark } = value;
  return (
    isPath(path) &&
    isTextOrNull(repo) &&
    isListOf(versions, isVersion) &&
    versions.length > 0 &&
    isListOf(approvers, (name) => typeof name === 'string') &&
    typeof mark === 'string' &&
    /^[0-9a-f]{32}$/.test(mark)
  );
}

function isVersion(value: unknown): boolean {
  return hasKeys(value, ['sha256', 'grade']) && isDigestValue(value['sha256']) && isGrade(value['grade']);
}

function hasPinFields(value: Record<string, unknown>): boolean {
  const { path, repository, sha256, grade, pinned_at: pinnedAt } = value;
  return (
    isPath(path) &&
    isTextOrNull(repository) &&
    isDigestValue(sha256) &&
    isGrade(grade) &&
    typeof pinnedAt === 'string' &&
    !Number.isNaN(Date.parse(pinnedAt))
  );
}

function isGrade(value: unknown): boolean {
  return PIN_GRADES.some((known) => known === value);
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && isAbsolute(value);
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

function isDigestValue(value: unknown): value is string {
  return typeof value === 'string' && isDigest(value);
}

function isListOf<T>(
  value: unknown,
  isItem: ((item: unknown) => item is T) | ((item: unknown) => boolean),
): value is T[] {
  return Array.isArray(value) && value.every((item) => isItem(item));
}

function hasKeys(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const own = Object.keys(value);
  return own.length === keys.length && keys.every((key) => own.includes(key));
}

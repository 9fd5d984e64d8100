/** The files that `--events` means: those that are named, and in folders those whose names say that they hold events. */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuote } from '../../../base/shell-quote.ts';
import { CapwrapError, systemErrorCode } from '../../../errors.ts';

export interface EventFiles {
  /** In the order of their names. */
  readonly paths: readonly string[];
  /** What in the folders may hold events and was not looked at: links and devices, and files that are left of a download. */
  readonly leftOut: readonly string[];
  /** How many files in the folders have a name that events don't have. */
  readonly otherNames: number;
}

/**
 * A named file is taken whatever it is called; a named link is followed, one inside a folder isn't. Digests and insights,
 * which CloudTrail delivers beside its events, are passed over. Throws ERR_EVENTS_UNREADABLE for what can't be looked into.
 */
export function listEventFiles(places: readonly string[]): EventFiles {
  const found: Found = { paths: new Set(), leftOut: [], otherNames: 0 };
  for (const place of places) {
    if (statOf(place).isDirectory()) walk(place, found);
    else found.paths.add(place);
  }
  return { ...found, paths: [...found.paths].sort() };
}

interface Found {
  readonly paths: Set<string>;
  readonly leftOut: string[];
  otherNames: number;
}

const EVENT_FILE = /\.(?:json|jsonl|ndjson)(?:\.gz)?$/i;

/** As `aws s3 sync` leaves them where it is stopped, `x.json.gz.Ab12Cd34`, or an unpacking or a rename. */
const LIKE_EVENTS = /\.(?:json|jsonl|ndjson)\b|_CloudTrail_/i;

/** Names of the folders beside `CloudTrail` in the bucket of a trail. */
const NO_EVENTS = new Set(['CloudTrail-Digest', 'CloudTrail-Insight', 'CloudTrail-Aggregated']);

const MOST_FILES = 1_000_000;

function walk(folder: string, found: Found): void {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!NO_EVENTS.has(entry.name)) walk(path, found);
    } else if (!entry.isFile()) {
      found.leftOut.push(path);
    } else if (EVENT_FILE.test(entry.name)) {
      found.paths.add(path);
    } else if (LIKE_EVENTS.test(entry.name)) {
      found.leftOut.push(path);
    } else {
      found.otherNames++;
    }
    if (found.paths.size > MOST_FILES) {
      throw new CapwrapError('ERR_EVENTS_UNREADABLE', `"${folder}" holds more than ${MOST_FILES} files`, {
        hint: 'name the folders of the days in question',
      });
    }
  }
}

function statOf(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function unreadable(path: string, error: unknown): CapwrapError {
  const code = systemErrorCode(error) ?? 'unknown error';
  return new CapwrapError('ERR_EVENTS_UNREADABLE', `"${path}" can't be read (${code})`, {
    hint: `ls -ld ${shellQuote(path)}`,
    cause: error,
  });
}

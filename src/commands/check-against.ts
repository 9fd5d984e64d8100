/** `capwrap check --against`: what a map allows more or less than another version of it, for the review of a change. */
import { lstatSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { ChalkInstance } from 'chalk';
import { escapeText, toJson } from '../base/escape.ts';
import { CapwrapError } from '../errors.ts';
import type { MapChange } from '../policy/diff/change.ts';
import { compareMaps } from '../policy/diff/compare-maps.ts';
import { countChanges, describeChanges, showValue } from '../policy/diff/describe-changes.ts';
import { findMapFile, type MapFile, readMapFile } from '../policy/map-file.ts';
import { parsePlace } from '../policy/map-place.ts';
import { analyseMap } from '../policy/parse.ts';
import { annotation } from './annotation.ts';
import { type CheckOptions, check } from './check.ts';
import type { Command } from './command.ts';
import { type OlderMap, readOlderMap } from './older-map.ts';

export interface CheckAgainstOptions extends CheckOptions {
  /** A file, or a commit of the repository that holds the map. */
  readonly against: string | undefined;
  /** The changes that make the status 1; those that widen where left out. */
  readonly failOn?: 'widening' | 'any' | 'never' | undefined;
}

/** A change with its line in the newer map. */
interface PlacedChange extends MapChange {
  readonly line: number;
  readonly column: number;
}

interface AgainstReport {
  /** Relative to the working directory where the map is below it. */
  readonly file: string;
  readonly sha256: string;
  readonly older: OlderMap;
  readonly changes: readonly PlacedChange[];
  readonly fails: (change: MapChange) => boolean;
}

/**
 * Prints the changes; answers 1 where one of them is what `failOn` names. Faults of the newer map are printed as `check`
 * prints them, and are 1 as well; an older one that can't be read or has faults is an error.
 */
export const checkAgainst: Command<CheckAgainstOptions> = async (context, options) => {
  const { ambient } = context;
  if (!options.against) {
    const subject = options.against === undefined ? '"--fail-on" needs --against' : '"--against" is empty';
    throw new CapwrapError('ERR_USAGE', subject, { hint: 'capwrap check --against main' });
  }
  if (options.against.startsWith('-')) {
    const what = `"--against" needs a commit or a file, and "${options.against}" is an option`;
    throw new CapwrapError('ERR_USAGE', what, { hint: 'capwrap check --against main' });
  }
  assertOneMeaning(options.against, ambient.cwd);
  const file = readMapFile(findMapFile(ambient, options.file), ambient);
  const { map, positions } = analyseMap(file.bytes, file);
  if (map === null || positions === null) return check(context, options);
  const older = await readOlderMap(options.against, file, ambient);
  const changes = compareMaps(older.map, map).map((change): PlacedChange => {
    const { line, column } = positions.of(parsePlace(change.at));
    return { ...change, line, column };
  });
  const fails = failing(options.failOn ?? 'widening');
  const report = { file: shownPath(file, ambient.cwd), sha256: file.sha256, older, changes, fails };
  const format = context.json ? 'json' : options.format;
  await context.out(
    format === 'json'
      ? jsonReport(report)
      : format === 'github'
        ? githubReport(report)
        : textReport(report, context.colors.stdout),
  );
  return changes.some(fails) ? 1 : 0;
};

/**
 * Whoever makes a change can bring a file named as the branch that it is held against, which would be its own measure.
 * So only what reads as a path stands for a file. Throws ERR_USAGE.
 */
function assertOneMeaning(name: string, cwd: string): void {
  if (/^\.{0,2}\/|\.ya?ml$/i.test(name) || !exists(resolve(cwd, name))) return;
  throw new CapwrapError('ERR_USAGE', `"${name}" could be a commit, and there is a file of that name`, {
    hint: `write ./${name} for the file, ${name}~0 for the commit`,
  });
}

/** True for a file of any kind but a folder. */
function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    return false; // whoever reads it says why it can't be read
  }
}

function failing(failOn: 'widening' | 'any' | 'never'): (change: MapChange) => boolean {
  return ({ kind }) => failOn !== 'never' && (failOn === 'any' || kind === 'widening');
}

function textReport({ file, older, changes }: AgainstReport, colors: ChalkInstance): string {
  const commit = older.commit === null ? '' : ` (${older.commit.slice(0, 12)})`;
  const absent = older.sha256 === null ? ', which has no map there' : '';
  const against = `${escapeText(older.name)}${commit}${absent}`;
  const summary = `${escapeText(file)} against ${against}: ${countChanges(changes)}`;
  return `${[...describeChanges(changes, colors), summary].join('\n')}\n`;
}

/** One JSON object. Keys are added within a `schema_version`; one that goes or changes its meaning raises it. */
function jsonReport({ file, sha256, older, changes, fails }: AgainstReport): string {
  const value = {
    schema_version: 1,
    file,
    sha256,
    against: { name: older.name, commit: older.commit, sha256: older.sha256 },
    widens: changes.some(({ kind }) => kind === 'widening'),
    failed: changes.some(fails),
    changes: changes.map(({ kind, code, at, line, column, message, before, after }) => ({
      kind,
      code,
      at,
      line,
      column,
      message,
      before,
      after,
    })),
  };
  return `${toJson(value, 2)}\n`;
}

/** What widens, and whatever else fails; the rest is no reason to stop at a line. */
function githubReport({ file, changes, fails }: AgainstReport): string {
  return changes
    .filter((change) => change.kind === 'widening' || fails(change))
    .map((change) => {
      const { kind, code, line, column, message, before, after } = change;
      const values =
        before === null && after === null ? [] : [`was ${showValue(before)}`, `is ${showValue(after)}`];
      return annotation({
        level: fails(change) ? 'error' : 'warning',
        file,
        line,
        column,
        title: `${kind}: ${code}`,
        lines: [message, ...values],
      });
    })
    .join('');
}

function shownPath({ path }: MapFile, cwd: string): string {
  const shown = relative(cwd, path);
  return shown === '' || shown.startsWith('..') ? path : shown;
}

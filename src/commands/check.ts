/** `capwrap check`: what is wrong with a map, what its tests say, and what deserves a second look. */
import { relative } from 'node:path';
import { statePlace } from '../base/state.ts';
import type { CapabilityMap } from '../policy/capability.ts';
import { countPolicyTests, runPolicyTests } from '../policy/inline-tests.ts';
import { lintMap } from '../policy/lint.ts';
import { findMapFile, type MapFile, readMapFile } from '../policy/map-file.ts';
import { parsePlace } from '../policy/map-place.ts';
import { analyseMap } from '../policy/parse.ts';
import type { Positions } from '../policy/positions.ts';
import { judgeTrust } from '../trust/judge.ts';
import { readPins } from '../trust/pins.ts';
import type { CommandContext } from '../ui/context.ts';
import {
  type CheckReport,
  githubReport,
  jsonReport,
  type PlacedFailure,
  textReport,
} from './check-report.ts';
import type { Command } from './command.ts';

export interface CheckOptions {
  /** The map; the one that `run` would use where left out. */
  readonly file?: string | undefined;
  readonly format: 'text' | 'json' | 'github';
}

/** Prints the report; answers 1 where there are faults or failed tests. Findings and missing trust alone are 0. */
export const check: Command<CheckOptions> = async (context, options) => {
  const file = readMapFile(findMapFile(context.ambient, options.file), context.ambient);
  const report = reportOn(file, context);
  const format = context.json ? 'json' : options.format;
  const text =
    format === 'json'
      ? jsonReport(report)
      : format === 'github'
        ? githubReport(report)
        : textReport(report, context.colors.stdout);
  await context.out(text);
  return report.faults.length + report.failures.length === 0 ? 0 : 1;
};

function reportOn(file: MapFile, { ambient, admin }: CommandContext): CheckReport {
  const { map, faults, positions } = analyseMap(file.bytes, file);
  const pins = readPins(statePlace(ambient, admin).dir, ambient.uid);
  return {
    file: shownPath(file.path, ambient.cwd),
    sha256: file.sha256,
    trust: judgeTrust(file, pins, admin),
    faults,
    failures: map === null ? [] : placedFailures(map, positions),
    findings: map === null ? [] : lintMap(map, positions),
    capabilities: map?.capabilities.size ?? 0,
    tests: map === null ? 0 : countPolicyTests(map),
  };
}

function placedFailures(map: CapabilityMap, positions: Positions | null): PlacedFailure[] {
  return runPolicyTests(map).map((failure) => {
    const { line, column } = positions?.of(parsePlace(failure.at)) ?? { line: 1, column: 1 };
    return { ...failure, line, column };
  });
}

function shownPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown === '' || shown.startsWith('..') ? path : shown;
}

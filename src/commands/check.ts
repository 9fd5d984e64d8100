/** `capwrap check`: what is wrong with a map, what its tests say, and what deserves a second look. */
import { relative } from 'node:path';
import { statePlace } from '../base/state.ts';
import type { CapabilityMap } from '../policy/capability.ts';
import { countPolicyTests, runPolicyTests } from '../policy/inline-tests.ts';
import { readIamActions } from '../policy/lint/iam-file.ts';
import { lintMap, needsIamActions } from '../policy/lint/lint-map.ts';
import { findMapFile, type MapFile, readMapFile } from '../policy/map-file.ts';
import { parsePlace } from '../policy/map-place.ts';
import { analyseMap } from '../policy/parse.ts';
import type { Positions } from '../policy/positions.ts';
import type { TrustJudgement } from '../trust/judge.ts';
import { judgeMap } from '../trust/judge-map.ts';
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
  const { ambient, admin } = context;
  const asked = findMapFile(ambient, options.file);
  const file = readMapFile(asked, ambient);
  const trust = await judgeMap(file, asked, { ambient, admin, stateDir: statePlace(ambient, admin).dir });
  const report = reportOn(file, context, trust);
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

function reportOn(file: MapFile, { ambient }: CommandContext, trust: TrustJudgement): CheckReport {
  const { map, faults, positions } = analyseMap(file.bytes, file);
  const known = {
    file: shownPath(file.path, ambient.cwd),
    sha256: file.sha256,
    trust,
    faults,
  };
  if (map === null || positions === null) {
    return { ...known, iamDate: null, failures: [], findings: [], capabilities: 0, tests: 0 };
  }
  const iam = needsIamActions(map) ? readIamActions() : null;
  return {
    ...known,
    iamDate: iam?.date ?? null,
    failures: placedFailures(map, positions),
    findings: lintMap(map, positions, iam),
    capabilities: map.capabilities.size,
    tests: countPolicyTests(map),
  };
}

function placedFailures(map: CapabilityMap, positions: Positions): PlacedFailure[] {
  return runPolicyTests(map).map((failure) => {
    const { line, column } = positions.of(parsePlace(failure.at));
    return { ...failure, line, column };
  });
}

function shownPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown === '' || shown.startsWith('..') ? path : shown;
}

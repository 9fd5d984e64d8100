/** The map's bytes to the validated map, or to every fault in them at once. */
import * as v from 'valibot';
import type { CapabilityMap } from './capability.ts';
import { checkApprovals, checkApprovers } from './check-approvals.ts';
import { checkCapability, checkDefaultTimes } from './check-capability.ts';
import { checkDefaultEnv } from './check-env.ts';
import { type Fault, MapInvalidError, type Report, reportTo } from './fault.ts';
import { normalise } from './normalise.ts';
import { normaliseApprover } from './normalise-approval.ts';
import { type Positions, positionsIn } from './positions.ts';
import { mapSchema } from './schema.ts';
import { reportIssues } from './schema-faults.ts';
import { type SoundParts, soundParts } from './sound-parts.ts';
import { parseYaml } from './yaml-syntax.ts';
import { decodeMap } from './yaml-text.ts';
import { toValue } from './yaml-value.ts';

/** Where the bytes came from. `dir` is what relative paths in the map are resolved against. */
export interface MapOrigin {
  readonly path: string;
  readonly dir: string;
  readonly sha256: string;
}

export interface MapAnalysis {
  /** Null where there are faults. */
  readonly map: CapabilityMap | null;
  /** In the order of the file. */
  readonly faults: readonly Fault[];
  /** Positions by place, for findings; null where the text is no YAML. */
  readonly positions: Positions | null;
}

/** The validated map. Throws MapInvalidError (ERR_MAP_INVALID) with every fault. */
export function parseMap(bytes: Uint8Array, file: MapOrigin): CapabilityMap {
  const { map, faults } = analyseMap(bytes, file);
  if (map === null) throw new MapInvalidError(file.path, faults);
  return map;
}

/** As `parseMap`, with the faults as values. Reads no file and never throws. */
export function analyseMap(bytes: Uint8Array, file: MapOrigin): MapAnalysis {
  const { text, faults: textFaults } = decodeMap(bytes);
  if (textFaults.length > 0) return { map: null, faults: textFaults, positions: null };
  const { document, faults: yamlFaults } = parseYaml(text);
  if (document === null || yamlFaults.length > 0) return { map: null, faults: yamlFaults, positions: null };

  const positions = positionsIn(text, document);
  const faults: Fault[] = [];
  const report = reportTo(faults, positions);
  const content = validate(toValue(document, report), file.dir, report);
  if (faults.length > 0 || content === null) return { map: null, faults: faults.sort(byPosition), positions };
  const { path, dir, sha256 } = file;
  return { map: { path, dir, sha256, ...content }, faults, positions };
}

/** Reports what is wrong with the value; null where the schema does not accept it. */
function validate(
  value: unknown,
  dir: string,
  report: Report,
): Pick<CapabilityMap, 'approvers' | 'capabilities'> | null {
  if (value === null || value === undefined) {
    report([], 'empty_map', '"map" is empty', 'capwrap init');
    return null;
  }
  const result = v.safeParse(mapSchema, value);
  if (!result.success) {
    reportIssues(result.issues, report);
    const sound = soundParts(value, result.issues);
    checkAll(sound, dir, report);
    return null;
  }
  const { defaults = {}, approvers = {}, capabilities } = result.output;
  checkAll({ defaults, approvers, capabilities }, dir, report);
  return {
    approvers: new Map(
      Object.entries(approvers).map(([name, raw]) => [name, normaliseApprover(name, raw)] as const),
    ),
    capabilities: new Map(
      Object.entries(capabilities).map(([name, raw]) => [name, normalise(name, raw, defaults, dir)] as const),
    ),
  };
}

function checkAll({ defaults, approvers, capabilities }: SoundParts, dir: string, report: Report): void {
  if (approvers !== null) checkApprovers(approvers, report);
  checkDefaultTimes(defaults, report);
  checkDefaultEnv(defaults, report);
  for (const [name, raw] of Object.entries(capabilities)) {
    checkCapability(raw, defaults, ['capabilities', name], dir, report);
    if (approvers !== null) checkApprovals(raw, approvers, ['capabilities', name], report);
  }
}

function byPosition(a: Fault, b: Fault): number {
  return a.line - b.line || a.column - b.column;
}

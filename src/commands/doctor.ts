/** `capwrap doctor`: what works and what doesn't on this machine. */

import { escapeText, toJson } from '../base/escape.ts';
import { plural } from '../base/plural.ts';
import { statePlace } from '../base/state.ts';
import type { Capability } from '../policy/capability.ts';
import { findMapFile, type MapFile, readMapFile } from '../policy/map-file.ts';
import { analyseMap } from '../policy/parse.ts';
import { judgeMap } from '../trust/judge-map.ts';
import type { CommandContext } from '../ui/context.ts';
import type { Command } from './command.ts';
import { type Check, type CheckStatus, check, faultCheck, look } from './doctor-check.ts';
import { lookAtMachine } from './doctor-machine.ts';
import { lookAtNetwork } from './doctor-network.ts';
import { lookAtRequest } from './doctor-request.ts';
import { lookAtSources } from './doctor-sources.ts';

export interface DoctorOptions {
  /** The map; the one that `run` would use where left out. */
  readonly file?: string | undefined;
  /** Asks no host. */
  readonly offline?: boolean;
}

/**
 * Prints every finding; answers 1 where there is a problem. Obtains no credential, changes nothing, and asks no host
 * but the issuers that the map names, and the witness of the audit log.
 */
export const doctor: Command<DoctorOptions> = async (context, options) => {
  const map = await lookAtMap(context, options.file);
  const { capabilities } = map;
  const needsIssuer = capabilities.some(({ config }) => config.provider === 'local-issuer');
  const needsTerminal = capabilities.some(({ rules }) => rules.some(({ approval }) => approval !== 'none'));
  const checks = [
    ...(await lookAtMachine(context, needsIssuer, options.offline ?? false)),
    ...map.checks,
    ...(await lookAtRequest(context, needsTerminal)),
    ...(await lookAtSources(context, capabilities)),
    ...(await lookAtNetwork(capabilities, options.offline ? '--offline' : map.distrust)),
  ];
  await context.out(context.json ? asJson(checks) : asText(context, checks));
  return count(checks, 'problem') === 0 ? 0 : 1;
};

interface MapLook {
  readonly checks: readonly Check[];
  /** Empty where the map can't be used. */
  readonly capabilities: readonly Capability[];
  /** Why hosts that the map names are left alone; null where it is trusted. */
  readonly distrust: string | null;
}

async function lookAtMap(context: CommandContext, explicit: string | undefined): Promise<MapLook> {
  const { ambient } = context;
  let asked: string;
  let file: MapFile;
  try {
    asked = findMapFile(ambient, explicit);
    file = readMapFile(asked, ambient);
  } catch (error) {
    return { checks: [faultCheck('map', error)], capabilities: [], distrust: null };
  }
  const { map, faults } = analyseMap(file.bytes, file);
  const trust = await look('trust', () => trustCheck(context, file, asked));
  const distrust = trust.status === 'problem' ? 'the map is not trusted' : null;
  if (map === null) {
    const detail = `${file.path} has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`;
    return { checks: [check('map', 'problem', detail, 'capwrap check'), trust], capabilities: [], distrust };
  }
  const capabilities = [...map.capabilities.values()];
  const names = capabilities.map(({ name }) => name).join(', ');
  return { checks: [check('map', 'ok', `${file.path}: ${names}`), trust], capabilities, distrust };
}

async function trustCheck({ ambient, admin }: CommandContext, file: MapFile, asked: string): Promise<Check> {
  const verdict = await judgeMap(file, asked, { ambient, admin, stateDir: statePlace(ambient, admin).dir });
  if (!verdict.trusted) return check('trust', 'problem', verdict.why, verdict.hint);
  if (verdict.grade === 'admin_owned') return check('trust', 'ok', "the map is the administrator's");
  const detail = `${verdict.grade}: a process of this user could pin another version`;
  return check(
    'trust',
    'warning',
    detail,
    'for a boundary, let root own the map: /etc/capwrap/capabilities.yaml',
  );
}

function asJson(checks: readonly Check[]): string {
  const totals = { problems: count(checks, 'problem'), warnings: count(checks, 'warning') };
  return `${toJson({ ...totals, checks }, 2)}\n`;
}

function asText(context: CommandContext, checks: readonly Check[]): string {
  const { green, yellow, red, dim } = context.colors.stdout;
  const paint = { ok: green, warning: yellow, problem: red, skipped: dim };
  const width = Math.max(...checks.map(({ name }) => Math.min(name.length, NAME_WIDTH)));
  const lines = checks.flatMap(({ name, status, detail, fix }) => [
    `${paint[status](status.padEnd(STATUS_WIDTH))}  ${escapeText(name).padEnd(width)}  ${escapeText(detail)}`,
    ...(fix === null ? [] : [`${' '.repeat(STATUS_WIDTH + width + 4)}${dim(`fix: ${escapeText(fix)}`)}`]),
  ]);
  const problems = count(checks, 'problem');
  const warnings = count(checks, 'warning');
  lines.push('', `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}`);
  return `${lines.join('\n')}\n`;
}

const STATUS_WIDTH = 'problem'.length;
/** A longer name pushes only its own line. */
const NAME_WIDTH = 28;

function count(checks: readonly Check[], status: CheckStatus): number {
  return checks.filter((each) => each.status === status).length;
}

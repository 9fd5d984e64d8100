/** `capwrap trust`: shows what a map allows and pins exactly the bytes that were shown. */
import { openAuditLog } from '../audit/log.ts';
import type { AuditFields } from '../audit/record.ts';
import type { Ambient } from '../base/ambient.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { osUser } from '../base/os-user.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { openState, type StatePlace } from '../base/state.ts';
import { askOnTerminal } from '../base/tty.ts';
import { CapwrapError } from '../errors.ts';
import { findMapFile, type MapFile, pinnedPathOf, readMapFile, workTreeRoot } from '../policy/map-file.ts';
import { summariseMap } from '../policy/map-summary.ts';
import { parseMap } from '../policy/parse.ts';
import { requireTrusted } from '../trust/judge.ts';
import { addPin, isDigest, type Pin, readPins } from '../trust/pins.ts';
import type { CommandContext } from '../ui/context.ts';
import type { Command } from './command.ts';

export interface TrustOptions {
  /** The map; undefined means the one that `run` would use. */
  readonly file?: string | undefined;
  /** Pins without a question, and only the content with this digest. */
  readonly sha256?: string | undefined;
  /** Lists the pins instead. */
  readonly list?: boolean | undefined;
}

const ANSWER_LENGTH = 4;
const ANSWER_TIMEOUT_MS = 5 * 60 * 1000;

/**
 * Pins the map's content. On a terminal the person types the start of the digest; without one, `--sha256` names the
 * content, and the pin is graded apart. The record is durable before the pin exists. Throws ERR_MAP_UNTRUSTED where
 * the answer is missing or wrong.
 */
export const trust: Command<TrustOptions> = async (context, options) => {
  if (options.list) return listPins(context, options.file);
  const { ambient, admin } = context;
  const file = readMapFile(findMapFile(ambient, options.file), ambient);
  const summary = summariseMap(parseMap(file.bytes, file));
  if (file.adminOwned) {
    await report(context, file, 'admin_owned', 'needs no pin: it is admin_owned');
    return 0;
  }
  if (options.sha256 !== undefined) assertDigest(file, options.sha256);
  const pin: Pin = {
    path: file.path,
    repository: workTreeRoot(file.dir),
    sha256: file.sha256,
    grade: options.sha256 === undefined ? 'pinned' : 'pinned_noninteractive',
    pinned_at: new Date().toISOString(),
  };
  const state = openState(ambient, admin);
  const pins = readPins(state.dir, ambient.uid);
  requireTrusted(file, [...pins, pin], admin); // a pin that could not make the map usable is not offered
  const before = pins
    .filter((each) => each.path === pin.path && each.sha256 === pin.sha256)
    .find((each) => each.grade === pin.grade || each.grade === 'pinned');
  if (before) {
    await report(context, file, before.grade, `is trusted already (${before.grade} at ${before.pinned_at})`);
    return 0;
  }
  if (options.sha256 === undefined) await confirm(context, file, summary);
  else if (!context.json) await context.out(`${summary.join('\n')}\n`);

  const log = openAuditLog({ stateDir: state.dir, uid: ambient.uid });
  await log.append(pinRecord('trusted', pin, ambient, state), { durable: true });
  await addPin(state.dir, ambient.uid, pin);
  await report(context, file, pin.grade, `is trusted now (${pin.grade})`);
  return 0;
};

/** The record of a pin made or removed. */
export function pinRecord(
  event: 'trusted' | 'untrusted',
  pin: Pin,
  ambient: Ambient,
  state: StatePlace,
): AuditFields {
  return {
    event,
    map_path: pin.path,
    map_sha256: pin.sha256,
    map_trust: event === 'trusted' ? pin.grade : 'untrusted',
    actor: osUser(ambient.uid),
    cwd: ambient.cwd,
    ...(state.override === null ? {} : { state_override: state.override }),
  };
}

function assertDigest(file: MapFile, wanted: string): void {
  if (!isDigest(wanted)) {
    throw new CapwrapError('ERR_USAGE', '"--sha256" must be 64 lower-case hex digits', {
      hint: `sha256sum ${shellQuote(file.path)}`,
    });
  }
  if (wanted === file.sha256) return;
  throw new CapwrapError(
    'ERR_MAP_UNTRUSTED',
    `"${file.path}" was not pinned: its digest is ${file.sha256}, not the one given`,
    { hint: `capwrap trust ${shellQuote(file.path)}` },
  );
}

/** Shows the map where the answer is given: standard output may lead elsewhere. */
async function confirm(context: CommandContext, file: MapFile, summary: readonly string[]): Promise<void> {
  const shown = [`map     ${escapeText(file.path)}`, `sha256  ${file.sha256}`, '', ...summary, ''].join('\n');
  const prompt = `Type the first ${ANSWER_LENGTH} characters of the sha256 to trust it: `;
  const answer = await askOnTerminal(`${shown}\n${prompt}`, ANSWER_TIMEOUT_MS);
  const confirmed = file.sha256.slice(0, ANSWER_LENGTH);
  if (answer.kind === 'answer' && answer.text.trim().toLowerCase() === confirmed) return;
  if (answer.kind === 'no_terminal' && !context.json) await context.out(`${shown}\n`);
  const why = {
    answer: `the answer was not the first ${ANSWER_LENGTH} characters of its sha256`,
    no_terminal: 'there is no terminal to ask on',
    timeout: 'nobody answered in time',
    interrupted: 'the question was interrupted',
  }[answer.kind];
  throw new CapwrapError('ERR_MAP_UNTRUSTED', `"${file.path}" was not pinned: ${why}`, {
    hint: answer.kind === 'no_terminal' ? hintWithoutTerminal(context, file) : undefined,
  });
}

/** `--sha256` helps only where the administrator accepts its grade. */
function hintWithoutTerminal({ admin }: CommandContext, file: MapFile): string {
  const path = shellQuote(file.path);
  return [null, 'pinned_noninteractive'].includes(admin.requireMapTrust)
    ? `capwrap trust --sha256 ${file.sha256} ${path}`
    : `capwrap trust ${path}, in a terminal`;
}

async function report(context: CommandContext, file: MapFile, grade: string, text: string): Promise<void> {
  await context.out(
    context.json
      ? `${toJson({ path: file.path, sha256: file.sha256, map_trust: grade })}\n`
      : `"${escapeText(file.path)}" ${text}\nsha256 ${file.sha256}\n`,
  );
}

async function listPins(context: CommandContext, file: string | undefined): Promise<number> {
  const { ambient, admin } = context;
  const path = file === undefined ? null : pinnedPathOf(findMapFile(ambient, file));
  const pins = readPins(openState(ambient, admin).dir, ambient.uid).filter(
    (pin) => path === null || pin.path === path,
  );
  const lines = pins.map((pin) => `${pin.pinned_at}  ${pin.grade}  ${pin.sha256}  ${escapeText(pin.path)}`);
  await context.out(context.json ? `${toJson({ pins })}\n` : `${lines.join('\n') || 'no map is pinned'}\n`);
  return 0;
}

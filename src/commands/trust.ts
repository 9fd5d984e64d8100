/** `capwrap trust`: shows what a map allows, or what changed in it, and pins exactly the bytes that were shown. */
import { openAuditLog } from '../audit/log.ts';
import { ADMIN_CONFIG_PATH } from '../base/admin-config.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { MAP_TRUST_GRADES, type MapTrust } from '../base/map-trust.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { assertGradeCounts, meetsDemand } from '../trust/judge.ts';
import { isDigest } from '../trust/pin.ts';
import type { CommandContext } from '../ui/context.ts';
import type { Command } from './command.ts';
import { askForDigest } from './trust-ask.ts';
import { openCase, pinCase, pinOf, type TrustCase } from './trust-case.ts';
import { listTrust } from './trust-list.ts';
import { trustedRecord } from './trust-record.ts';
import {
  assertMaySign,
  type SignedAnswer,
  signedByFile,
  signedByKey,
  signingHint,
  statementOf,
} from './trust-signed.ts';
import { caseText } from './trust-text.ts';

export interface TrustOptions {
  /** The map; undefined means the one that `run` would use. */
  readonly file?: string | undefined;
  /** Pins without a question, and only the content with this digest. */
  readonly sha256?: string | undefined;
  /** Lists the pins instead. */
  readonly list?: boolean | undefined;
  /** Prints what an approver signs instead. */
  readonly statement?: boolean | undefined;
  /** A file with an approver's signature over the statement. */
  readonly signature?: string | undefined;
  /** An approver's key: asks, and signs with it. */
  readonly key?: string | undefined;
}

/**
 * Pins the map's content. On a terminal the person types the start of the digest; without one, `--sha256` names the
 * content, and the pin is graded apart. Once a trusted version names approvers, only a signature of one of them pins
 * the next one. The record is durable before the pin exists. Throws ERR_MAP_UNTRUSTED where the answer is missing,
 * wrong, or not the one that is asked for.
 */
export const trust: Command<TrustOptions> = async (context, options) => {
  assertOneWay(options);
  if (options.list) return listTrust(context, options.file);
  const isSigned = [options.signature, options.key, options.statement].some((way) => way !== undefined);
  const grade = isSigned ? 'signed' : options.sha256 === undefined ? 'pinned' : 'pinned_noninteractive';
  const found = await openCase(context, options.file, grade);
  if (options.statement) return printStatement(context, found);
  const { file } = found;
  if (file.adminOwned) {
    await report(context, found, 'admin_owned', 'needs no pin: it is admin_owned');
    return 0;
  }
  if (options.sha256 !== undefined) assertDigest(found, options.sha256);
  if (!isSigned) await assertUnsignedCounts(context, found);
  assertGradeCounts(file.path, grade, context.admin);
  if (isSigned) assertMaySign(context.admin, found);
  if (found.standing !== null && isAtLeast(found.standing, grade)) {
    await report(context, found, found.standing, `is trusted already (${found.standing})`);
    return 0;
  }
  const signed = await answer(context, found, options);
  const pin = pinOf(found, { grade, signature: signed === null ? null : signed.signature });
  const log = openAuditLog(found.place);
  const check = signed?.check ?? null;
  await pinCase(found, pin, async () => {
    await log.append(trustedRecord(found, pin, context.ambient, check), { durable: true });
  });
  const by = check === null ? '' : ` by ${check.principal}, ${check.grade}`;
  await report(context, found, grade, `is trusted now (${grade}${by})`, {
    approver: check?.principal ?? null,
  });
  return 0;
};

/** Shows the map and takes the answer; null for one that is no signature. */
async function answer(
  context: CommandContext,
  found: TrustCase,
  options: TrustOptions,
): Promise<SignedAnswer | null> {
  if (options.signature !== undefined) {
    const signed = signedByFile(context, found, options.signature);
    await show(context, found);
    return signed;
  }
  if (options.sha256 !== undefined) {
    await show(context, found);
    return null;
  }
  await askForDigest({
    text: caseText(found),
    purpose: options.key === undefined ? 'trust it' : `sign it with ${escapeText(options.key)}`,
    sha256: found.file.sha256,
    turnsIn: found.place.stateDir,
    undone: `"${found.file.path}" was not pinned`,
    withoutTerminal: async () => {
      await show(context, found);
      return hintWithoutTerminal(context, found, options);
    },
  });
  return options.key === undefined ? null : signedByKey(context, found, options.key);
}

/**
 * Neither a terminal nor a digest is an answer where approvers have a say; both would be the agent's to give. Content
 * that is pinned already is no change, so its grade may be raised.
 */
async function assertUnsignedCounts(context: CommandContext, found: TrustCase): Promise<void> {
  const { admin } = context;
  const { file, predecessor } = found;
  const refuse = async (why: string, hint: string) => {
    await show(context, found);
    throw new CapwrapError('ERR_MAP_UNTRUSTED', `"${file.path}" was not pinned: ${why}`, { hint });
  };
  if (found.held === null && predecessor?.mustSign) {
    const { map, fault } = predecessor.version;
    if (map === null && admin.approvers.length === 0) {
      const why = `version ${predecessor.sha256}, whose approvers have to sign, ${fault}`;
      await refuse(why, `capwrap untrust --forget ${shellQuote(file.path)}`);
    }
    const names = map === null ? admin.approvers.map(({ name }) => name) : [...map.approvers.keys()];
    await refuse(
      `one of the approvers of the version before has to sign: ${names.join(', ')}`,
      signingHint(file.path),
    );
  }
  if (
    found.standing === null &&
    !meetsDemand('pinned', admin) &&
    admin.approvers.length > 0 &&
    meetsDemand('signed', admin)
  ) {
    await refuse(
      `${ADMIN_CONFIG_PATH} demands the signature of one of its approvers`,
      signingHint(file.path),
    );
  }
}

async function printStatement(context: CommandContext, found: TrustCase): Promise<number> {
  if (!context.quiet) context.err(caseText(found).trimEnd());
  await context.out(statementOf(found));
  return 0;
}

async function show(context: CommandContext, found: TrustCase): Promise<void> {
  if (!context.json) await context.out(caseText(found));
}

function assertOneWay({ sha256, list, statement, signature, key }: TrustOptions): void {
  const given = Object.entries({ sha256, list, statement, signature, key }).filter(
    ([, value]) => value !== undefined && value !== false,
  );
  const [first, second] = given.map(([name]) => `--${name}`);
  if (second === undefined) return;
  throw new CapwrapError('ERR_USAGE', `"${first}" and "${second}" can't be given together`, {
    hint: 'capwrap trust --help',
  });
}

function assertDigest({ file }: TrustCase, wanted: string): void {
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

/** `--sha256` helps only where the administrator accepts its grade. */
function hintWithoutTerminal({ admin }: CommandContext, { file }: TrustCase, { key }: TrustOptions): string {
  const path = shellQuote(file.path);
  if (key !== undefined) return signingHint(file.path);
  return meetsDemand('pinned_noninteractive', admin)
    ? `capwrap trust --sha256 ${file.sha256} ${path}`
    : `capwrap trust ${path}, in a terminal`;
}

function isAtLeast(grade: MapTrust, other: MapTrust): boolean {
  return MAP_TRUST_GRADES.indexOf(grade) >= MAP_TRUST_GRADES.indexOf(other);
}

/** What was compared is told of a pin that was made, not of one that was there. */
async function report(
  { json, out }: CommandContext,
  { file, subject, predecessor, changes }: TrustCase,
  grade: MapTrust,
  text: string,
  made: { readonly approver: string | null } | null = null,
): Promise<void> {
  const count = (kind: string) => changes?.filter((change) => change.kind === kind).length;
  const counts = { widening: count('widening'), narrowing: count('narrowing'), neutral: count('neutral') };
  const value = {
    path: file.path,
    repo: subject.repo.name,
    sha256: file.sha256,
    map_trust: grade,
    approver: made?.approver ?? null,
    replaces: made === null ? null : (predecessor?.sha256 ?? null),
    changes: made === null || changes === null ? null : counts,
  };
  await out(json ? `${toJson(value)}\n` : `"${escapeText(file.path)}" ${text}\nsha256 ${file.sha256}\n`);
}

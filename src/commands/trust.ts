/** `capwrap trust`: shows what a map allows, or what changed in it, and pins exactly the bytes that were shown. */
import { auditLogFor } from '../audit/open.ts';
import { escapeText } from '../base/escape.ts';
import { isAtLeast } from '../base/map-trust.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { assertGradeCounts } from '../trust/judge.ts';
import { readTrust } from '../trust/pins.ts';
import type { CommandContext } from '../ui/context.ts';
import type { Command } from './command.ts';
import { askForDigest } from './trust-ask.ts';
import { openCase, pinCase, pinOf, type TrustCase } from './trust-case.ts';
import { listTrust } from './trust-list.ts';
import { trustedRecord } from './trust-record.ts';
import { assertDigest, assertOneWay, assertUnsignedCounts, hintWithoutTerminal } from './trust-refusals.ts';
import { report, show } from './trust-report.ts';
import { assertMaySign, type SignedAnswer, signedByFile, signedByKey, statementOf } from './trust-signed.ts';
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
  if (found.standing !== null && isAtLeast(found.standing, grade)) {
    await report(context, found, found.standing, `is trusted already (${found.standing})`);
    return 0;
  }
  if (!isSigned) await assertUnsignedCounts(context, found);
  assertGradeCounts(file.path, grade, context.admin);
  if (isSigned) assertMaySign(context.admin, found);
  const signed = await answer(context, found, options);
  const check = signed?.check ?? null;
  const worth = check?.worth ?? grade;
  assertGradeCounts(file.path, worth, context.admin);
  const pin = pinOf(found, { grade, signature: signed?.signature ?? null });
  const log = auditLogFor(context, found.state);
  await pinCase(found, pin, worth, async () => {
    await log.append(trustedRecord(found, worth, context.ambient, check), { durable: true });
  });
  const by = check === null ? '' : `, signed by ${check.principal}: ${check.grade}`;
  await report(context, found, worth, `is trusted now (${worth}${by})`, {
    approver: check?.principal ?? null,
  });
  tellWiderVersion(context, found);
  return 0;
};

/** Several versions can be trusted at once, so a narrower one takes nothing away from an agent that has the wider one. */
function tellWiderVersion({ err }: CommandContext, { file, place, predecessor, changes }: TrustCase): void {
  if (predecessor === null || !changes?.some(({ kind }) => kind === 'narrowing')) return;
  const { pins } = readTrust(place);
  if (!pins.some(({ path, sha256 }) => path === file.path && sha256 === predecessor.sha256)) return;
  err(
    `capwrap: warning: the version before, which allows more, is still trusted: its bytes put back grant as before`,
  );
  err(`capwrap: hint: capwrap untrust --sha256 ${predecessor.sha256} ${shellQuote(file.path)}`);
}

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

async function printStatement(context: CommandContext, found: TrustCase): Promise<number> {
  if (!context.quiet) context.err(caseText(found).trimEnd());
  await context.out(statementOf(found));
  return 0;
}

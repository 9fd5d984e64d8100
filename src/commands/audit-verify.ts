/** `capwrap audit verify`: whether anybody, or a crash, touched the log. */

import { HeadIndex } from '../audit/anchor/head-index.ts';
import { CHAIN_LIMIT, verifyLog } from '../audit/log/verify.ts';
import { placeOfBad, type Verification } from '../audit/log/verify-book.ts';
import {
  archivesWords,
  CURRENT_MISSING,
  resumedWords,
  retiredWords,
  tornWords,
  wholeWords,
} from '../audit/log/verify-words.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { plural } from '../base/plural.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { logPathOf } from './audit-log.ts';
import { anchorsAsObject, anchorsAsText, checkAnchors, type HeldAnchors } from './audit-verify-anchors.ts';

export interface AuditVerifyOptions {
  /** Files with heads that were left elsewhere; `-` for standard input. */
  readonly anchor?: readonly string[] | undefined;
  /** Keys whose signature on an anchor counts: files, or lines of OpenSSH. */
  readonly anchorKey?: readonly string[] | undefined;
}

/**
 * 0 where the chain is whole, 1 where it isn't or where there is no log: what isn't there can't be vouched for. With
 * anchors 0 only where one of them fits the log and none contradicts it. Throws ERR_USAGE for what can't be read.
 */
export async function auditVerify(context: CommandContext, options: AuditVerifyOptions): Promise<number> {
  const { anchor = [], anchorKey = [] } = options;
  if (anchorKey.length > 0 && anchor.length === 0) {
    throw new CapwrapError('ERR_USAGE', '"--anchor-key" is for anchors, and none is given', {
      hint: 'capwrap audit verify --anchor FILE --anchor-key KEY.pub',
    });
  }
  const path = logPathOf(context);
  const index = new HeadIndex();
  const found = await verifyLog(path, anchor.length === 0 ? undefined : index.add);
  const held =
    anchor.length === 0 ? null : await checkAnchors(context, path, found, index, { anchor, anchorKey });
  await context.out(
    context.json ? `${toJson(toObject(path, found, held))}\n` : toText(context, path, found, held),
  );
  return found.ok && (held === null || held.ok) ? 0 : 1;
}

function toObject(
  path: string,
  { exists, ok, currentMissing, records, recovered, resumed, retired, head, firstBad, torn }: Verification,
  held: HeldAnchors | null,
): object {
  const counts = { records, recovered, resumed, retired };
  const missing = { current_missing: currentMissing };
  const chain = { path, exists, ok, ...missing, ...counts, head, first_bad: firstBad, torn };
  if (held === null) return { ...chain, limit: CHAIN_LIMIT };
  return { ...chain, ok: ok && held.ok, chain_ok: ok, anchors: anchorsAsObject(held) };
}

function toText(
  context: CommandContext,
  path: string,
  found: Verification,
  held: HeldAnchors | null,
): string {
  const { green, red, yellow, dim } = context.colors.stdout;
  const { ok, exists, currentMissing, records, recovered, resumed, retired, head, firstBad, torn } = found;
  const lines = [dim(escapeText(path))];
  if (!exists) lines.push(red('there is no audit log'));
  if (currentMissing) {
    lines.push(red(CURRENT_MISSING));
    if (!firstBad) lines.push(archivesWords(records));
  }
  if (ok) lines.push(green(wholeWords(records)));
  if (firstBad) {
    lines.push(red(escapeText(`${placeOfBad(path, firstBad)} is bad: ${firstBad.why}`)));
    lines.push(`the ${plural(records, 'record')} before it follow one another; nothing behind it was judged`);
  }
  if (torn) {
    lines.push(yellow(tornWords(torn)));
    lines.push(
      `the ${plural(records, 'record')} before it follow one another; the next record sets the rest aside and says so`,
    );
  }
  if (recovered > 0)
    lines.push(`torn lines that were set aside: ${recovered}; capwrap audit list --event recovered`);
  if (resumed > 0) lines.push(yellow(`${resumedWords(resumed)}; capwrap audit list --event rotated`));
  if (retired > 0) lines.push(`${retiredWords(retired)}; capwrap audit list --event retired`);
  if (exists) lines.push(`head: seq=${head.seq} hash=${head.hash}`);
  if (held !== null) lines.push(...anchorsAsText(context, held));
  else if (exists) lines.push(dim(CHAIN_LIMIT));
  return `${lines.join('\n')}\n`;
}

/** `capwrap audit verify --anchor`: what heads that were left elsewhere show of the log, in words that claim no more. */

import { resolve } from 'node:path';
import { type LogSite, logIdOf, placeOf, siteOf } from '../audit/anchor/head.ts';
import type { HeadIndex } from '../audit/anchor/head-index.ts';
import { type Held, holdAgainst, type SignedAnchor } from '../audit/anchor/hold.ts';
import type { CheckedLog, HeadFrom, Tally } from '../audit/anchor/judge.ts';
import type { AnchorSource } from '../audit/anchor/sources.ts';
import { withBook } from '../audit/log/book.ts';
import { verifyLog } from '../audit/log/verify.ts';
import type { Verification } from '../audit/log/verify-book.ts';
import { escapeText } from '../base/escape.ts';
import { plural } from '../base/plural.ts';
import type { CommandContext } from '../ui/context.ts';
import { anchorKeys } from './audit-anchor-keys.ts';

export interface HeldAnchors extends Held {
  readonly wantsSigned: boolean;
  /** When the record of `newest` was written, as it says; null where no head fits. */
  readonly newestTime: string | null;
  /** Records behind the newest that a head fits. */
  readonly alone: number;
}

/** Holds the log that was checked against the anchors. Throws ERR_USAGE for what can't be read. */
export async function checkAnchors(
  context: CommandContext,
  path: string,
  found: Verification,
  index: HeadIndex,
  { anchor, anchorKey }: { readonly anchor: readonly string[]; readonly anchorKey: readonly string[] },
): Promise<HeldAnchors> {
  const { cwd } = context.ambient;
  const site = siteOf(path);
  const trusted = anchorKeys(context, anchorKey);
  let log = await checkedLog(path, site, found, index);
  const held = await holdAgainst({
    log,
    checkAgain: async () => {
      log = await checkedLog(path, site, await verifyLog(path, index.add), index);
      return log;
    },
    sources: anchor.map((name) => sourceNamed(name, cwd)),
    trusted,
    wantsSigned: anchorKey.length > 0,
  });
  const seq = held.newest?.head.seq ?? 0;
  return {
    ...held,
    wantsSigned: anchorKey.length > 0,
    newestTime: index.time(seq),
    alone: log.last - seq,
  };
}

function sourceNamed(name: string, cwd: string): AnchorSource {
  return name === '-' ? { name: 'standard input', path: null } : { name, path: resolve(cwd, name) };
}

async function checkedLog(
  path: string,
  site: LogSite,
  { head, firstBad }: Verification,
  index: HeadIndex,
): Promise<CheckedLog> {
  const id = await withBook(path, logIdOf);
  return { id, place: placeOf(site), index, last: head.seq, whole: firstBad === null };
}

export function anchorsAsObject(held: HeldAnchors): object {
  const { newest, truncated, rewritten, replaced, vouched } = held;
  return {
    ok: held.ok,
    sources: held.sources,
    matching: held.matching,
    newest: newest && { ...placeIn(newest), hash: newest.head.hash, time: held.newestTime },
    covered_by_chain_alone: newest && held.alone,
    truncated: truncated && tallyObject(truncated),
    rewritten: rewritten && { ...tallyObject(rewritten), after: rewritten.after },
    replaced,
    other_logs: held.others,
    removed: held.removed,
    unjudged: held.unjudged,
    signatures: held.signatures.map(signatureObject),
    bad_signatures: held.badSignatures,
    stray_signatures: held.strays,
    wants_signed: held.wantsSigned,
    vouched: vouched && signatureObject(vouched),
  };
}

function placeIn({ head, from }: HeadFrom): object {
  return { seq: head.seq, anchor: from };
}

function tallyObject({ heads, first }: Tally): object {
  return { heads, first: placeIn(first) };
}

function signatureObject({ from, seq, signature }: SignedAnchor): object {
  return { anchor: from, seq, ...signature };
}

/** Each line says what was seen; what a head that fits shows is said once. */
export function anchorsAsText({ colors }: CommandContext, held: HeldAnchors): string[] {
  const { green, red, yellow, dim } = colors.stdout;
  const { signatures, newest, vouched } = held;
  const fits = held.ok ? green : yellow;
  return [
    ...faults(held).map((line) => red(line)),
    ...signatures.map((signed) => (signed.signature.ok ? signatureText(signed) : red(signatureText(signed)))),
    ...(newest === null ? [] : [fits(fitText(held, newest)), aloneText(held)]),
    ...(vouched === null ? [] : [`vouched for by a trusted signature: up to seq=${vouched.seq}`]),
    ...asides(held).map((line) => dim(line)),
  ];
}

function fitText({ matching, newestTime }: HeldAnchors, { head, from }: HeadFrom): string {
  const upTo = `the log up to seq=${head.seq} (${newestTime ?? 'without a time'}) is the one that was there when that head was left`;
  return `heads of ${plural(matching, 'record')} fit, the newest in ${escapeText(from)}: ${upTo}`;
}

function aloneText({ alone }: HeldAnchors): string {
  return alone === 0
    ? 'no record is behind it'
    : `${plural(alone, 'record')} behind it: covered by the chain alone, which cannot show a rewrite or a cut there`;
}

function faults(held: HeldAnchors): string[] {
  const { truncated, rewritten, replaced } = held;
  const lines: string[] = [];
  if (truncated) {
    lines.push(`truncated: ${at(truncated)} is behind the log's end: records were cut off`);
  }
  if (rewritten) {
    const since = rewritten.after === 0 ? '' : `; up to seq=${rewritten.after} it is unchanged`;
    lines.push(`rewritten: ${at(rewritten)} is not of the record that has this seq now${since}`);
  }
  if (replaced) {
    const logs = plural(replaced.logs.length, 'other log');
    lines.push(
      `replaced: ${plural(replaced.heads, 'head')} of ${logs} at this place: this log took its place, or another machine has the same name and path`,
    );
  }
  if (held.unjudged > 0)
    lines.push(`not checked: ${plural(held.unjudged, 'head')} of records behind the bad line`);
  for (const { name } of held.sources.filter(({ heads }) => heads === 0))
    lines.push(`no head found in ${escapeText(name)}`);
  if (held.matching === 0) lines.push('no head fits this log: nothing vouches for it');
  if (held.strays > 0) {
    lines.push(
      `not checked: ${plural(held.strays, 'signature')} outside an anchor on one line; for an anchor that was formatted anew: jq -c . FILE`,
    );
  }
  if (held.badSignatures > held.signatures.filter(({ signature }) => !signature.ok).length)
    lines.push(`bad signatures in all: ${held.badSignatures}`);
  if (held.wantsSigned && held.vouched === null)
    lines.push('no anchor that fits is signed by a key that is trusted here');
  return lines;
}

function at({ heads, first: { head, from } }: Tally): string {
  const others = heads === 1 ? '' : ` (the first of ${heads})`;
  return `the head of seq=${head.seq} in ${escapeText(from)}${others}`;
}

function signatureText({ from, seq, signature }: SignedAnchor): string {
  const anchor = `anchor${seq === null ? '' : ` of seq=${seq}`} in ${escapeText(from)}`;
  if (!signature.ok) return `${anchor}: bad signature: ${signature.why}`;
  const { fingerprint, grade, trusted } = signature;
  const whose = trusted === null ? 'a key that is not known here' : `trusted: ${escapeText(trusted)}`;
  return `${anchor}: signed by ${fingerprint} (${grade}), ${whose}`;
}

/** From which nothing follows, said so that nobody takes it for checked. */
function asides({ removed, others }: HeldAnchors): string[] {
  return [
    ...(removed > 0 ? [`not checked: ${plural(removed, 'head')} of records that retention removed`] : []),
    ...(others.heads > 0
      ? [`not judged: ${plural(others.heads, 'head')} of ${plural(others.logs, 'log')} of other places`]
      : []),
  ];
}

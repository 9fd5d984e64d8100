/** `capwrap untrust`: removes pins, so that the map's content grants nothing any more. */
import { auditLogFor } from '../audit/open.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { findMapFile, pinnedPathOf } from '../policy/map-file.ts';
import { headOf, isDigest, type Lineage, type TrustStore } from '../trust/pin.ts';
import { forgetLineages, readTrust, removePins } from '../trust/pins.ts';
import { openStateFor } from '../ui/open-state.ts';
import type { Command } from './command.ts';
import { askForDigest } from './trust-ask.ts';
import { untrustedRecord } from './trust-record.ts';

export interface UntrustOptions {
  /** The map, which may be gone already; undefined means the one that `run` would use. */
  readonly file?: string | undefined;
  /** Removes only the pin of this content. */
  readonly sha256?: string | undefined;
  /** Forgets also who has to approve the next version. */
  readonly forget?: boolean | undefined;
}

/**
 * Removes the pins of one map, or the one of `sha256`. Answers 1 where there was nothing to remove. The pins go first
 * and the records follow: a log that can't be written must not keep a map trusted. Who has to approve the next version
 * stays, so that nothing can be slipped in by removing and trusting; `forget` drops that, too, and asks on the terminal.
 */
export const untrust: Command<UntrustOptions> = async (context, options) => {
  const { ambient } = context;
  const { sha256, forget = false } = options;
  if (sha256 !== undefined && (forget || !isDigest(sha256))) {
    const why = forget
      ? '"--forget" and "--sha256" can\'t be given together'
      : '"--sha256" must be 64 lower-case hex digits';
    throw new CapwrapError('ERR_USAGE', why, { hint: 'capwrap trust --list' });
  }
  const state = openStateFor(context);
  const place = { stateDir: state.dir, uid: ambient.uid };
  const path = trustedPath(findMapFile(ambient, options.file), readTrust(place));
  const log = auditLogFor(context, state);
  const lineages = forget ? readTrust(place).lineages.filter((lineage) => lineage.path === path) : [];
  const forgotten: Lineage[] = [];
  if (lineages.length > 0) {
    await confirm(path, lineages, place.stateDir);
    // Here the record comes first: what it tells of is a weaker protection.
    for (const lineage of lineages) {
      const head = { path, repo: lineage.repo, sha256: headOf(lineage) };
      await log.append(untrustedRecord(head, ambient, state, true), { durable: true });
    }
    forgotten.push(...(await forgetLineages(place, path)));
  }
  const removed = await removePins(place, path, sha256);
  for (const pin of removed) await log.append(untrustedRecord(pin, ambient, state), { durable: true });

  const digests = removed.map((pin) => pin.sha256);
  const lines = [
    ...digests.map((digest) => `"${escapeText(path)}" is not trusted any more\nsha256 ${digest}\n`),
    ...(forgotten.length === 0
      ? []
      : [`"${escapeText(path)}" is forgotten: nobody has to approve its next version\n`]),
  ];
  await context.out(
    context.json
      ? `${toJson({ path, removed: digests, forgotten: forgotten.map(headOf) })}\n`
      : lines.join('') || `"${escapeText(path)}" was not pinned\n`,
  );
  return removed.length + forgotten.length > 0 ? 0 : 1;
};

/** The path that something was trusted under: a map may have become a link since. */
function trustedPath(asked: string, { pins, lineages, oldPins }: TrustStore): string {
  const canonical = pinnedPathOf(asked);
  const isKnown = (path: string) => [...pins, ...lineages, ...oldPins].some((each) => each.path === path);
  return isKnown(asked) && !isKnown(canonical) ? asked : canonical;
}

async function confirm(path: string, lineages: readonly Lineage[], turnsIn: string): Promise<void> {
  const rows = lineages.flatMap((lineage) => [
    `repository  ${escapeText(lineage.repo ?? 'none that has a name')}`,
    `sha256      ${headOf(lineage)}`,
    `approvers   ${lineage.approvers.map(escapeText).join(', ') || 'none'}`,
  ]);
  const text = `map         ${escapeText(path)}\n${rows.join('\n')}\n\nIts next version would need nobody's signature.\n`;
  await askForDigest({
    text,
    purpose: 'forget it',
    sha256: headOf(lineages.at(-1) as Lineage),
    turnsIn,
    undone: `"${path}" was not forgotten`,
    withoutTerminal: async () => `capwrap untrust --forget ${shellQuote(path)}, in a terminal`,
  });
}

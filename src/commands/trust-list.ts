/** `capwrap trust --list`: every pin, who vouched for it, and what stands behind it. */

import { escapeText, toJson } from '../base/escape.ts';
import { findMapFile, pinnedPathOf } from '../policy/map-file.ts';
import { headOf, type Pin } from '../trust/pin.ts';
import { readTrust } from '../trust/pins.ts';
import { readVersion } from '../trust/versions.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';

/** Lists the pins, of one map where `file` is given. Signatures are verified as a run would. */
export async function listTrust(context: CommandContext, file: string | undefined): Promise<number> {
  const { ambient, admin } = context;
  const asked = file === undefined ? null : findMapFile(ambient, file);
  // A map that became a link since it was trusted has two.
  const paths = asked === null ? null : [asked, pinnedPathOf(asked)];
  const place = { stateDir: openStateFor(context).dir, uid: ambient.uid };
  const store = readTrust(place);
  const isAsked = (item: { readonly path: string }) => paths === null || paths.includes(item.path);
  const { checkSignedPin } = await import('../trust/signed.ts');
  const judged = (pin: Pin): PinRow => {
    const kept = readVersion(place, pin.sha256).kind;
    if (pin.grade !== 'signed') return row(pin, { kept });
    const check = checkSignedPin(pin, store, place, admin);
    const approver = pin.signature?.principal ?? null;
    return check.ok
      ? row(pin, { kept, grade: check.worth, approver: check.principal })
      : row(pin, { kept, approver, fault: check.why });
  };
  const pins = [
    ...store.oldPins.filter(isAsked).map((pin) => row({ ...pin, repo: null }, { old: true, fault: OLD })),
    ...store.pins.filter(isAsked).map(judged),
  ];
  const lineages = store.lineages.filter(isAsked).map((lineage) => ({
    path: lineage.path,
    repo: lineage.repo,
    sha256: headOf(lineage),
    approvers: lineage.approvers,
  }));
  const lines = [
    ...pins.map(pinLine),
    ...lineages.filter(({ approvers }) => approvers.length > 0).map(lineageLine),
  ];
  await context.out(
    context.json ? `${toJson({ pins, lineages })}\n` : `${lines.join('\n') || 'no map is pinned'}\n`,
  );
  return 0;
}

const OLD =
  'it was made by an older version of capwrap, which did not note for which repository: trust the map again';

/** The keys are stable: tools rely on them. */
interface PinRow {
  readonly path: string;
  readonly repo: string | null;
  readonly repository: string | null;
  readonly sha256: string;
  /** What it is worth: of a signed one, no more than the version whose approver signed. */
  readonly grade: string;
  readonly approver: string | null;
  readonly pinned_at: string;
  /** Whether the content is kept, to compare the next version with. */
  readonly kept: 'kept' | 'missing' | 'damaged' | 'none';
  /** True for a pin that an earlier capwrap made. */
  readonly old: boolean;
  /** Why it counts for nothing; null where it counts. */
  readonly fault: string | null;
}

function row(pin: Omit<Pin, 'signature'>, known: Partial<PinRow>): PinRow {
  const { path, repo, repository, sha256, grade, pinned_at } = pin;
  const unless = { approver: null, kept: 'none', old: false, fault: null } as const;
  return { path, repo, repository, sha256, grade, pinned_at, ...unless, ...known };
}

function pinLine({ pinned_at, grade, approver, sha256, repo, kept, old, path, fault }: PinRow): string {
  const by = approver === null ? '' : ` by ${escapeText(approver)}`;
  const columns = [
    pinned_at,
    `${old ? 'old ' : ''}${grade}${by}`,
    sha256,
    repo === null ? '-' : escapeText(repo),
    old ? '-' : kept,
    escapeText(path),
  ];
  return fault === null ? columns.join('  ') : `${columns.join('  ')}\n  counts for nothing: ${fault}`;
}

function lineageLine({
  path,
  repo,
  sha256,
  approvers,
}: {
  path: string;
  repo: string | null;
  sha256: string;
  approvers: readonly string[];
}): string {
  const where = repo === null ? '' : ` in ${escapeText(repo)}`;
  return `the next version of ${escapeText(path)}${where} needs a signature: ${approvers.map(escapeText).join(', ')} (${sha256.slice(0, 12)})`;
}

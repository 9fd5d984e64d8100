/** What `capwrap trust` prints. */
import { escapeText, toJson } from '../base/escape.ts';
import type { MapTrust } from '../base/map-trust.ts';
import type { CommandContext } from '../ui/context.ts';
import type { TrustCase } from './trust-case.ts';
import { caseText } from './trust-text.ts';

/** Shows the case on standard output, where people read it. */
export async function show(context: CommandContext, found: TrustCase): Promise<void> {
  if (!context.json) await context.out(caseText(found));
}

/** The outcome; the keys of the JSON are stable. What was compared is told of a pin that was made, not of one that was there. */
export async function report(
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

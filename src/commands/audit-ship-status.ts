/** `capwrap audit ship --status`: how far the collector is behind the log. */
import { auditLogPath } from '../audit/log/log.ts';
import { beginAt, cursorPath, readCursor } from '../audit/ship/cursor.ts';
import { shipLockPath, shipperOf, shipStatus } from '../audit/ship/status.ts';
import type { ShipSettings } from '../base/audit-settings.ts';
import { escapeText, toJson } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';

/** Prints it without asking the collector, and answers 0. Throws as `beginAt` and `shipStatus`. */
export async function showStatus(
  context: CommandContext,
  dir: string,
  { endpoint }: ShipSettings,
): Promise<number> {
  const stored = readCursor(cursorPath(dir), context.ambient.uid);
  const cursor = beginAt(stored, endpoint, undefined);
  const { last, behind, waitingSince, gone } = await shipStatus(auditLogPath(dir), cursor);
  const { logId, head, acceptedAt, sending, rejected, missed } = cursor;
  const sender = shipperOf(shipLockPath(dir));
  if (context.json) {
    await context.out(
      `${toJson({ endpoint, log_id: logId, seq: head.seq, hash: head.hash, accepted_at: acceptedAt, last, behind, waiting_since: waitingSince, gone, sending, rejected, missed, sender })}\n`,
    );
    return 0;
  }
  const lines = [
    `collector  ${endpoint}`,
    `accepted   ${head.seq === 0 ? 'nothing so far' : `up to record ${head.seq}, at ${escapeText(acceptedAt ?? '-')}`}`,
    `waiting    ${behind === 0 ? 'nothing' : `${behind} of ${last}, since ${escapeText(waitingSince ?? '-')}`}`,
    ...(gone > 0 ? [`gone       ${gone} of those that wait are not in the log any more`] : []),
    ...(sending === null
      ? []
      : [`unsure     up to record ${sending} may be there: no answer has come so far`]),
    ...(rejected > 0 ? [`rejected   ${rejected}, by the collector`] : []),
    ...(missed > 0 ? [`missed     ${missed}: not in the log any more when they were to be sent`] : []),
    `sender     ${sender === null ? 'none that runs here' : `process ${sender}`}`,
  ];
  await context.out(`${lines.join('\n')}\n`);
  return 0;
}

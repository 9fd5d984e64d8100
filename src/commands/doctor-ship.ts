/** What `capwrap doctor` says of the shipping of the audit log: how far the collector is, told without asking it. */
import { logIdOf } from '../audit/anchor/head.ts';
import { type LogBook, withBook } from '../audit/log/book.ts';
import { auditLogPath } from '../audit/log/log.ts';
import { verifyEnd } from '../audit/log/verify-end.ts';
import { auditSettings } from '../audit/settings.ts';
import { cursorPath, readCursor, type ShipCursor } from '../audit/ship/cursor.ts';
import { readHeadersFile } from '../audit/ship/headers-file.ts';
import { shipLockPath, shipperOf } from '../audit/ship/status.ts';
import { statePlace } from '../base/state.ts';
import { readCaFile } from '../broker/ca-file.ts';
import type { CommandContext } from '../ui/context.ts';
import { type Check, check } from './doctor-check.ts';

const NAME = 'audit_ship';

/** Throws what `capwrap audit ship` would, without asking the collector. */
export async function shipCheck({ ambient, admin }: CommandContext): Promise<Check> {
  const { dir } = statePlace(ambient, admin);
  const { uid } = ambient;
  const { ship } = auditSettings(admin, { stateDir: dir, uid });
  if (ship === null) return check(NAME, 'skipped', 'no collector is named');
  const { endpoint } = ship;
  readHeadersFile(ship.headersFile, uid);
  readCaFile(ship.caFile, { code: 'ERR_CONFIG_INVALID', place: 'audit.ship' });
  const cursor = readCursor(cursorPath(dir), uid);
  if (cursor === null)
    return check(NAME, 'warning', `${endpoint}: nothing was sent so far`, 'capwrap audit ship');
  if (cursor.endpoint !== endpoint) {
    const detail = `${endpoint} is named, and what was sent so far went to ${cursor.endpoint}`;
    return check(NAME, 'warning', detail, 'capwrap audit ship --help');
  }
  const log = (await withBook(auditLogPath(dir), logFacts)) ?? { last: 0, id: null };
  const behind = log.last - cursor.head.seq;
  const isOther = log.id !== null && cursor.logId !== null && log.id !== cursor.logId;
  if (behind < 0 || isOther) {
    const why = isOther ? `is log ${log.id}` : `ends with record ${log.last}`;
    const detail = `${endpoint} was sent log ${cursor.logId ?? '-'} up to record ${cursor.head.seq}, and the one here ${why}`;
    return check(NAME, 'warning', detail, 'capwrap audit ship --status');
  }
  return progressCheck(endpoint, cursor, behind, shipperOf(shipLockPath(dir)));
}

function logFacts(book: LogBook): { readonly last: number; readonly id: string | null } {
  const last = Math.max(verifyEnd(book.current).head.seq, book.archives.at(-1)?.last ?? 0);
  return { last, id: logIdOf(book) };
}

/** With a timer that sends now and then some records always wait. */
const LONG_AGO_MS = 24 * 3600_000;

function progressCheck(endpoint: string, cursor: ShipCursor, behind: number, sender: number | null): Check {
  const { acceptedAt, rejected, missed } = cursor;
  const detail = [
    `${endpoint} ${acceptedAt === null ? 'has accepted nothing so far' : `accepted last at ${acceptedAt}`}`,
    behind === 0 ? 'no record waits' : `records that wait: ${behind}`,
    sender === null ? 'no process that runs here is sending' : `process ${sender} is sending`,
    ...(rejected > 0 ? [`rejected by the collector: ${rejected}`] : []),
    ...(missed > 0 ? [`gone from the log before they were sent: ${missed}`] : []),
  ].join('; ');
  if (rejected + missed > 0) return check(NAME, 'warning', detail, 'capwrap audit ship --status');
  // Written so that a time that is none counts as long ago.
  const isRecent = Date.now() - Date.parse(acceptedAt ?? '') < LONG_AGO_MS;
  return behind > 0 && sender === null && !isRecent
    ? check(NAME, 'warning', detail, 'capwrap audit ship')
    : check(NAME, 'ok', detail);
}

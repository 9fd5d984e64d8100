/** How far the collector is: `<state>/ship-cursor.json`. The log itself is the spool; this is the place in it. */
import { join } from 'node:path';
import { toJson } from '../../base/escape.ts';
import { readPrivateFile, writePrivateFile } from '../../base/private-files.ts';
import { CapwrapError } from '../../errors.ts';
import { type ChainHead, GENESIS } from '../log/chain.ts';
import { isLogId } from '../log/log-id.ts';

export interface ShipCursor {
  /** The collector it belongs to. */
  readonly endpoint: string;
  /** Of the log that it is a place in; null before the first batch, and in a cursor of an older capwrap. */
  readonly logId: string | null;
  /** The last record that the collector accepted. */
  readonly head: ChainHead;
  /** RFC 3339, UTC; null before the first. */
  readonly acceptedAt: string | null;
  /** Last record of the batch that was being sent: whether the collector has it is unknown. Null for none. */
  readonly sending: number | null;
  /** Records that the collector said it did not take. */
  readonly rejected: number;
  /** Records that had left the log before they were sent. */
  readonly missed: number;
}

export function cursorPath(stateDir: string): string {
  return join(stateDir, 'ship-cursor.json');
}

/** Before the first record. */
function freshCursor(endpoint: string): ShipCursor {
  return { endpoint, logId: null, head: GENESIS, acceptedAt: null, sending: null, rejected: 0, missed: 0 };
}

/** Null where there is none. Throws ERR_STATE_UNSAFE for a file that others could have written, or that is no cursor. */
export function readCursor(path: string, uid: number): ShipCursor | null {
  const bytes = readPrivateFile(path, uid, 64 * 1024);
  if (bytes === null) return null;
  const cursor = parseCursor(bytes.toString());
  if (cursor) return cursor;
  throw new CapwrapError('ERR_STATE_UNSAFE', `"${path}" is no cursor of capwrap's`, {
    hint: 'to send the log from its first record on: capwrap audit ship --from first',
  });
}

/** Replaces the file in one step, and settles once the new one would survive a crash of the machine. */
export function writeCursor(path: string, cursor: ShipCursor): void {
  const { endpoint, logId, head, acceptedAt, sending, rejected, missed } = cursor;
  const { seq, hash } = head;
  writePrivateFile(
    path,
    `${toJson({ endpoint, log_id: logId, seq, hash, accepted_at: acceptedAt, sending, rejected, missed })}\n`,
  );
}

/**
 * Where to begin. `from`: `first` sends the whole log; `cursor` goes on although the collector has another address now.
 * Throws ERR_CONFIG_INVALID where the cursor is another collector's and nothing says which it is: both guesses could be
 * wrong, and then records would be lost or come twice.
 */
export function beginAt(
  stored: ShipCursor | null,
  endpoint: string,
  from: 'first' | 'cursor' | undefined,
): ShipCursor {
  if (stored === null || from === 'first') return freshCursor(endpoint);
  if (stored.endpoint === endpoint || from === 'cursor') return { ...stored, endpoint };
  throw new CapwrapError(
    'ERR_CONFIG_INVALID',
    `"audit.ship.endpoint" is "${endpoint}", and what was sent so far went to "${stored.endpoint}"`,
    {
      hint: 'the same collector at a new address: capwrap audit ship --from cursor; another one, which is to get the whole log: capwrap audit ship --from first',
    },
  );
}

function parseCursor(text: string): ShipCursor | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== 'object') return null;
  const fields = value as Record<string, unknown>;
  const { endpoint, log_id = null, seq, hash, accepted_at, sending, rejected, missed } = fields;
  if (typeof endpoint !== 'string' || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return null;
  if (log_id !== null && !isLogId(log_id)) return null;
  if (!isCount(seq) || !isCount(rejected) || !isCount(missed)) return null;
  if (accepted_at !== null && typeof accepted_at !== 'string') return null;
  if (sending !== null && !(isCount(sending) && sending > seq)) return null;
  return { endpoint, logId: log_id, head: { seq, hash }, acceptedAt: accepted_at, sending, rejected, missed };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

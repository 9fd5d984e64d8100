/** An anchor: the head of a log that was checked, said in one line of JSON that can be signed. */
import { toJson } from '../../base/escape.ts';
import { isExactTime } from '../../base/exact-time.ts';
import { headText, type LeftHead, type LogSite, placeOf } from './head.ts';

/** The namespace of the signature (PROTOCOL.sshsig): one that was made for anything else is worth nothing here. */
export const ANCHOR_NAMESPACE = 'capwrap-audit';

const VERSION = 1;

export interface AnchorStatement extends LogSite {
  readonly logId: string;
  readonly seq: number;
  readonly hash: string;
  /** How many records the log held then: fewer than `seq` where retention removed some. */
  readonly records: number;
  /** When the chain was found whole. RFC 3339, UTC. */
  readonly time: string;
}

export interface Anchor {
  readonly head: LeftHead;
  /** The bytes that are signed, as text. */
  readonly statement: string;
  /** Armored; null where it has none. */
  readonly signature: string | null;
}

/** The line, which is also what is signed: keys in this order, no blanks, a line end. */
export function anchorText(anchor: AnchorStatement): string {
  return `${toJson(objectOf(anchor))}\n`;
}

/** The same line with its signature as the last key. */
export function signedText(anchor: AnchorStatement, signature: string): string {
  return `${toJson({ ...objectOf(anchor), signature })}\n`;
}

/** The anchor in a line; null where it is none of capwrap's, or was changed so that its parts contradict one another. */
export function readAnchor(line: string): Anchor | null {
  try {
    const { signature = null, ...rest } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (signature !== null && typeof signature !== 'string') return null;
    const statement = statementIn(rest);
    if (statement === null || toJson(objectOf(statement)) !== toJson(rest)) return null;
    return { head: headOf(statement), statement: anchorText(statement), signature };
  } catch {
    return null;
  }
}

function headOf({ logId, seq, hash, host, path }: AnchorStatement): LeftHead {
  return { logId, seq, hash, place: placeOf({ host, path }) };
}

function objectOf(anchor: AnchorStatement): object {
  const { logId, seq, hash, records, time, host, path } = anchor;
  const head = headText(headOf(anchor));
  return { capwrap_audit_anchor: VERSION, head, log_id: logId, seq, hash, records, time, host, path };
}

function statementIn(object: Readonly<Record<string, unknown>>): AnchorStatement | null {
  const { log_id: logId, seq, hash, records, time, host, path } = object;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
  const isHex = (value: unknown, digits: number): value is string =>
    typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value);
  if (!isHex(logId, 16) || !isHex(hash, 64) || !isCount(seq) || !isCount(records)) return null;
  if (typeof time !== 'string' || !isExactTime(time)) return null;
  if (typeof host !== 'string' || typeof path !== 'string') return null;
  return { logId, seq, hash, records, time, host, path };
}

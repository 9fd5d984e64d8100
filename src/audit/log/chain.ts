/**
 * The chain that ties each record to the one before it. A line of the log is
 *
 *     {…,"seq":12,"prev":"<hash of line 11>","hash":"<hash of this line>"}
 *
 * with `hash` last. The hash is SHA-256 over a fixed prefix and the exact bytes of the line before `,"hash":`, so
 * nothing has to be brought into a canonical form to check it.
 */
import { createHash } from 'node:crypto';
import { toJson } from '../../base/escape.ts';
import { isJsonObject } from './json-object.ts';

/** The place in the chain behind which the next record goes. */
export interface ChainHead {
  readonly seq: number;
  /** Lower-case hex. */
  readonly hash: string;
}

/** Before the first record. */
export const GENESIS: ChainHead = { seq: 0, hash: '0'.repeat(64) };

export interface Link extends ChainHead {
  readonly prev: string;
}

/** The line of a record, without its newline, and the head behind it. `record` has at least one field. */
export function sealRecord(
  record: object,
  after: ChainHead,
): { readonly line: string; readonly head: ChainHead } {
  const seq = after.seq + 1;
  const body = `${toJson(record).slice(0, -1)},"seq":${seq},"prev":"${after.hash}"`;
  const hash = hashOf(body);
  return { line: `${body},"hash":"${hash}"}`, head: { seq, hash } };
}

/** What a line says of its place in the chain; null where it is no line of a log. Doesn't check the hash. */
export function readLink(line: Buffer): Link | null {
  const end = matchLink(line);
  if (!end || !isJsonObject(line)) return null;
  return { seq: Number(end[1]), prev: end[2] ?? '', hash: end[3] ?? '' };
}

/** The `seq` at the end of a line, for finding a place in a log; null where there is none. Judges nothing else. */
export function readSeq(line: Buffer): number | null {
  const end = matchLink(line);
  return end ? Number(end[1]) : null;
}

/** The head behind a line, or in one sentence why it doesn't follow `after`. */
export function followLine(line: Buffer, after: ChainHead): ChainHead | string {
  const link = readLink(line);
  if (!link) return 'it is no record: not one JSON object that ends in seq, prev and hash';
  if (hashOf(line.subarray(0, line.length - HASH_FIELD_LENGTH)) !== link.hash) {
    return 'its hash does not fit its bytes: it was changed';
  }
  if (link.seq !== after.seq + 1)
    return `its seq is ${link.seq} where ${after.seq + 1} is due: a record is missing or moved`;
  if (link.prev !== after.hash) return 'its prev is not the hash of the record before it';
  return { seq: link.seq, hash: link.hash };
}

function matchLink(line: Buffer): RegExpExecArray | null {
  return LINK.exec(line.toString('latin1', Math.max(0, line.length - LONGEST_LINK)));
}

const LINK = /,"seq":([1-9]\d{0,14}),"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/;
const LONGEST_LINK = 180;
const HASH_FIELD_LENGTH = ',"hash":""}'.length + 64;

/** Keeps the hash of a record from being one of anything else. */
const DOMAIN = 'capwrap audit record v1\n';

function hashOf(body: string | Uint8Array): string {
  return createHash('sha256').update(DOMAIN).update(body).digest('hex');
}

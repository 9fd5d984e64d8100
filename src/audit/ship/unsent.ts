/** What stands in the log behind a place in its chain, each line checked against the one before it. */
import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { CapwrapError } from '../../errors.ts';
import { logIdOf } from '../anchor/head.ts';
import type { BookLine, LogBook } from '../log/book.ts';
import { type ChainHead, followLine, readLink } from '../log/chain.ts';
import { parseRecord, type StoredRecord } from '../record/stored-record.ts';
import type { ShipCursor } from './cursor.ts';

/** A whole record that follows. */
export interface UnsentRecord {
  readonly line: Buffer;
  readonly record: StoredRecord;
  readonly head: ChainHead;
  /** How many records before it are not in the log any more; never of any but the first. */
  readonly missed: number;
}

/**
 * The records behind the last that was sent, in order, with bounded memory. Stops before a last line that is still being
 * written. Throws ERR_AUDIT_UNSAFE where that record is another one (the log was replaced or written anew), and at the first
 * line that doesn't follow. Where the log begins later, as when archives were removed, it must be the log that was sent by its
 * id, where that is known, and the first record says how many it lacks.
 */
export function* unsentRecords(
  book: LogBook,
  { head: after, logId }: Pick<ShipCursor, 'head' | 'logId'>,
): Generator<UnsentRecord> {
  let head: ChainHead | null = after.seq === 0 ? after : null;
  for (const line of book.lines(Math.max(1, after.seq))) {
    if (!line.ended && line.file === basename(book.path)) return;
    let missed = 0;
    if (head === null || head.seq === 0) {
      const start = startOf(line, after);
      if (start === null) {
        head = after;
        continue;
      }
      // What is tied to the last one by its hash needs no other proof.
      if (start !== after || after.seq === 0) assertSameLog(book, after, logId);
      missed = start.seq - after.seq;
      head = start;
    }
    const next = line.ended ? followLine(line.bytes, head) : 'it has no end';
    const record = typeof next === 'string' ? null : parseRecord(line.bytes);
    if (typeof next === 'string') throw badLine(line, head, next);
    if (!record || !isUtf8(line.bytes)) throw badLine(line, head, 'it is no record with an event, in UTF-8');
    head = next;
    yield { line: line.bytes, record, head, missed };
  }
  if (head === null) throw replaced(after);
}

/** The place behind which the log's first line that was read belongs; null where it is the record at `after` itself. */
function startOf(line: BookLine, after: ChainHead): ChainHead | null {
  const link = readLink(line.bytes);
  if (!link)
    throw badLine(line, after, 'it is no record: not one JSON object that ends in seq, prev and hash');
  if (link.seq === after.seq && link.hash === after.hash) return null;
  if (link.seq <= after.seq) throw replaced(after);
  if (link.seq > after.seq + 1) return { seq: link.seq - 1, hash: link.prev };
  if (link.prev !== after.hash) throw replaced(after);
  return after;
}

function badLine({ file }: BookLine, after: ChainHead, why: string): CapwrapError {
  const place = after.seq === 0 ? 'its first line' : `the line behind record ${after.seq}`;
  return new CapwrapError('ERR_AUDIT_UNSAFE', `"${file}": ${place} can't be sent: ${why}`, {
    hint: 'capwrap audit verify',
  });
}

/** An old cursor has no id: that is for `verify` with an anchor, as it was. */
function assertSameLog(book: LogBook, { seq }: ChainHead, sent: string | null): void {
  const found = sent === null ? null : logIdOf(book);
  if (found === sent) return;
  const message =
    found === null
      ? `the log begins behind record ${seq}, the last that was sent, and tells no id by which it could be known as the log that was sent, ${sent}`
      : `the log is not the one that was sent: its id is ${found}, and that one's is ${sent}`;
  throw new CapwrapError('ERR_AUDIT_UNSAFE', message, { hint: SEND_ANEW });
}

const SEND_ANEW =
  'capwrap audit verify; to send this log from its first record on: capwrap audit ship --from first';

/** The log that the cursor belongs to is gone, or is not the one that was sent. */
export function replaced({ seq, hash }: ChainHead): CapwrapError {
  return new CapwrapError(
    'ERR_AUDIT_UNSAFE',
    `the log has no record ${seq} with the hash ${hash.slice(0, 12)}…, which was the last that was sent: it was replaced, cut or written anew`,
    { hint: SEND_ANEW },
  );
}

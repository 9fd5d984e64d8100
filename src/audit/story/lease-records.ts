/** The records of one lease, found from the end of the log, and whether the chain around each of them is whole. */
import type { LogBook } from '../log/book.ts';
import { type ChainHead, followLine, GENESIS, readLink } from '../log/chain.ts';
import { mayHold, type Needle, needleOf } from '../record/needle.ts';
import { parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';

export interface LeaseRecord {
  /** The line as it stands in the log. */
  readonly line: string;
  readonly record: StoredRecord;
  /** Why the line doesn't follow the one before it, or isn't what the one behind it follows; null where nothing is wrong. */
  readonly broken: string | null;
}

export interface LeaseRecords {
  readonly lease: string;
  /** First to last. */
  readonly records: readonly LeaseRecord[];
  /** Of other leases, first to last: the approval that this one used, where another run had asked for it. */
  readonly approval: readonly LeaseRecord[];
  /** Leases of runs that were started inside of this one's, first to last. */
  readonly inside: readonly string[];
}

/**
 * The leases whose id is `lease`, or begins with it where none is. Looks at the bytes first: of a million lines only those
 * that may name the lease, or an approval that it used, are parsed.
 */
export function findLeaseRecords(book: LogBook, lease: string): readonly LeaseRecords[] {
  const found = new Map<string, LeaseRecord[]>(); // last first
  const inside = new Map<string, Set<string>>();
  const approvals: LeaseRecord[] = [];
  const ids = new Map<string, Needle>();
  const named = needleOf(lease, 'start');
  for (const { bytes, behind, before } of withNeighbours(book)) {
    if (!mayHold(bytes, named) && ![...ids.values()].some((needle) => mayHold(bytes, needle))) continue;
    const record = parseRecord(bytes);
    if (record === null) continue;
    const own = textAt(record, 'lease_id') ?? '';
    const at = { line: bytes.toString(), record, broken: brokenAt(bytes, before, behind) };
    const parent = textAt(record, 'parent_lease_id');
    if (parent?.startsWith(lease)) {
      const leases = inside.get(parent) ?? new Set();
      leases.delete(own); // its place is that of its first record
      inside.set(parent, leases.add(own));
    }
    const id = textAt(record, 'approval_id');
    if (own.startsWith(lease)) {
      const records = found.get(own) ?? [];
      records.push(at);
      found.set(own, records);
      if (found.size > 1 && !found.has(lease)) ids.clear();
      else if (id !== undefined && ids.size < MOST_APPROVALS) ids.set(id, needleOf(id, 'whole'));
    } else if (id !== undefined && ids.has(id) && APPROVAL.test(textAt(record, 'event') ?? '')) {
      approvals.push(at);
    }
  }
  const all = [...found].map(([each, lastFirst]): LeaseRecords => {
    const records = lastFirst.reverse();
    const used = new Set(records.map(({ record }) => textAt(record, 'approval_id')));
    return {
      lease: each,
      records,
      approval: approvals.filter(({ record }) => used.has(textAt(record, 'approval_id'))).reverse(),
      inside: [...(inside.get(each) ?? [])].reverse(),
    };
  });
  const exact = all.find((each) => each.lease === lease);
  return exact ? [exact] : all;
}

const APPROVAL = /^approval_/;

/** A lease has one; a log that somebody wrote could give it as many as it has lines. */
const MOST_APPROVALS = 8;

/** Each line with the one behind it and the one before it, from the end of the log on. */
function* withNeighbours(
  book: LogBook,
): Generator<{ readonly bytes: Buffer; readonly behind: Buffer | null; readonly before: Buffer | null }> {
  let behind: Buffer | null = null;
  let bytes: Buffer | null = null;
  for (const { bytes: before, ended } of book.linesBackwards()) {
    if (bytes !== null) {
      yield { bytes, behind, before };
      behind = bytes;
    }
    // A line without its end is none yet.
    bytes = ended ? before : bytes;
  }
  if (bytes !== null) yield { bytes, behind, before: null };
}

function brokenAt(bytes: Buffer, before: Buffer | null, behind: Buffer | null): string | null {
  const followed = followLine(bytes, before === null ? firstHead(bytes) : (readLink(before) ?? GENESIS));
  if (typeof followed === 'string') return followed;
  if (behind !== null && readLink(behind)?.prev !== followed.hash)
    return 'the record behind it does not follow it';
  return null;
}

/** What the first line of a log follows: nothing, or what was removed by retention. */
function firstHead(line: Buffer): ChainHead {
  const link = readLink(line);
  return link === null || link.seq === 1 ? GENESIS : { seq: link.seq - 1, hash: link.prev };
}

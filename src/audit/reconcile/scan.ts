/** The AWS leases of the audit log, in one pass that keeps no more of a record than is needed. */
import type { LogBook } from '../log/book.ts';
import type { ReconciledLease } from '../record/reconciled-record.ts';
import { parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';
import { type AwsLease, factsOf, leaseOf, timeAt, withRun, withVerdict } from './lease.ts';

/** The leases that are asked for. */
export interface LeaseWindow {
  /** The start of their ids. */
  readonly lease: string;
  /** When they were issued. */
  readonly since: Date | undefined;
  readonly until: Date | undefined;
}

export interface LeaseScan {
  /** First issued first. */
  readonly leases: readonly AwsLease[];
  /** AWS leases in the window of which no credential is recorded: the run died, or refused what it got. */
  readonly withoutCredential: readonly UnrecordedLease[];
  /** Leases of other providers by that name, which CloudTrail doesn't know. */
  readonly ofOthers: number;
  /** Lines that are no record, and leases whose records don't hold what they must. */
  readonly unreadable: number;
}

export interface UnrecordedLease {
  readonly facts: ReconciledLease;
  /** Until when the credential may still be recorded: before that the run may be about to do it. */
  readonly until: Date;
  /** True where its verdict is recorded. */
  readonly told: boolean;
}

/** Reads the whole log: an end or a verdict can stand long behind the lease. */
export function awsLeases(book: Pick<LogBook, 'lines'>, window: LeaseWindow): LeaseScan {
  const found = new Map<string, AwsLease>();
  const granted = new Map<string, UnrecordedLease>();
  const unfit = new Set<string>();
  let ofOthers = 0;
  let unreadable = 0;
  for (const { bytes, ended } of book.lines()) {
    const [, event] = HEAD.exec(bytes.toString('latin1', 0, 80)) ?? [];
    if (!ended || (event !== undefined && !TELLING.has(event))) continue;
    if (event !== undefined && !bytes.includes(AWS)) {
      if (event === 'issued' && isNamed(idIn(bytes) ?? '', window)) ofOthers++;
      continue;
    }
    const known = idIn(bytes);
    const follows = event === 'closed' || event === 'reconciled';
    if (known !== null && (follows ? !found.has(known) && !granted.has(known) : !isNamed(known, window)))
      continue;
    const record = parseRecord(bytes);
    const leaseId = record === null ? undefined : textAt(record, 'lease_id');
    if (record === null) unreadable++;
    if (record === null || leaseId === undefined || textAt(record, 'provider') !== 'aws-sts') continue;
    const lease = found.get(leaseId);
    switch (textAt(record, 'event')) {
      case 'granted':
        if (isNamed(leaseId, window) && isWithin(timeAt(record, 'timestamp'), window))
          granted.set(leaseId, unrecordedOf(leaseId, record));
        break;
      case 'issued': {
        granted.delete(leaseId);
        if (!isNamed(leaseId, window) || !isWithin(timeAt(record, 'timestamp'), window)) break;
        const issued = leaseOf(leaseId, record);
        if (issued === null) unfit.add(leaseId);
        else found.set(leaseId, issued);
        break;
      }
      case 'closed':
        if (textAt(record, 'outcome') === 'not_issued') granted.delete(leaseId);
        if (lease) found.set(leaseId, withRun(lease, record));
        break;
      case 'reconciled': {
        const unrecorded = granted.get(leaseId);
        if (unrecorded) granted.set(leaseId, { ...unrecorded, told: true });
        if (lease) found.set(leaseId, withVerdict(lease, record));
      }
    }
  }
  return {
    leases: [...found.values()].sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime()),
    withoutCredential: [...granted.values()],
    ofOthers,
    unreadable: unreadable + unfit.size,
  };
}

/** No grant lasts longer. */
const LONGEST_GRANT_MS = 12 * 3600 * 1000;

function unrecordedOf(leaseId: string, granted: StoredRecord): UnrecordedLease {
  const start = timeAt(granted, 'timestamp') ?? new Date(0);
  const until = timeAt(granted, 'deadline') ?? new Date(start.getTime() + LONGEST_GRANT_MS);
  return { facts: factsOf(leaseId, granted), until, told: false };
}

const TELLING = new Set<string>(['granted', 'issued', 'closed', 'reconciled']);

/** Told by the first bytes of a line, since parsing each takes far longer. A line that begins otherwise is looked at. */
const HEAD = /^\{"timestamp":"[^"]*","event":"([a-z_]+)"/;

/** As a record has it; inside a text the quotes would be escaped. */
const AWS = '"provider":"aws-sts"';
const ID = Buffer.from('"lease_id":"');

/** Null where it is looked at instead. */
function idIn(bytes: Buffer): string | null {
  const from = bytes.indexOf(ID);
  const end = from < 0 ? -1 : bytes.indexOf('"', from + ID.length);
  return end < 0 ? null : bytes.toString('latin1', from + ID.length, end);
}

function isNamed(leaseId: string, { lease }: LeaseWindow): boolean {
  return leaseId.startsWith(lease);
}

function isWithin(time: Date | null, { since, until }: LeaseWindow): boolean {
  return time === null || ((!since || time >= since) && (!until || time <= until));
}

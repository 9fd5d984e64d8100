/** The AWS leases of the audit log, in one pass that keeps no more of a record than is needed. */
import type { LogBook } from '../log/book.ts';
import { parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';
import { type AwsLease, leaseOf, timeAt, withRun, withVerdict } from './lease.ts';
import { goneOf, isSettled, type UnsearchableLease, unrecordedOf } from './unsearchable.ts';

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
  /**
   * AWS leases in the window that can't be looked for: no credential is recorded, since the run died, or refused what it got;
   * or only later records of it are in the log. Of such a one the first record there stands for the time of its issue.
   */
  readonly unsearchable: readonly UnsearchableLease[];
  /** Leases of other providers by that name, which CloudTrail doesn't know. */
  readonly ofOthers: number;
  /** Lines that are no record, and leases whose records don't hold what they must. */
  readonly unreadable: number;
}

/** Reads the whole log: an end or a verdict can stand long behind the lease. */
export function awsLeases(book: Pick<LogBook, 'lines'>, window: LeaseWindow): LeaseScan {
  const found = new Map<string, AwsLease>();
  const granted = new Map<string, UnsearchableLease>();
  const gone = new Map<string, UnsearchableLease>();
  /** Leases that are none of these, since they are not asked for, were not issued, or can't be read. */
  const passed = new Set<string>();
  const unfit = new Set<string>();
  let ofOthers = 0;
  let unreadable = 0;
  const remains = (leaseId: string, record: StoredRecord) => {
    if (found.has(leaseId) || granted.has(leaseId) || gone.has(leaseId)) return;
    if (isWithin(timeAt(record, 'timestamp'), window)) gone.set(leaseId, goneOf(leaseId, record));
    else passed.add(leaseId);
  };
  for (const { bytes, ended } of book.lines()) {
    const [, event] = HEAD.exec(bytes.toString('latin1', 0, 80)) ?? [];
    if (!ended || (event !== undefined && !TELLING.has(event))) continue;
    if (event !== undefined && !bytes.includes(AWS)) {
      if (event === 'issued' && isNamed(idIn(bytes) ?? '', window)) ofOthers++;
      continue;
    }
    const known = idIn(bytes);
    const isPassed = (leaseId: string) => event !== 'issued' && passed.has(leaseId);
    if (known !== null && (!isNamed(known, window) || isPassed(known))) continue;
    const record = parseRecord(bytes);
    const leaseId = record === null ? undefined : textAt(record, 'lease_id');
    if (record === null) unreadable++;
    if (record === null || leaseId === undefined || textAt(record, 'provider') !== 'aws-sts') continue;
    if (!isNamed(leaseId, window) || isPassed(leaseId)) continue;
    const lease = found.get(leaseId);
    switch (textAt(record, 'event')) {
      case 'granted':
        if (isWithin(timeAt(record, 'timestamp'), window))
          granted.set(leaseId, unrecordedOf(leaseId, record));
        else passed.add(leaseId);
        break;
      case 'issued': {
        granted.delete(leaseId);
        const issued = isWithin(timeAt(record, 'timestamp'), window) ? leaseOf(leaseId, record) : undefined;
        if (issued) found.set(leaseId, issued);
        else passed.add(leaseId);
        if (issued === null) unfit.add(leaseId);
        break;
      }
      case 'closed':
        if (lease) found.set(leaseId, withRun(lease, record));
        else if (textAt(record, 'outcome') !== 'not_issued') remains(leaseId, record);
        else {
          granted.delete(leaseId);
          passed.add(leaseId);
        }
        break;
      case 'lease_ended':
        remains(leaseId, record);
        break;
      case 'reconciled': {
        remains(leaseId, record);
        const [unrecorded, rest] = [granted.get(leaseId), gone.get(leaseId)];
        if (unrecorded) granted.set(leaseId, { ...unrecorded, told: true });
        if (rest) gone.set(leaseId, { ...rest, told: rest.told || isSettled(record) });
        if (lease) found.set(leaseId, withVerdict(lease, record));
      }
    }
  }
  return {
    leases: [...found.values()].sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime()),
    unsearchable: [...granted.values(), ...gone.values()],
    ofOthers,
    unreadable: unreadable + unfit.size,
  };
}

const TELLING = new Set<string>(['granted', 'issued', 'closed', 'lease_ended', 'reconciled']);

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

/** Leases of which the log doesn't say what CloudTrail could be asked for. */
import type { ReconciledLease, UnsearchableReason } from '../record/reconciled-record.ts';
import { type StoredRecord, textAt, textsAt, valueAt } from '../record/stored-record.ts';
import { factsOf, timeAt } from './lease.ts';

export interface UnsearchableLease {
  readonly facts: ReconciledLease;
  readonly reason: UnsearchableReason;
  /** Until when the credential may still be recorded: before that the run may be about to do it. */
  readonly until: Date;
  /** True where its verdict is recorded. */
  readonly told: boolean;
}

/** No grant lasts longer. */
const LONGEST_GRANT_MS = 12 * 3600 * 1000;

export function unrecordedOf(leaseId: string, granted: StoredRecord): UnsearchableLease {
  const start = timeAt(granted, 'timestamp') ?? new Date(0);
  const until = timeAt(granted, 'deadline') ?? new Date(start.getTime() + LONGEST_GRANT_MS);
  return { facts: factsOf(leaseId, granted), reason: 'no_credential_recorded', until, told: false };
}

/** Of which this is the first record in the log. */
export function goneOf(leaseId: string, record: StoredRecord): UnsearchableLease {
  const facts = factsOf(leaseId, record);
  return { facts, reason: 'issue_record_missing', until: new Date(0), told: false };
}

/** A verdict that a missing record doesn't change: a final one from when it was there, or that it is missing. */
export function isSettled(reconciled: StoredRecord): boolean {
  const isMissing = textsAt(reconciled, 'reasons')?.includes('issue_record_missing') ?? false;
  return (
    isMissing ||
    (textAt(reconciled, 'verdict') !== 'unverifiable' && valueAt(reconciled, 'provisional') === false)
  );
}

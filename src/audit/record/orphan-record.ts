/** The record of a lease that another capwrap ended. */

import type { Revocation } from '../../broker/provider.ts';
import type { AuditFields } from './record.ts';

/** A lease whose run had ended without closing it, closed by another capwrap. */
export interface OrphanEnd {
  readonly leaseId: string;
  /** Facts of the lease's own records, as they stand there. */
  readonly from: Pick<AuditFields, 'task_id' | 'actor' | 'repo' | 'capability' | 'provider' | 'expires_at'>;
  /** `wrapper_died`: found by `leases reap`. `asked`: by `leases end`. `no_issue_recorded`: nothing is known to end. */
  readonly reason: 'wrapper_died' | 'asked' | 'no_issue_recorded';
  /** Null where nothing was done or seen. */
  readonly revocation: Revocation | null;
}

export function leaseEndedRecord({ leaseId, from, reason, revocation }: OrphanEnd): AuditFields {
  return {
    event: 'lease_ended',
    lease_id: leaseId,
    ...from,
    reason,
    ...(revocation ? { outcome: revocation.outcome, revocation } : {}),
  };
}

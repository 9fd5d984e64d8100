/** The records of one run up to its child. Each names its fields one by one, so that no value of a lease can slip in. */
import { formatHolder, newHolder } from '../../base/lock-holder.ts';
import type { Lease } from '../../broker/provider.ts';
import type { Grant } from '../../policy/decision.ts';
import type { DeliveryKind } from '../../runner/delivery.ts';
import { deliveryFields, leaseFields, processFields } from './lease-fields.ts';
import type { AuditFields } from './record.ts';
import {
  type ApprovalState,
  approvalFields,
  type RunSubject,
  subjectFields,
  type Terms,
  termFields,
} from './run-subject.ts';

export function deniedRecord(
  subject: RunSubject,
  reason: string,
  rule: string | null,
  approval: ApprovalState,
): AuditFields {
  return {
    event: 'denied',
    ...subjectFields(subject),
    ...approvalFields(approval),
    reason,
    rule,
    outcome: 'not_issued',
  };
}

export function approvalRecord(
  event: 'approval_requested' | 'approval_given' | 'approval_denied',
  subject: RunSubject,
  grant: Grant,
  approval: Partial<ApprovalState>,
  reason?: string,
): AuditFields {
  return {
    event,
    ...subjectFields(subject),
    rule: grant.rule,
    ttl_seconds: grant.ttl,
    ...(approval.id ? { approval_id: approval.id } : {}),
    ...(approval.grade ? { approval_grade: approval.grade } : {}),
    ...(approval.approver ? { approver: approval.approver } : {}),
    ...(event === 'approval_requested' && grant.demand?.command
      ? { asked_through: grant.demand.command }
      : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

export function grantedRecord(subject: RunSubject, terms: Terms): AuditFields {
  const owner = formatHolder(newHolder());
  return {
    event: 'granted',
    ...subjectFields(subject),
    ...termFields(terms),
    ...processFields(subject),
    owner,
  };
}

/** How the child gets what was issued. */
export interface HandedOver {
  /** `direct` where what the child writes to the terminal will not be masked. */
  readonly terminal: 'direct' | null;
  readonly delivery: readonly DeliveryKind[];
}

export function issuedRecord(
  subject: RunSubject,
  terms: Terms,
  lease: Lease,
  { terminal, delivery }: HandedOver,
): AuditFields {
  return {
    event: 'issued',
    ...subjectFields(subject),
    ...termFields(terms),
    ...processFields(subject),
    ...leaseFields(lease),
    ...(lease.handle ? { handle: lease.handle } : {}),
    ...deliveryFields(delivery),
    ...(terminal ? { terminal } : {}),
  };
}

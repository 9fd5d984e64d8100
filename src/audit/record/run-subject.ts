/** What the records of one run repeat, so that each can be read by itself. */
import type { ApprovalGrade } from '../../base/approval-grade.ts';
import type { MapTrust } from '../../base/map-trust.ts';
import type { Grant } from '../../policy/decision.ts';
import type { Facts } from '../../request/facts.ts';
import type { RunRequest } from '../../request/run-request.ts';
import type { AuditFields } from './record.ts';

/** What every record of a run repeats, so that each can be read by itself. */
export interface RunSubject {
  readonly leaseId: string;
  readonly parentLeaseId: string | null;
  readonly request: RunRequest;
  /** Null where the map could not be read safely. */
  readonly map: { readonly path: string; readonly sha256: string } | null;
  readonly mapTrust: MapTrust | 'untrusted';
  readonly stateOverride: string | null;
  readonly provider: string | null;
  readonly scope: readonly string[];
  /** True where a program of the map is started for the lease, beside the command. */
  readonly secondProcess?: boolean;
  /** Masks what the caller chose: argv, claims and justification may hold a secret of the caller's. */
  readonly mask: (text: string) => string;
}

/** How far approval got. */
export interface ApprovalState {
  readonly approval: 'none' | 'granted' | 'denied';
  readonly grade: ApprovalGrade;
  readonly id: string | null;
  readonly approver: string | null;
}

export const NO_APPROVAL: ApprovalState = { approval: 'none', grade: 'none', id: null, approver: null };

/** The terms on which a request was allowed. */
export interface Terms {
  readonly grant: Grant;
  readonly deadline: Date;
  readonly approval: ApprovalState;
}

export function subjectFields(subject: RunSubject): Omit<AuditFields, 'event'> {
  const { request, mask } = subject;
  const facts = maskedFacts(request.facts, mask);
  return {
    lease_id: subject.leaseId,
    ...(subject.parentLeaseId ? { parent_lease_id: subject.parentLeaseId } : {}),
    task_id: mask(request.taskId),
    actor: facts.actor.value,
    repo: facts.repo.value,
    branch: facts.branch.value,
    commit: facts.commit.value,
    environment: facts.environment.value,
    capability: mask(request.capability),
    ...(subject.provider ? { provider: subject.provider } : {}),
    ...(subject.scope.length > 0 ? { scope: subject.scope } : {}),
    justification: request.justification === null ? null : mask(request.justification),
    facts,
    ...(subject.map ? { map_path: subject.map.path, map_sha256: subject.map.sha256 } : {}),
    map_trust: subject.mapTrust,
    ...(subject.stateOverride ? { state_override: subject.stateOverride } : {}),
    ...(request.command
      ? {
          command: request.command.argv.map(mask),
          command_path: request.command.path,
          cwd: request.command.cwd,
        }
      : {}),
  };
}

function maskedFacts(facts: Facts, mask: RunSubject['mask']): Facts {
  const masked = Object.entries(facts).map(([name, fact]) => [
    name,
    fact.value === null ? fact : { ...fact, value: mask(fact.value) },
  ]);
  return Object.fromEntries(masked) as Facts;
}

export function termFields({ grant, deadline, approval }: Terms): Omit<AuditFields, 'event'> {
  return {
    rule: grant.rule,
    ttl_seconds: grant.ttl,
    ttl_requested: grant.ttlRequested,
    deadline: deadline.toISOString(),
    ...approvalFields(approval),
  };
}

export function approvalFields(approval: ApprovalState): Omit<AuditFields, 'event'> {
  return {
    approval: approval.approval,
    approval_grade: approval.grade,
    ...(approval.id ? { approval_id: approval.id } : {}),
    ...(approval.approver ? { approver: approval.approver } : {}),
  };
}

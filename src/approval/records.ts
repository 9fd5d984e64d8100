/** The audit records of answers that are given outside of the run that asked. */
import type { AuditFields } from '../audit/record/record.ts';
import type { StatePlace } from '../base/state.ts';
import type { JudgedAnswer } from './judge.ts';
import type { ApprovalRequest } from './request.ts';
import type { ApprovalTerms } from './statement.ts';

/** Says what was asked for, as the request has it, and who approved it with what. */
export function answerRecord(
  event: 'approval_given',
  request: ApprovalRequest,
  { approver, grade, fingerprint, terms }: JudgedAnswer,
  state: StatePlace,
): AuditFields {
  return {
    event,
    ...subjectFields(request, state),
    approver,
    approval_grade: grade,
    ...permissionFields(terms, fingerprint === null ? [] : [fingerprint]),
  };
}

/** What an approval permits, and which keys it was signed with. */
export function permissionFields(terms: ApprovalTerms, keys: readonly string[]): Omit<AuditFields, 'event'> {
  return {
    ...(keys.length === 0 ? {} : { approver_key: keys.join(',') }),
    approval_uses: terms.uses,
    approval_until: terms.not_after,
  };
}

export function denialRecord(
  request: ApprovalRequest,
  who: string,
  said: string | null,
  state: StatePlace,
): AuditFields {
  return {
    event: 'approval_denied',
    ...subjectFields(request, state),
    approver: who,
    approval_grade: 'none',
    reason: 'refused',
    ...(said === null ? {} : { said }),
  };
}

function subjectFields(
  { id, lease_id, binding }: ApprovalRequest,
  state: StatePlace,
): Omit<AuditFields, 'event'> {
  return {
    approval_id: id,
    lease_id,
    task_id: binding.task_id,
    actor: binding.actor,
    repo: binding.repo,
    branch: binding.branch,
    commit: binding.commit,
    environment: binding.environment,
    capability: binding.capability,
    provider: binding.provider,
    justification: binding.justification,
    command: binding.command,
    cwd: binding.cwd,
    rule: binding.rule,
    ttl_seconds: binding.ttl_seconds,
    map_path: binding.map_path,
    map_sha256: binding.map_sha256,
    ...(state.override === null ? {} : { state_override: state.override }),
  };
}

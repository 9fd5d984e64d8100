/** The records of one run. Each names its fields one by one, so that no value of a lease can slip in. */
import type { ApprovalGrade } from '../../base/approval-grade.ts';
import { formatHolder, newHolder } from '../../base/lock-holder.ts';
import type { MapTrust } from '../../base/map-trust.ts';
import type { Lease, Outcome, Revocation } from '../../broker/provider.ts';
import type { Grant } from '../../policy/decision.ts';
import type { Facts } from '../../request/facts.ts';
import type { RunRequest } from '../../request/run-request.ts';
import type { DeliveryKind } from '../../runner/delivery.ts';
import type { EndReason } from '../../runner/ending.ts';
import { signalName } from '../../runner/exit-status.ts';
import type { TerminalMode } from '../../runner/outputs.ts';
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

/** Everything that was seen between the grant and its end. */
export interface RunEnding {
  readonly lease: Lease | null;
  /** Ways beside variables in which the child got it. */
  readonly delivery?: readonly DeliveryKind[];
  /** Expiry of a credential that the issuer handed out and capwrap refused. */
  readonly refusedUntil: Date | null;
  readonly revocation: Revocation | null;
  readonly child: ChildEnding | null;
  /** Names of secret values that were too short to be masked. */
  readonly unmasked: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** What is recorded of the child. */
interface ChildEnding {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Number of a signal that has no name in Node. */
  readonly realTimeSignal: number | null;
  readonly durationMs: number;
  readonly endReason: EndReason | null;
  readonly terminal: TerminalMode | null;
  readonly masked: { readonly stdout: number; readonly stderr: number };
}

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

/** The whole story by itself. */
export function closedRecord(subject: RunSubject, terms: Terms, ending: RunEnding): AuditFields {
  const { lease, refusedUntil, delivery = [], revocation, child, unmasked, error } = ending;
  return {
    event: 'closed',
    ...subjectFields(subject),
    ...termFields(terms),
    ...processFields(subject),
    ...(lease ? leaseFields(lease) : {}),
    ...deliveryFields(delivery),
    ...(refusedUntil ? { expires_at: refusedUntil.toISOString() } : {}),
    outcome: revocation?.outcome ?? outcomeOfRefused(refusedUntil),
    ...(revocation ? { revocation } : {}),
    ...(child ? childFields(child) : {}),
    ...(unmasked.length > 0 ? { unmasked } : {}),
    ...(error ? { error: { code: error.code, message: subject.mask(error.message) } } : {}),
  };
}

/** A credential that capwrap refused was issued all the same, and lives or lived until its expiry. */
function outcomeOfRefused(until: Date | null): Outcome {
  if (until === null) return 'not_issued';
  return until.getTime() <= Date.now() ? 'expired' : 'expires';
}

function deliveryFields(delivery: readonly DeliveryKind[]): Omit<AuditFields, 'event'> {
  return delivery.length > 0 ? { delivery } : {};
}

function childFields(child: ChildEnding): Omit<AuditFields, 'event'> {
  return {
    child: { exit_code: child.exitCode, signal: signalName(child), duration_ms: child.durationMs },
    masked: child.masked,
    ...(child.terminal ? { terminal: child.terminal } : {}),
    ...(child.endReason === 'time_limit' ? { time_limit_reached: true } : {}),
    ...(child.endReason ? { end_reason: child.endReason } : {}),
  };
}

function subjectFields(subject: RunSubject): Omit<AuditFields, 'event'> {
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

function termFields({ grant, deadline, approval }: Terms): Omit<AuditFields, 'event'> {
  return {
    rule: grant.rule,
    ttl_seconds: grant.ttl,
    ttl_requested: grant.ttlRequested,
    deadline: deadline.toISOString(),
    ...approvalFields(approval),
  };
}

function approvalFields(approval: ApprovalState): Omit<AuditFields, 'event'> {
  return {
    approval: approval.approval,
    approval_grade: approval.grade,
    ...(approval.id ? { approval_id: approval.id } : {}),
    ...(approval.approver ? { approver: approval.approver } : {}),
  };
}

/** Said from the grant on, whether or not the program got as far as issuing. */
function processFields({ secondProcess }: RunSubject): Omit<AuditFields, 'event'> {
  return secondProcess ? { second_process: true } : {};
}

/** Public facts only: of the lease's values none is touched here. */
function leaseFields(lease: Lease): Omit<AuditFields, 'event'> {
  const { facts } = lease;
  const text = (name: string) => (typeof facts[name] === 'string' ? { [name]: facts[name] } : {});
  return {
    expires_at: lease.expiresAt.toISOString(),
    principal: lease.principal,
    ...text('session_name'),
    ...text('access_key_id'),
    ...text('jti'),
    ...text('hashed_token'),
    ...text('source'),
    ...(facts['long_lived_source'] === true ? { long_lived_source: true } : {}),
    ...(typeof facts['clock_skew_seconds'] === 'number'
      ? { clock_skew_seconds: facts['clock_skew_seconds'] }
      : {}),
  };
}

/** From the grant to the end of the lease: issue, record, spawn, wait, end. */
import type { AuditLog } from './audit/record.ts';
import { issuedRecord, type RunEnding, type RunSubject, type Terms } from './audit/run-records.ts';
import { refuseInspector } from './base/ambient.ts';
import { endLease, issueLease } from './broker/lease.ts';
import type { BrokerContext, IssueRequest, Lease, Provider } from './broker/provider.ts';
import type { Situation } from './decide.ts';
import { CapwrapError } from './errors.ts';
import type { SecretRegistry } from './redact/registry.ts';
import { buildChildEnv } from './runner/child-env.ts';
import { type StartableCommand, spawnFault } from './runner/command-error.ts';
import { createIsolation, type Isolation } from './runner/isolation.ts';
import { type ChildResult, runChild } from './runner/run-child.ts';
import type { Signals } from './runner/signals.ts';
import { stepName } from './subject.ts';
import type { CommandContext } from './ui/context.ts';
import type { EventSink } from './ui/events.ts';
import type { Phases } from './ui/phases.ts';

export interface HoldInput {
  readonly context: CommandContext;
  readonly situation: Situation;
  readonly command: StartableCommand;
  readonly subject: RunSubject;
  readonly terms: Terms;
  readonly provider: Provider;
  readonly secrets: SecretRegistry;
  readonly signals: Signals;
  readonly events: EventSink;
  readonly audit: AuditLog;
  readonly phases: Phases;
}

/** What was held, and the failure that cut it short, or null. */
export interface Held extends RunEnding {
  readonly child: ChildResult | null;
  readonly failure: unknown;
}

/**
 * Issues the credential, starts the child with it, and ends it. Never throws: a failure, at whatever step, is part
 * of what is returned, after the lease has got its end.
 */
export async function holdLease(input: HoldInput): Promise<Held> {
  const { context, situation, subject, provider, secrets, signals, events, phases } = input;
  const broker: BrokerContext = {
    env: context.ambient.env,
    stateDir: situation.state.dir,
    signal: signals.aborted,
    now: () => new Date(),
    registerSecret: (name, value) => secrets.register(name, value),
  };
  let isolation: Isolation | null = null;
  let lease: Lease | null = null;
  let child: ChildResult | null = null;
  let failure: unknown = null;
  try {
    isolation = createIsolation(situation.state.dir, subject.leaseId, {
      privateHome: situation.capability.home === 'private',
    });
    refuseInspector(); // again: Node opens it asynchronously, and from here on there are secrets in memory
    if (signals.pending === null) lease = await issueLease(provider, issueRequest(input), broker);
    phases.mark('issue');
    if (lease !== null) child = await useLease(input, lease, isolation);
  } catch (error) {
    failure = error;
  }
  phases.mark('child');

  const revocation = lease && (await endLease(provider, lease, broker));
  isolation?.remove();
  if (child?.startedPid) {
    events.exited({
      exit_code: child.exitCode,
      signal: child.signal,
      duration_ms: child.durationMs,
      time_limit_reached: child.timeLimitReached,
    });
  }
  if (lease && revocation) {
    const expires = lease.expiresAt.toISOString();
    events.emit('broker.revoke', {
      lease_id: lease.leaseId,
      status: revocation.outcome,
      expires_at: expires,
    });
    if (revocation.error !== null)
      events.warn(`lease "${lease.leaseId}" was not ended: ${revocation.error}; it expires at ${expires}`);
  }
  phases.mark('end');
  return {
    lease,
    revocation,
    child,
    failure,
    refusedUntil: failure instanceof CapwrapError ? (failure.issuedUntil ?? null) : null,
    unmasked: secrets.tooShort(),
    error: failure === null ? null : describeFailure(failure),
  };
}

/** Records the lease, then starts the child, unless a signal has asked for the end. */
async function useLease(input: HoldInput, lease: Lease, isolation: Isolation): Promise<ChildResult | null> {
  const { context, situation, command, subject, terms, secrets, signals, events, audit } = input;
  for (const warning of lease.warnings) events.warn(warning);
  events.emit('broker.issue', {
    lease_id: lease.leaseId,
    provider: lease.provider,
    scope: lease.scope,
    expires_at: lease.expiresAt.toISOString(),
  });
  for (const name of secrets.tooShort()) events.warn(`"${name}" is too short to be masked in the output`);
  const env = buildChildEnv({
    capability: situation.capability,
    callerEnv: context.ambient.env,
    lease,
    taskId: situation.request.taskId,
    deadline: terms.deadline,
    isolation,
  });
  await audit.append(issuedRecord(subject, terms, lease));
  if (signals.pending !== null) return null;
  refuseInspector(); // a last time: what opened it may have been slow
  const result = await runChild({
    command,
    env,
    redactors: { stdout: secrets.redactor(), stderr: secrets.redactor() },
    deadline: terms.deadline,
    killAfterMs: situation.capability.killAfter * 1000,
    signals,
    onStart: () => events.emit('runner.exec', { step: stepName(command.argv), env_scope: 'subprocess-only' }),
  });
  if (result.spawnError !== null) throw spawnFault(command, result.spawnError);
  return result;
}

function issueRequest({ situation, subject, terms }: HoldInput): IssueRequest {
  return {
    leaseId: subject.leaseId,
    capability: situation.capability,
    ttl: terms.grant.ttl,
    deadline: terms.deadline,
    approval: terms.grant.approval,
    actor: situation.request.facts.actor.value ?? 'unknown',
    taskId: situation.request.taskId,
  };
}

function describeFailure(failure: unknown): { readonly code: string; readonly message: string } {
  if (failure instanceof CapwrapError) return { code: failure.code, message: failure.message };
  return { code: 'ERR_INTERNAL', message: failure instanceof Error ? failure.name : 'unexpected failure' };
}

/** From the grant to the end of the lease: issue, record, spawn, wait, end. */

import type { RunEnding } from './audit/record/closed-record.ts';
import type { Appended, AuditLog } from './audit/record/record.ts';
import { issuedRecord } from './audit/record/run-records.ts';
import type { RunSubject, Terms } from './audit/record/run-subject.ts';
import { refuseInspector } from './base/ambient.ts';
import { endLease } from './broker/end-lease.ts';
import { issueLease, LeaseRefused } from './broker/lease.ts';
import type { BrokerContext, IssueRequest, Lease, Provider, Revocation } from './broker/provider.ts';
import type { Situation } from './decide.ts';
import { CapwrapError } from './errors.ts';
import type { SecretRegistry } from './redact/registry.ts';
import { buildChildEnv } from './runner/child-env.ts';
import type { ChildResult } from './runner/child-result.ts';
import { changedError, leakError, NO_PTY, timeWarning } from './runner/child-words.ts';
import { type StartableCommand, spawnFault } from './runner/command-error.ts';
import { type Delivery, deliver } from './runner/delivery.ts';
import { namedDescriptors } from './runner/descriptors.ts';
import { signalName } from './runner/exit-status.ts';
import { createIsolation, type Isolation } from './runner/isolation.ts';
import { findJobserver } from './runner/jobserver.ts';
import { isDirect, type TerminalMode } from './runner/outputs.ts';
import { runChild } from './runner/run-child.ts';
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
  /** What became of the record of the grant. */
  readonly granted: Pick<Appended<unknown>, 'head' | 'unwitnessed'>;
  readonly secrets: SecretRegistry;
  readonly signals: Signals;
  readonly events: EventSink;
  readonly audit: AuditLog;
  readonly phases: Phases;
  /** Throws where the command is not the one that was approved; what it returns tells later changes of its code. */
  readonly assertUnchanged: () => () => string | null;
  /** Seconds from TERM to KILL. */
  readonly killAfter: number;
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
  const { context, situation, subject, terms, provider, secrets, signals, events, phases } = input;
  const broker: BrokerContext = {
    env: context.ambient.env,
    stateDir: situation.state.dir,
    signal: signals.aborted,
    now: () => new Date(),
    registerSecret: (name, value) => secrets.register(name, value),
  };
  let isolation: Isolation | null = null;
  let delivery: Delivery | null = null;
  let lease: Lease | null = null;
  let child: ChildResult | null = null;
  let early: Promise<Revocation> | null = null;
  let failure: unknown = null;
  try {
    if (input.granted.unwitnessed !== null) throw input.granted.unwitnessed;
    isolation = createIsolation(situation.state.dir, subject.leaseId, {
      privateHome: situation.capability.home === 'private',
    });
    refuseInspector(); // again: Node opens it asynchronously, and from here on there are secrets in memory
    if (signals.pending === null) lease = await issueLease(provider, issueRequest(input), broker);
    phases.mark('issue');
    if (lease !== null) {
      const issued = lease;
      delivery = await deliver({
        lease,
        files: situation.capability.files,
        callerEnv: context.ambient.env,
        isolation,
        uid: context.ambient.uid,
        endpoint: { deadline: terms.deadline, now: broker.now, registerSecret: broker.registerSecret },
      });
      const delivered = delivery;
      const onLeak = () => {
        void delivered.close();
        early = endLease(provider, issued, broker);
      };
      child = await useLease(input, issued, isolation, delivered, onLeak);
    }
    if (child?.changed) failure = changedError(child.changed);
    if (child?.leaked) failure = leakError(child.masked, subject.leaseId);
  } catch (error) {
    failure = error;
    if (error instanceof LeaseRefused) {
      lease = error.lease;
      early = Promise.resolve(error.revocation);
    }
  }
  phases.mark('child');
  await delivery?.close();

  const revocation = lease && (await (early ?? endLease(provider, lease, broker)));
  isolation?.remove();
  if (child?.startedPid) {
    events.exited({
      exit_code: child.exitCode,
      signal: signalName(child),
      duration_ms: child.durationMs,
      time_limit_reached: child.endReason === 'time_limit',
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
    delivery: delivery?.kinds ?? [],
    revocation,
    child,
    failure,
    refusedUntil: failure instanceof CapwrapError ? (failure.issuedUntil ?? null) : null,
    unmasked: secrets.tooShort(),
    error: failure === null ? null : describeFailure(failure),
  };
}

/** Records the lease, then starts the child, unless a signal has asked for the end. */
async function useLease(
  input: HoldInput,
  lease: Lease,
  isolation: Isolation,
  delivery: Delivery,
  onLeak: () => void,
): Promise<ChildResult | null> {
  const { context, situation, command, subject, terms, secrets, signals, events, audit } = input;
  const { env: callerEnv, launch } = context.ambient;
  const jobserver = findJobserver(callerEnv['MAKEFLAGS'], launch.descriptors);
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
    callerEnv,
    lease,
    files: delivery.fileVariables,
    endpoints: delivery.endpoints,
    taskId: situation.request.taskId,
    deadline: terms.deadline,
    isolation,
    makeflags: jobserver?.makeflags ?? null,
  });
  const issued = new Set(Object.values(lease.values).map(({ value }) => value));
  const { terminal } = situation.capability;
  const how = { terminal: isDirect(terminal) ? ('direct' as const) : null, delivery: delivery.kinds };
  await audit.append(issuedRecord(subject, terms, lease, how));
  if (signals.pending !== null) return null;
  const codeChanged = input.assertUnchanged();
  refuseInspector(); // a last time: what opened it may have been slow
  const result = await runChild({
    command,
    env,
    redactors: { stdout: secrets.redactor(), stderr: secrets.redactor(), terminal: secrets.redactor() },
    // One that is too short to be masked is still none to be shown.
    isSecret: (text) => issued.has(text) || secrets.mask(text) !== text,
    deadline: terms.deadline,
    killAfterMs: input.killAfter * 1000,
    signals,
    launch,
    terminal,
    codeChanged,
    descriptors: [...(jobserver?.descriptors ?? []), ...namedDescriptors(command.argv, launch.descriptors)],
    ...(situation.capability.onLeak === 'fail' ? { onLeak } : {}),
    onStart: (mode) => tellStart(events, command, mode),
    onTimeWarning: (leftMs) => {
      // Not into the picture of a full-screen program.
      if (!isDirect(terminal)) events.warn(timeWarning(terms.deadline, leftMs));
    },
  });
  if (result.spawnError !== null) throw spawnFault(command, result.spawnError);
  return result;
}

function tellStart(events: EventSink, command: StartableCommand, mode: TerminalMode | null): void {
  const direct = mode === 'direct' ? { terminal: mode } : {};
  events.emit('runner.exec', { step: stepName(command.argv), env_scope: 'subprocess-only', ...direct });
  if (mode === 'pipe') events.warn(NO_PTY);
}

function issueRequest({ situation, subject, terms, granted }: HoldInput): IssueRequest {
  return {
    leaseId: subject.leaseId,
    capability: situation.capability,
    ttl: terms.grant.ttl,
    deadline: terms.deadline,
    approval: terms.grant.approval,
    actor: situation.request.facts.actor.value ?? 'unknown',
    taskId: situation.request.taskId,
    auditHead: granted.head,
  };
}

function describeFailure(failure: unknown): { readonly code: string; readonly message: string } {
  if (failure instanceof CapwrapError) return { code: failure.code, message: failure.message };
  return { code: 'ERR_INTERNAL', message: failure instanceof Error ? failure.name : 'unexpected failure' };
}

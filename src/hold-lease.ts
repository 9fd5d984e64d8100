/** From the grant to the end of the lease: issue, record, spawn, wait, end. */

import type { RunEnding } from './audit/record/closed-record.ts';
import { refuseInspector } from './base/ambient.ts';
import { endLease } from './broker/end-lease.ts';
import { issueLease, LeaseRefused } from './broker/lease.ts';
import type { BrokerContext, IssueRequest, Lease, Revocation } from './broker/provider.ts';
import { CapwrapError } from './errors.ts';
import type { ChildResult } from './runner/child-result.ts';
import { changedError, leakError } from './runner/child-words.ts';
import { type Delivery, deliver } from './runner/delivery.ts';
import { signalName } from './runner/exit-status.ts';
import { createIsolation, type Isolation } from './runner/isolation.ts';
import { type HoldInput, useLease } from './use-lease.ts';

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
      child = await useLease(input, { lease, isolation, delivery, onLeak });
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

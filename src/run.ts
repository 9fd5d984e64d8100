/**
 * The story of a run, in order: decide, approve, grant, issue, spawn, end, close. Nothing is issued before the grant
 * is on disk, and every grant gets an end, whatever happens in between.
 */

import type { BroughtApproval } from './approval/obtain-input.ts';
import { approvalOfRun } from './approval-of-run.ts';
import { auditLogFor } from './audit/open.ts';
import { closedRecord } from './audit/record/closed-record.ts';
import { deniedRecord, grantedRecord } from './audit/record/run-records.ts';
import { NO_APPROVAL, type Terms } from './audit/record/run-subject.ts';
import { loadProvider } from './broker/registry.ts';
import { decide, type RequestOptions } from './decide.ts';
import { holdLease } from './hold-lease.ts';
import { lateDenial } from './limits-of-run.ts';
import { policyOf } from './policy/providers/index.ts';
import { callerSecrets } from './redact/caller-secrets.ts';
import { SecretRegistry } from './redact/registry.ts';
import { checkEvent, closingFault, deniedError, resultEvent, timeLimitError } from './refuse.ts';
import { assertStartable, commandError } from './runner/command-error.ts';
import { type Ended, endOf, outputOf } from './runner/exit-status.ts';
import { installSignals } from './runner/signals.ts';
import { subjectOf } from './subject.ts';
import { trustedMap } from './trusted-map.ts';
import type { CommandContext } from './ui/context.ts';
import { openEvents } from './ui/events.ts';
import { maskedError } from './ui/masked-error.ts';
import { openStateFor } from './ui/open-state.ts';
import type { Phases } from './ui/phases.ts';

export interface RunOptions extends RequestOptions {
  readonly approvalTimeoutMs: number;
  readonly noWait: boolean;
  /** The approval that the caller brought; null for none. */
  readonly approval: BroughtApproval | null;
  readonly eventsFd: number | null;
  /** Seconds from TERM to KILL; the map's value is the most that it can be. */
  readonly killAfter: number | null;
}

/** Runs `argv` under a capability. Returns how the process is to end; throws a CapwrapError without a secret in it. */
export async function run(
  context: CommandContext,
  options: RunOptions,
  argv: readonly string[],
  phases: Phases,
): Promise<Ended> {
  const secrets = new SecretRegistry();
  const ofCaller = callerSecrets(context.ambient.env);
  const mask = (text: string) => secrets.mask(ofCaller.mask(text));
  try {
    return await tell(context, options, argv, phases, secrets, mask);
  } catch (error) {
    throw maskedError(error, mask);
  }
}

async function tell(
  context: CommandContext,
  options: RunOptions,
  argv: readonly string[],
  phases: Phases,
  secrets: SecretRegistry,
  mask: (text: string) => string,
): Promise<Ended> {
  const signals = installSignals(context.ambient.launch.ignored);
  const events = openEvents(context, options.eventsFd, mask);

  // 1. Decide, on the exact bytes of a trusted map.
  const state = openStateFor(context);
  const audit = auditLogFor(context, state, events.warn);
  const judged = await trustedMap({ context, state, options, argv, audit, mask });
  phases.mark('map');
  const registerSecret = (name: string, value: string) => secrets.register(name, value);
  const situation = await decide(context, judged, options, argv, registerSecret);
  const { decision, request } = situation;
  const asked = subjectOf(context, situation, mask);
  checkEvent(events, situation);
  phases.mark('decide');

  // 2. Without a working directory nothing can be told of the request. A denial is a record before it is an error.
  if (request.command?.fault?.kind === 'cwd_missing') throw commandError(request.command.fault);
  if (decision.effect === 'deny') {
    resultEvent(events, decision);
    await audit.append(deniedRecord(asked, decision.reason, decision.rule, NO_APPROVAL), { durable: true });
    throw deniedError(situation, decision, options);
  }
  const { grant } = decision;
  const command = assertStartable(request.command);

  // 3. Approval, where the rule asks for one. A signal that ends the wait for it ends the run as it would have ended the command.
  const approved = await approvalOfRun({
    context,
    situation,
    grant,
    subject: asked,
    options,
    argv,
    registerSecret,
    brought: options.approval,
    timeoutMs: options.approvalTimeoutMs,
    noWait: options.noWait,
    signal: signals.aborted,
    audit,
    events,
  }).catch((error: unknown) => {
    if (signals.pending === null) throw error;
    return null;
  });
  if (approved === null) return endOf(null, signals);
  const { approval, assertUnchanged } = approved;
  const subject = { ...asked, request: approved.request };
  phases.mark('approval');

  // 4. The grant is durable before anything is issued, and what limits it is counted once more right before it.
  const provider = await loadProvider(grant.config.provider);
  phases.mark('load_provider');
  const terms: Terms = { grant, approval, deadline: new Date(Date.now() + grant.ttl * 1000) };
  const unless = await lateDenial(context, situation);
  const wantsHead = policyOf(grant.config).wantsAuditHead?.(grant.config) ?? false;
  const granted = await audit.append(grantedRecord(subject, terms), { durable: true, unless, wantsHead });
  const denial = granted.refusal;
  if (denial !== null) {
    resultEvent(events, denial);
    await audit.append(deniedRecord(subject, denial.reason, denial.rule, approval), { durable: true });
    throw deniedError(situation, denial, options);
  }
  resultEvent(events, decision);
  phases.mark('grant');

  // 5. The lease, the child, and the end of the lease.
  const held = await holdLease({
    context,
    situation,
    command,
    subject,
    terms,
    provider,
    granted,
    secrets,
    signals,
    events,
    audit,
    phases,
    assertUnchanged,
    killAfter: Math.min(options.killAfter ?? Number.POSITIVE_INFINITY, situation.capability.killAfter),
  });

  // 6. Close, with one record that holds the whole story.
  const ended = endOf(held.child, signals);
  try {
    await audit.append(closedRecord(subject, terms, held), { durable: true });
  } catch (error) {
    throw closingFault(error, held, ended);
  }
  phases.mark('close');
  if (held.failure !== null && signals.pending === null) throw held.failure;
  if (held.child?.endReason === 'time_limit') {
    await outputOf(ended);
    throw timeLimitError(terms);
  }
  return ended;
}

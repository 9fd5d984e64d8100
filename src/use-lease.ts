/** With a lease in hand: record it, then start the one child that gets it. */

import type { Appended, AuditLog } from './audit/record/record.ts';
import { issuedRecord } from './audit/record/run-records.ts';
import type { RunSubject, Terms } from './audit/record/run-subject.ts';
import { refuseInspector } from './base/ambient.ts';
import type { Lease, Provider } from './broker/provider.ts';
import type { Situation } from './decide.ts';
import type { SecretRegistry } from './redact/registry.ts';
import { buildChildEnv } from './runner/child-env.ts';
import type { ChildResult } from './runner/child-result.ts';
import { NO_PTY, timeWarning } from './runner/child-words.ts';
import { type StartableCommand, spawnFault } from './runner/command-error.ts';
import type { Delivery } from './runner/delivery.ts';
import { namedDescriptors } from './runner/descriptors.ts';
import type { Isolation } from './runner/isolation.ts';
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

/** What a lease is used with. `onLeak` ends it at once. */
export interface LeaseUse {
  readonly lease: Lease;
  readonly isolation: Isolation;
  readonly delivery: Delivery;
  readonly onLeak: () => void;
}

/** Records the lease, then starts the child, unless a signal has asked for the end. */
export async function useLease(
  input: HoldInput,
  { lease, isolation, delivery, onLeak }: LeaseUse,
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
    turnsIn: situation.state.dir,
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

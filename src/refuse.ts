/** The words of a run's decision and of each way in which it is refused. */
import type { AuditLog } from './audit/record.ts';
import type { Terms } from './audit/run-records.ts';
import { formatDuration } from './base/duration.ts';
import { shellQuote } from './base/shell-quote.ts';
import { newLeaseId } from './broker/lease-id.ts';
import type { CommandContext } from './commands/context.ts';
import type { JudgedMap, RequestOptions, Situation } from './decide.ts';
import { CapwrapError } from './errors.ts';
import type { Held } from './hold-lease.ts';
import type { Decision } from './policy/decision.ts';
import type { TrustJudgement } from './policy/trust.ts';
import type { Ended } from './runner/exit-status.ts';
import type { EventSink } from './ui/events.ts';

/** The lines `policy.check` and `policy.result`. */
export function decisionEvents(events: EventSink, { capability, request, decision }: Situation): void {
  const { facts } = request;
  const allowed = decision.effect === 'allow';
  events.emit('policy.check', {
    capability: capability.name,
    repo: facts.repo.value,
    branch: facts.branch.value,
    env: capability.environment ?? facts.environment.value,
    approval: allowed ? decision.grant.approval : 'none',
  });
  events.emit(
    'policy.result',
    allowed
      ? { approved: true, ttl_seconds: decision.grant.ttl }
      : {
          approved: false,
          reason: decision.reason,
          ...(decision.rule === null ? {} : { rule: decision.rule }),
        },
  );
}

export function deniedError(
  { capability, request }: Situation,
  decision: Decision & { effect: 'deny' },
): CapwrapError {
  const words = (request.command?.argv ?? []).map(shellQuote).join(' ');
  return new CapwrapError('ERR_DENIED', `${decision.message} [${decision.reason}]`, {
    hint: `capwrap explain ${capability.name} -- ${words}`,
  });
}

/**
 * A request on a map that nobody has reviewed is recorded, since an edit of the map is what an agent would try, and
 * refused. Nothing of the map's content is looked at.
 */
export async function refuseUntrusted(
  context: CommandContext,
  { state, file }: JudgedMap,
  trust: TrustJudgement & { trusted: false },
  options: RequestOptions,
  argv: readonly string[],
  audit: AuditLog,
  mask: (text: string) => string,
): Promise<CapwrapError> {
  const { gatherFacts } = await import('./request/gather-facts.ts');
  const { facts, taskId } = await gatherFacts(context.ambient, {
    wantCommitClean: false,
    ...claimsOf(options),
  });
  await audit.append(
    {
      event: 'denied',
      lease_id: newLeaseId(),
      task_id: mask(taskId),
      actor: facts.actor.value,
      repo: facts.repo.value,
      branch: facts.branch.value,
      commit: facts.commit.value,
      environment: facts.environment.value,
      capability: options.capability,
      facts,
      reason: 'map_untrusted',
      map_path: file.path,
      map_sha256: file.sha256,
      map_trust: 'untrusted',
      command: argv.map(mask),
      cwd: context.ambient.cwd,
      approval: 'none',
      outcome: 'not_issued',
      ...(state.override ? { state_override: state.override } : {}),
    },
    { durable: true },
  );
  return new CapwrapError('ERR_MAP_UNTRUSTED', `"${file.path}" is not trusted: ${trust.why}`, {
    hint: trust.hint,
  });
}

export function timeLimitError({ grant }: Terms): CapwrapError {
  const limit = formatDuration(grant.ttl);
  return new CapwrapError(
    'ERR_TIME_LIMIT',
    `the grant of ${limit} is over and the command was ended for it`,
    {
      hint: 'ask for more time with --ttl, within max_ttl of the capability',
    },
  );
}

/** A run whose closing record is missing must not pass for one that went well; the child's own end is told too. */
export function closingFault(error: unknown, held: Held, ended: Ended): CapwrapError {
  const why = error instanceof CapwrapError ? error.message : 'the record could not be written';
  const child = held.child
    ? `the command itself ended with status ${ended.status}`
    : 'no command was started';
  const lease = held.revocation ? `; its lease: ${held.revocation.outcome}` : '';
  return new CapwrapError(
    'ERR_AUDIT_WRITE',
    `the closing audit record is missing: ${why}; ${child}${lease}`,
    {
      hint: error instanceof CapwrapError ? error.hint : undefined,
      cause: error,
    },
  );
}

function claimsOf({ environment, actor, taskId }: RequestOptions) {
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(actor === undefined ? {} : { actor }),
    ...(taskId === undefined ? {} : { taskId }),
  };
}

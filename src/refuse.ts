/** The words of a run's decision and of each way in which it is refused. */
import type { Terms } from './audit/record/run-subject.ts';
import { formatDuration } from './base/duration.ts';
import { shellQuote } from './base/shell-quote.ts';
import type { RequestOptions, Situation } from './decide.ts';
import { CapwrapError } from './errors.ts';
import type { Held } from './hold-lease.ts';
import type { Decision } from './policy/decision.ts';
import type { Ended } from './runner/exit-status.ts';
import type { EventSink } from './ui/events.ts';

/** The line `policy.check`. */
export function checkEvent(events: EventSink, { capability, request, decision }: Situation): void {
  const { facts } = request;
  events.emit('policy.check', {
    capability: capability.name,
    repo: facts.repo.value,
    branch: facts.branch.value,
    env: capability.environment ?? facts.environment.value,
    approval: decision.effect === 'allow' ? decision.grant.approval : 'none',
  });
}

/** The line `policy.result`. It follows the approval, where one is needed: a human's "no" is a result of the policy, too. */
export function resultEvent(events: EventSink, decision: Decision, refused: string | null = null): void {
  if (decision.effect === 'allow' && refused === null) {
    const { ttl, ttlRequested } = decision.grant;
    const shortened = ttl === ttlRequested ? {} : { ttl_requested: ttlRequested };
    events.emit('policy.result', { approved: true, ttl_seconds: ttl, ...shortened });
    return;
  }
  const rule = decision.effect === 'allow' ? decision.grant.rule : decision.rule;
  events.emit('policy.result', {
    approved: false,
    reason: decision.effect === 'allow' ? refused : decision.reason,
    ...(rule === null ? {} : { rule }),
  });
}

/** The denial, with the command that explains this very request, or that gives the reason it lacks. */
export function deniedError(
  { capability, request }: Situation,
  decision: Decision & { effect: 'deny' },
  options: RequestOptions,
): CapwrapError {
  const command = (request.command?.argv ?? []).map(shellQuote).join(' ');
  const said = Object.entries(REQUEST_FLAGS).flatMap(([name, flag]) => {
    const value = options[name as keyof typeof REQUEST_FLAGS];
    return value === undefined ? [] : [`${flag} ${shellQuote(value)}`];
  });
  const words =
    decision.reason === 'justification_missing'
      ? ['capwrap run -c', capability.name, '-j "WHY"', ...said]
      : ['capwrap explain', capability.name, ...said];
  return new CapwrapError('ERR_DENIED', `${decision.message} [${decision.reason}]`, {
    hint: `${words.join(' ')} -- ${command}`,
  });
}

/** How each part of a request is given on the command line. */
const REQUEST_FLAGS = {
  map: '-f',
  environment: '--environment',
  actor: '--actor',
  taskId: '--task-id',
  ttl: '--ttl',
  justification: '-j',
} as const;

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

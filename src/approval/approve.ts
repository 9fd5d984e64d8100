/** Obtains the approval that a grant's rule asks for, and leaves its trace in the log. */
import type { AuditLog } from '../audit/record.ts';
import { type ApprovalState, approvalRecord, type RunSubject } from '../audit/run-records.ts';
import type { Grant } from '../policy/decision.ts';
import type { EventSink } from '../ui/events.ts';
import { approvalRequest, askApproval } from './ask.ts';

export const NO_APPROVAL: ApprovalState = { approval: 'none', grade: 'none', id: null, approver: null };

/** Why a run without the approval it needs ends, and what the caller can do. */
export const APPROVAL_FAULTS = {
  no_terminal: { why: 'needs a human on a terminal, and there is none', hint: 'run it on a terminal' },
  not_waiting: {
    why: 'needs a human, and --no-wait was given',
    hint: 'run it on a terminal, without --no-wait',
  },
  timeout: { why: 'got no answer in time', hint: 'give the human more time with --approval-timeout' },
  interrupted: { why: 'was interrupted', hint: undefined },
  refused: { why: 'was denied', hint: undefined },
} as const;

type ApprovalFault = keyof typeof APPROVAL_FAULTS;

/** `fault` is null where the run may go on. */
export interface ApprovalOutcome {
  readonly state: ApprovalState;
  readonly fault: ApprovalFault | null;
}

/** Asks where the rule says so. The request is on disk before the human sees it, the answer before anything is issued. */
export async function approve(
  grant: Grant,
  subject: RunSubject,
  wait: { readonly timeoutMs: number; readonly noWait: boolean; readonly uid: number },
  audit: AuditLog,
  events: EventSink,
): Promise<ApprovalOutcome> {
  if (grant.approval === 'none') return { state: NO_APPROVAL, fault: null };
  const request = approvalRequest(grant, subject.request);
  await audit.append(approvalRecord('approval_requested', subject, grant, { id: request.id }), {
    durable: true,
  });
  events.emit('approval.request', {
    id: request.id,
    answer: wait.noWait ? 'none, --no-wait' : `type ${request.answer} on the terminal`,
  });

  const answer = wait.noWait
    ? { granted: false as const, reason: 'not_waiting' as const }
    : await askApproval(request, wait.timeoutMs, wait.uid);
  if (answer.granted) {
    const state = {
      approval: 'granted',
      grade: answer.grade,
      id: request.id,
      approver: answer.approver,
    } as const;
    await audit.append(approvalRecord('approval_given', subject, grant, state), { durable: true });
    events.emit('approval.result', { id: request.id, granted: true, grade: answer.grade });
    return { state, fault: null };
  }
  const state = { approval: 'denied', grade: 'none', id: request.id, approver: null } as const;
  await audit.append(approvalRecord('approval_denied', subject, grant, state, answer.reason), {
    durable: true,
  });
  events.emit('approval.result', { id: request.id, granted: false, reason: answer.reason });
  return { state, fault: answer.reason };
}

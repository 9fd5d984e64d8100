/** The approval of a run: none where the rule asks for none, else what the approval room obtains. */
import type { BroughtApproval } from './approval/obtain.ts';
import type { AuditLog } from './audit/record.ts';
import { type ApprovalState, deniedRecord, NO_APPROVAL, type RunSubject } from './audit/run-records.ts';
import { childPath, type Situation } from './decide.ts';
import type { Grant } from './policy/decision.ts';
import { resultEvent } from './refuse.ts';
import { commitCleanFact } from './request/gather-facts.ts';
import type { RunRequest } from './request/run-request.ts';
import type { CommandContext } from './ui/context.ts';
import type { EventSink } from './ui/events.ts';

export interface ApprovalInput {
  readonly context: CommandContext;
  readonly situation: Situation;
  readonly grant: Grant;
  readonly subject: RunSubject;
  /** The approval that the caller brought; null for none. */
  readonly brought: BroughtApproval | null;
  readonly timeoutMs: number;
  readonly noWait: boolean;
  readonly signal: AbortSignal;
  readonly audit: AuditLog;
  readonly events: EventSink;
}

export interface ApprovedRun {
  readonly approval: ApprovalState;
  /** Throws ERR_COMMAND_CHANGED where a file of the command is not the one that was approved. */
  readonly assertUnchanged: () => void;
}

/**
 * Obtains what the rule asks for. Throws where it doesn't get it, with the denial printed and recorded. Nothing of the approval room is loaded for a rule that asks for none.
 */
export async function approvalOfRun(input: ApprovalInput): Promise<ApprovedRun> {
  const { context, situation, grant, subject, audit, events } = input;
  const { demand } = grant;
  if (demand === null) {
    return { approval: NO_APPROVAL, assertUnchanged: () => undefined };
  }
  const { approvalError, assertUnchanged, obtainApproval, openApprovals } = await import(
    './approval/for-runs.ts'
  );
  const { uid, env } = context.ambient;
  const stateDir = situation.state.dir;
  const { state, fault, files } = await obtainApproval({
    ...input,
    demand,
    request: await withCommitClean(context, situation.request),
    approvers: situation.map.approvers,
    map: situation.file,
    childPath: childPath(situation.capability, env),
    uid,
    stateDir,
    quiet: context.quiet,
    store: openApprovals(stateDir, uid),
  });
  if (fault === null) return { approval: state, assertUnchanged: () => assertUnchanged(files) };
  resultEvent(events, situation.decision, `approval_${fault.reason}`);
  await audit.append(deniedRecord(subject, `approval_${fault.reason}`, grant.rule, state), { durable: true });
  throw approvalError(grant.capability, fault);
}

/** An approval is for a clean tree or for a changed one, so this is found out although no rule may ask for it. */
async function withCommitClean({ ambient }: CommandContext, request: RunRequest): Promise<RunRequest> {
  if (request.facts.commit_clean.value !== null) return request;
  return { ...request, facts: { ...request.facts, commit_clean: await commitCleanFact(ambient) } };
}

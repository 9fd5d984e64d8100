/** The approval of a run: none where the rule asks for none, else what the approval room obtains. */
import type { Asked, BroughtApproval } from './approval/obtain-input.ts';
import type { CodeWatch } from './approval/watch-code.ts';
import type { AuditLog } from './audit/record/record.ts';
import { deniedRecord } from './audit/record/run-records.ts';
import { type ApprovalState, NO_APPROVAL, type RunSubject } from './audit/record/run-subject.ts';
import { childPath, decide, type RequestOptions, readJudgedMap, type Situation } from './decide.ts';
import { CapwrapError } from './errors.ts';
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
  readonly options: RequestOptions;
  readonly argv: readonly string[];
  /** Of proofs that a fact is verified by. */
  readonly registerSecret: (name: string, value: string) => void;
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
  /** The request with all facts that the approval is for. */
  readonly request: RunRequest;
  /** Throws ERR_COMMAND_CHANGED where a file of the command is not the one that was approved; tells later changes of its code. */
  readonly assertUnchanged: () => CodeWatch;
}

/**
 * Obtains what the rule asks for. Throws where it doesn't get it, with the denial printed and recorded. Nothing of the
 * approval room is loaded for a rule that asks for none.
 */
export async function approvalOfRun(input: ApprovalInput): Promise<ApprovedRun> {
  const { context, situation, grant, subject, audit, events } = input;
  const { demand } = grant;
  if (demand === null) {
    if (input.brought !== null) throw notNeeded(grant, input.brought.request.id);
    return { approval: NO_APPROVAL, request: situation.request, assertUnchanged: () => () => null };
  }
  const { approvalError, assertUnchanged, obtainApproval, openApprovals, watchCode } = await import(
    './approval/for-runs.ts'
  );
  const { uid, env } = context.ambient;
  const stateDir = situation.state.dir;
  const store = openApprovals(stateDir, uid);
  const path = childPath(situation.capability, env);
  const request = await withCommitClean(context, situation.request);
  const { state, fault, files } = await obtainApproval({
    ...input,
    demand,
    current: askedNow(input, request),
    approvers: situation.map.approvers,
    childPath: path,
    uid,
    stateDir,
    quiet: context.quiet,
    store,
    env,
    pass: situation.capability.env.pass,
    digestKey: store.digestKey(),
  });
  if (fault === null) {
    const { command } = situation.request;
    const check = () => {
      if (command === null) return () => null;
      const watch = watchCode(command, path); // before the look, so that nothing comes in between
      assertUnchanged(files, command, path);
      return watch;
    };
    return { approval: state, request, assertUnchanged: check };
  }
  resultEvent(events, situation.decision, `approval_${fault.reason}`);
  await audit.append(deniedRecord(subject, `approval_${fault.reason}`, grant.rule, state), { durable: true });
  throw approvalError(grant.capability, fault);
}

/** An approval that isn't used is most likely for something else than what was typed. */
function notNeeded({ capability, rule }: Grant, id: string): CapwrapError {
  return new CapwrapError(
    'ERR_USAGE',
    `"--approval ${id}" is not needed: ${rule} of "${capability}" asks for none`,
    {
      hint: 'leave it out, or look at what was approved: capwrap approvals --all',
    },
  );
}

/** The request as it was decided; each further time as it is by then, on the map as it is by then. */
function askedNow(
  { context, situation, options, argv, registerSecret }: ApprovalInput,
  request: RunRequest,
): () => Promise<Asked> {
  let first = true;
  return async () => {
    if (first) {
      first = false;
      return { request, map: situation.file };
    }
    const judged = await readJudgedMap(context, options.map, situation.state);
    const map = judged.trust.trusted
      ? judged.file
      : { path: judged.file.path, sha256: 'not trusted any more' };
    if (map.sha256 !== situation.file.sha256) return { request, map };
    const same = { ...options, taskId: situation.request.taskId };
    const again = await decide(context, judged, same, argv, registerSecret);
    return { request: await withCommitClean(context, again.request), map };
  };
}

/** An approval is for a clean tree or for a changed one, so this is found out although no rule may ask for it. */
async function withCommitClean({ ambient }: CommandContext, request: RunRequest): Promise<RunRequest> {
  if (request.facts.commit_clean.value !== null) return request;
  return { ...request, facts: { ...request.facts, commit_clean: await commitCleanFact(ambient) } };
}

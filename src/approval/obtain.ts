/**
 * Obtains the approval that a grant's rule asks for. In order: bind the request to what it is for, note it, ask (on the
 * terminal, or out of band), judge what comes back, and take one use of it. The request is on the disk before a human
 * sees it, and the use before anything is issued.
 */
import type { AuditLog } from '../audit/record.ts';
import { type ApprovalState, approvalRecord, type RunSubject } from '../audit/run-records.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import type { Grant } from '../policy/decision.ts';
import type { RunRequest } from '../request/run-request.ts';
import type { EventSink } from '../ui/events.ts';
import { admitRequest, closeRequest, spendApproval, standing } from './admission.ts';
import type { Answer } from './answer.ts';
import { type Binding, bindingOf, differences } from './binding.ts';
import type { BoundFile } from './bound-files.ts';
import { type ApprovalFault, FAULTS } from './faults.ts';
import { type Gathered, gatherAnswers } from './gather.ts';
import { judgeAnswers } from './judge.ts';
import { type ApprovalRequest, newIdentity, newRequest } from './request.ts';
import type { ApprovalStore } from './store.ts';

/** An approval that is to be used: its request, and answers that were brought along instead of stored ones. */
export interface BroughtApproval {
  readonly request: ApprovalRequest;
  readonly answers: readonly Answer[] | null;
}

export interface ObtainInput {
  readonly grant: Grant;
  readonly demand: ApprovalDemand;
  readonly approvers: ReadonlyMap<string, Approver>;
  /** With all facts that an approval is for. */
  readonly request: RunRequest;
  readonly subject: RunSubject;
  readonly map: { readonly path: string; readonly sha256: string };
  readonly childPath: string | undefined;
  readonly uid: number;
  readonly stateDir: string;
  readonly store: ApprovalStore;
  readonly brought: BroughtApproval | null;
  readonly timeoutMs: number;
  readonly noWait: boolean;
  /** True where capwrap's own lines are left out. */
  readonly quiet: boolean;
  readonly signal: AbortSignal;
  readonly audit: AuditLog;
  readonly events: EventSink;
}

/** `fault` is null where the run may go on, with exactly these files. */
export interface Obtained {
  readonly state: ApprovalState;
  readonly fault: ApprovalFault | null;
  readonly files: readonly BoundFile[];
}

/** How long a request that nobody waits for can be answered. */
const UNATTENDED_MS = 24 * 3600 * 1000;

export async function obtainApproval(input: ObtainInput): Promise<Obtained> {
  const { brought, events } = input;
  const identity = brought?.request ?? newIdentity();
  const binding = bindingOf({
    ...input,
    nonce: identity.nonce,
    mask: input.subject.mask,
  });
  const found = brought ? await takeUp(input, brought, binding) : await askAnew(input, identity, binding);
  const { id } = identity;
  if ('reason' in found) {
    events.emit('approval.result', { id, granted: false, reason: found.reason });
    return { state: { approval: 'denied', grade: 'none', id, approver: null }, fault: found, files: [] };
  }
  const { grade, approvers } = found.approval;
  const approver = approvers.join(',');
  events.emit('approval.result', { id, granted: true, grade, approver });
  return { state: { approval: 'granted', grade, id, approver }, fault: null, files: binding.files };
}

/** Asks for this run. */
async function askAnew(
  input: ObtainInput,
  identity: Pick<ApprovalRequest, 'id' | 'nonce'>,
  binding: Binding,
): Promise<Gathered | ApprovalFault> {
  const { store, subject, demand, audit, grant } = input;
  const within = input.noWait ? UNATTENDED_MS : input.timeoutMs;
  const about = { lease_id: subject.leaseId, demand, binding };
  const request = newRequest(identity, about, new Date(), within);
  const restrained = await admitRequest(store.ledger, request, new Date());
  if (restrained !== null) return restrained;
  store.addRequest(request);
  await audit.append(approvalRecord('approval_requested', subject, grant, { id: request.id }), {
    durable: true,
  });
  announce(input, request);
  const found = await gather(input, request);
  if (!('reason' in found)) return spend(input, request, found);
  if (found.reason !== 'pending') await close(input, request, found);
  return found;
}

/** Takes up an approval that another run has asked for, which may still have to be waited for. */
async function takeUp(
  input: ObtainInput,
  { request, answers }: BroughtApproval,
  binding: Binding,
): Promise<Gathered | ApprovalFault> {
  const { store, demand, approvers } = input;
  const changed = differences(request.binding, binding);
  if (changed.length > 0) return FAULTS.changed(changed);
  const over = standing(store.ledger.read(), request.id, null);
  if (over !== null) return over.reason === 'refused' ? FAULTS.refused(store.denial(request.id)) : over;
  const given = answers ?? store.answers(request.id);
  const { approval, refused } = judgeAnswers({ request, answers: given, demand, approvers, now: new Date() });
  if (approval !== null) return spend(input, request, { approval, unrecorded: answers !== null });
  const [first] = refused;
  if (first !== undefined) return FAULTS.answer(first.reason, first.detail);
  if (input.noWait) return FAULTS.pending(request.id);
  announce(input, request);
  const found = await gather({ ...input, demand: { ...demand, command: null } }, request);
  return 'reason' in found ? found : spend(input, request, found);
}

function gather(input: ObtainInput, request: ApprovalRequest): Promise<Gathered | ApprovalFault> {
  return gatherAnswers({ ...input, request, warn: (message) => input.events.warn(message) });
}

/** Names the request, and the command by which a human answers it. */
function announce({ events, subject, demand, noWait, quiet }: ObtainInput, { id }: ApprovalRequest): void {
  const command = `${placeVariable(subject.stateOverride)}capwrap approve ${id}`;
  const here = demand.kind === 'prompt' && !noWait ? 'on this terminal, or: ' : '';
  events.emit('approval.request', { id, answer: `${here}${command}` });
  // A run that waits and says nothing looks like one that hangs.
  if (quiet && demand.kind === 'signed' && !noWait) events.warn(`waiting for an approval: ${command}`);
}

/** What the human's shell must have, too, where the state is in another place than usual. */
function placeVariable(override: string | null): string {
  if (override === null) return '';
  const [name = ''] = override.split('=', 1);
  return `${name}=${shellQuote(override.slice(name.length + 1))} `;
}

/** Takes one use. The record of an answer that was given to this run comes first, the ledger's line after it. */
async function spend(
  { store, subject, audit, grant }: ObtainInput,
  request: ApprovalRequest,
  found: Gathered,
): Promise<Gathered | ApprovalFault> {
  const { grade, approvers, terms } = found.approval;
  if (found.unrecorded) {
    const given = { id: request.id, grade, approver: approvers.join(',') };
    await audit.append(approvalRecord('approval_given', subject, grant, given), { durable: true });
  }
  return (await spendApproval(store.ledger, request, terms, subject.leaseId)) ?? found;
}

/** Ends a request that this run gives up; somebody's "no" that is recorded already is not recorded twice. */
async function close(
  { store, subject, audit, grant }: ObtainInput,
  request: ApprovalRequest,
  fault: ApprovalFault,
) {
  const denied = fault.reason === 'refused';
  const before = await closeRequest(store.ledger, request, denied ? 'deny' : 'end');
  if (before !== null && denied) return;
  const state = { id: request.id, grade: 'none' as const };
  await audit.append(approvalRecord('approval_denied', subject, grant, state, fault.reason), {
    durable: true,
  });
}

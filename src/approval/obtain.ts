/**
 * Obtains the approval that a grant's rule asks for. In order: bind the request to what it is for, note it, ask (on the
 * terminal, or out of band), judge what comes back, and take one use of it. The request is on the disk before a human
 * sees it, and the use before anything is issued.
 */
import type { AuditLog } from '../audit/record.ts';
import { type ApprovalState, approvalRecord, type RunSubject } from '../audit/run-records.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { hasTerminal } from '../base/tty.ts';
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import type { Grant } from '../policy/decision.ts';
import type { RunRequest } from '../request/run-request.ts';
import type { EventSink } from '../ui/events.ts';
import { admitRequest, closeRequest, spendApproval, standing } from './admission.ts';
import type { Answer } from './answer.ts';
import { type Binding, bindingOf, differencesInWords, holdsSecret } from './binding.ts';
import type { BoundFile } from './bound-files.ts';
import { type ApprovalFault, FAULTS } from './faults.ts';
import { type Gathered, gatherAnswers } from './gather.ts';
import { judgeAnswer, judgeAnswers } from './judge.ts';
import { permissionFields } from './records.ts';
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
  /** What is asked for, on which map, as it is now: a person takes their time, and things change meanwhile. */
  readonly current: () => Promise<Asked>;
  readonly subject: RunSubject;
  readonly childPath: string | undefined;
  /** The caller's variables, and which of them the map hands through. */
  readonly env: Readonly<Record<string, string>>;
  readonly pass: readonly string[];
  readonly digestKey: Uint8Array;
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

/** A request with all facts that an approval is for, and the map that it is judged by. */
export interface Asked {
  readonly request: RunRequest;
  readonly map: { readonly path: string; readonly sha256: string };
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
  const binding = await bind(input);
  const found = holdsSecret(binding, input.subject.mask)
    ? FAULTS.hidden()
    : brought
      ? await takeUp(input, brought, binding)
      : await askAnew(input, identity, binding);
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

async function bind(input: ObtainInput): Promise<Binding> {
  return bindingOf({ ...input, ...(await input.current()), mask: input.subject.mask });
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
  try {
    const found = await stillTheSame(input, request, await gather(input, request));
    if (!('reason' in found)) return await spend(input, request, found);
    if (found.reason !== 'pending') await close(input, request, found);
    return found;
  } catch (error) {
    await closeRequest(store.ledger, request, 'end'); // nobody waits any more
    throw error;
  }
}

/** Takes up an approval that another run has asked for, which may still have to be waited for. */
async function takeUp(
  input: ObtainInput,
  { request, answers }: BroughtApproval,
  binding: Binding,
): Promise<Gathered | ApprovalFault> {
  const { store, demand, approvers } = input;
  const changed = differencesInWords(request.binding, binding);
  if (JSON.stringify(request.demand) !== JSON.stringify(demand)) changed.push('what the rule asks for');
  if (changed.length > 0) return FAULTS.changed(changed);
  const over = standing(store.ledger.read(), request.id, null);
  if (over !== null) return over.reason === 'refused' ? FAULTS.refused(store.denial(request.id)) : over;
  const given = [...store.answers(request.id), ...(answers ?? [])];
  const { approval, refused } = judgeAnswers({ request, answers: given, demand, approvers, now: new Date() });
  await keep(input, request, answers ?? []);
  if (approval !== null) return spend(input, request, { approval, unrecorded: false });
  const [first] = refused;
  if (first !== undefined) return FAULTS.answer(first.reason, first.detail);
  if (input.noWait) return FAULTS.pending(request.id);
  const left = Date.parse(request.answer_by) - Date.now();
  if (left <= 0) return FAULTS.answer('expired', `it could be answered until ${request.answer_by}`);
  const restrained = await admitRequest(store.ledger, request, new Date());
  if (restrained !== null) return restrained;
  announce(input, request);
  const waiting = {
    ...input,
    timeoutMs: Math.min(input.timeoutMs, left),
    demand: { ...demand, command: null },
  };
  const found = await stillTheSame(input, request, await gather(waiting, request));
  if (!('reason' in found)) return spend(input, request, found);
  if (found.reason === 'refused') await close(input, request, found);
  return found;
}

/** Answers that came in a file and count wait here for others that are needed; each is recorded as it is kept. */
async function keep(input: ObtainInput, request: ApprovalRequest, answers: readonly Answer[]): Promise<void> {
  const { store, demand, approvers, audit, subject, grant } = input;
  for (const answer of answers) {
    const judged = judgeAnswer({ request, demand, approvers, now: new Date() }, answer);
    if ('reason' in judged || !store.addAnswer(request.id, answer)) continue;
    const { approver, grade, fingerprint, terms } = judged;
    const record = approvalRecord('approval_given', subject, grant, { id: request.id, grade, approver });
    const keys = fingerprint === null ? [] : [fingerprint];
    await audit.append({ ...record, ...permissionFields(terms, keys) }, { durable: true });
  }
}

function gather(input: ObtainInput, request: ApprovalRequest): Promise<Gathered | ApprovalFault> {
  return gatherAnswers({ ...input, request, warn: (message) => input.events.warn(message) });
}

/** What was approved while it was waited for must be what would run now. */
async function stillTheSame(
  input: ObtainInput,
  request: ApprovalRequest,
  found: Gathered | ApprovalFault,
): Promise<Gathered | ApprovalFault> {
  if ('reason' in found) return found;
  const changed = differencesInWords(request.binding, await bind(input));
  return changed.length > 0 ? FAULTS.changed(changed) : found;
}

/** Names the request, and the command by which a human answers it. */
function announce({ events, subject, demand, noWait, quiet }: ObtainInput, { id }: ApprovalRequest): void {
  const key = demand.kind === 'signed' ? ' --key FILE' : '';
  const command = `${placeVariable(subject.stateOverride)}capwrap approve ${id}${key}`;
  const here = demand.kind === 'prompt' && !noWait ? 'on this terminal, or: ' : '';
  events.emit('approval.request', { id, answer: `${here}${command}` });
  // A run that waits and says nothing looks like one that hangs.
  if (quiet && !noWait && (demand.kind === 'signed' || !hasTerminal()))
    events.warn(`waiting for an approval: ${command}`);
}

/** What the human's shell must have, too, where the state is in another place than usual. */
function placeVariable(override: string | null): string {
  if (override === null) return '';
  const [name = ''] = override.split('=', 1);
  return `${name}=${shellQuote(override.slice(name.length + 1))} `;
}

/** Takes one use. The record of an answer that was given to this run comes first, the ledger's line after it. */
async function spend(
  { store, subject, audit, grant, signal }: ObtainInput,
  request: ApprovalRequest,
  found: Gathered,
): Promise<Gathered | ApprovalFault> {
  if (signal.aborted) return FAULTS.interrupted();
  const { grade, approvers, terms } = found.approval;
  const over = standing(store.ledger.read(), request.id, terms);
  if (over !== null) return over;
  if (found.unrecorded) {
    const given = { id: request.id, grade, approver: approvers.join(',') };
    const record = approvalRecord('approval_given', subject, grant, given);
    await audit.append({ ...record, ...permissionFields(terms, found.approval.keys) }, { durable: true });
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

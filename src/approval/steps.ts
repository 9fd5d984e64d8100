/** The steps on which a new request and one that is taken up are alike. */
import { approvalRecord } from '../audit/record/run-records.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { hasTerminal } from '../base/tty.ts';
import { closeRequest, spendApproval, standing } from './admission.ts';
import { type Binding, bindingOf, differencesInWords } from './binding.ts';
import { type ApprovalFault, FAULTS } from './faults.ts';
import { type Gathered, gatherAnswers } from './gather.ts';
import type { ObtainInput } from './obtain-input.ts';
import { permissionFields } from './records.ts';
import type { ApprovalRequest } from './request.ts';

/** What would run now. */
export async function bind(input: ObtainInput): Promise<Binding> {
  return bindingOf({ ...input, ...(await input.current()), mask: input.subject.mask });
}

export function gather(input: ObtainInput, request: ApprovalRequest): Promise<Gathered | ApprovalFault> {
  return gatherAnswers({ ...input, request, warn: (message) => input.events.warn(message) });
}

/** What was approved while it was waited for must be what would run now. */
export async function stillTheSame(
  input: ObtainInput,
  request: ApprovalRequest,
  found: Gathered | ApprovalFault,
): Promise<Gathered | ApprovalFault> {
  if ('reason' in found) return found;
  const changed = differencesInWords(request.binding, await bind(input));
  return changed.length > 0 ? FAULTS.changed(changed) : found;
}

/** Names the request, and the command by which a human answers it. */
export function announce(
  { events, subject, demand, noWait, quiet }: ObtainInput,
  { id }: ApprovalRequest,
): void {
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
export async function spend(
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
export async function close(
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

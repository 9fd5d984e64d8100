/**
 * Obtains the approval that a grant's rule asks for. In order: bind the request to what it is for, note it, ask (on the
 * terminal, or out of band), judge what comes back, and take one use of it. The request is on the disk before a human
 * sees it, and the use before anything is issued.
 */
import type { ApprovalState } from '../audit/record/run-subject.ts';
import { askAnew } from './ask-anew.ts';
import { holdsSecret } from './binding.ts';
import type { BoundFile } from './bound-files.ts';
import { type ApprovalFault, FAULTS } from './faults.ts';
import type { ObtainInput } from './obtain-input.ts';
import { newIdentity } from './request.ts';
import { bind } from './steps.ts';
import { takeUp } from './take-up.ts';

/** `fault` is null where the run may go on, with exactly these files. */
export interface Obtained {
  readonly state: ApprovalState;
  readonly fault: ApprovalFault | null;
  readonly files: readonly BoundFile[];
}

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

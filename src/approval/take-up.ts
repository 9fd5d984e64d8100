/** Takes up an approval that another run has asked for, which may still have to be waited for. */
import { approvalRecord } from '../audit/record/run-records.ts';
import { admitRequest, standing } from './admission.ts';
import type { Answer } from './answer.ts';
import { type Binding, differencesInWords } from './binding.ts';
import { type ApprovalFault, FAULTS } from './faults.ts';
import type { Gathered } from './gather.ts';
import { judgeAnswer, judgeAnswers } from './judge.ts';
import type { BroughtApproval, ObtainInput } from './obtain-input.ts';
import { permissionFields } from './records.ts';
import type { ApprovalRequest } from './request.ts';
import { announce, close, gather, spend, stillTheSame } from './steps.ts';

/** The stored answers, and those that were brought along in a file, which are kept for others that are still needed. */
export async function takeUp(
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

/** Asks for this run: notes the request, says how to answer it, and waits for the answer. */
import { approvalRecord } from '../audit/record/run-records.ts';
import { admitRequest, closeRequest } from './admission.ts';
import type { Binding } from './binding.ts';
import type { ApprovalFault } from './faults.ts';
import type { Gathered } from './gather.ts';
import type { ObtainInput } from './obtain-input.ts';
import { type ApprovalRequest, newRequest } from './request.ts';
import { announce, close, gather, spend, stillTheSame } from './steps.ts';

/** How long a request that nobody waits for can be answered. */
const UNATTENDED_MS = 24 * 3600 * 1000;

export async function askAnew(
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

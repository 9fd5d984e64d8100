/** The last request for the same capability of the same map that a run was begun with. */
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import { judgeAnswers } from './judge.ts';
import { type ApprovalRequest, subjectKey } from './request.ts';
import type { Previous } from './show-changes.ts';
import type { ApprovalStore } from './store.ts';

/**
 * Null where there is none, or none that is kept. Only one whose approval would be strong enough now counts: what an agent
 * could have approved by itself must not make its next request look familiar.
 */
export function previousOf(
  store: ApprovalStore,
  request: ApprovalRequest,
  terms: { readonly demand: ApprovalDemand; readonly approvers: ReadonlyMap<string, Approver> },
): Previous | null {
  const subject = subjectKey(request.binding);
  const uses = store.ledger
    .read()
    .filter(
      (entry) =>
        entry.verb === 'use' && entry.id !== request.id && !entry.doubtful && entry.subject === subject,
    );
  for (const { id, at } of uses.toReversed()) {
    const found = store.request(id);
    if (found === null) continue;
    const answers = store.answers(id);
    const demand = {
      ...terms.demand,
      uses: Number.MAX_SAFE_INTEGER,
      standsFor: Number.MAX_SAFE_INTEGER / 1e6,
    };
    const now = new Date(at);
    const { approval } = judgeAnswers({ request: found, answers, demand, approvers: terms.approvers, now });
    if (approval !== null) return { request: found, usedAt: at };
  }
  return null;
}

/** The last request for the same capability of the same map that a run was begun with. */
import { type ApprovalRequest, subjectKey } from './request.ts';
import type { Previous } from './show.ts';
import type { ApprovalStore } from './store.ts';

/** Null where there is none, or none that is kept. */
export function previousOf(store: ApprovalStore, request: ApprovalRequest): Previous | null {
  const subject = subjectKey(request.binding);
  const uses = store.ledger
    .read()
    .filter(
      ({ verb, id, doubtful, ...entry }) =>
        verb === 'use' && id !== request.id && !doubtful && entry.subject === subject,
    );
  for (const use of uses.toReversed()) {
    const found = store.request(use.id);
    if (found !== null) return { request: found, usedAt: use.at };
  }
  return null;
}

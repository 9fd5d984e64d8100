/** How a request stands, for people who list or answer it. */
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import { type Judgement, judgeAnswers } from './judge.ts';
import type { Entry } from './ledger-lines.ts';
import type { ApprovalRequest } from './request.ts';
import type { ApprovalStore } from './store.ts';

const STATUSES = ['pending', 'approved', 'used', 'denied', 'ended', 'expired'] as const;
export type RequestStatus = (typeof STATUSES)[number];

export interface Standing {
  readonly status: RequestStatus;
  /** Runs that were begun with it. */
  readonly uses: number;
  readonly judgement: Judgement;
}

/**
 * `pending`: more answers are needed, and still taken. `approved`: a run can begin with it. `used`: as often as it permits.
 * `ended`: the run that asked is over. `expired`: too late for an answer, or for a run. `approvers` are the map's as it
 * was asked on; none where it isn't at hand, and then no signature counts.
 */
export function standingOf(
  store: ApprovalStore,
  request: ApprovalRequest,
  entries: readonly Entry[],
  terms: { readonly approvers: ReadonlyMap<string, Approver>; readonly demand?: ApprovalDemand },
  now: Date,
): Standing {
  const judgement = judgeAnswers({
    request,
    answers: store.answers(request.id),
    demand: terms.demand ?? request.demand,
    approvers: terms.approvers,
    now,
  });
  const own = entries.filter(({ id }) => id === request.id);
  const uses = own.filter(({ verb }) => verb === 'use').length;
  return { status: statusOf(own, uses, judgement, request, now), uses, judgement };
}

function statusOf(
  own: readonly Entry[],
  uses: number,
  { approval, refused }: Judgement,
  request: ApprovalRequest,
  now: Date,
): RequestStatus {
  if (!own.some(({ verb }) => verb === 'ask')) return 'ended'; // nobody could tell a second use
  if (own.some(({ verb }) => verb === 'deny')) return 'denied';
  if (approval !== null) return uses >= approval.terms.uses ? 'used' : 'approved';
  if (uses > 0) return 'used';
  if (own.some(({ verb }) => verb === 'end')) return 'ended';
  const late =
    now.getTime() > Date.parse(request.answer_by) || refused.some(({ reason }) => reason === 'expired');
  return late ? 'expired' : 'pending';
}

/** What the ledger has to say before somebody is asked, and before a run begins with an approval. */
import type { ApprovalDemand } from '../policy/capability.ts';
import { type ApprovalFault, FAULTS } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { Entry } from './ledger-lines.ts';
import { type ApprovalRequest, subjectKey } from './request.ts';
import type { ApprovalTerms } from './statement.ts';

const HOUR_MS = 3600 * 1000;

/** Notes that somebody is to be asked, where the rule permits to ask (again) now; null where it does. */
export function admitRequest(
  ledger: Ledger,
  request: ApprovalRequest,
  now: Date,
): Promise<ApprovalFault | null> {
  const subject = subjectKey(request.binding);
  return ledger.append<ApprovalFault | null>((entries) => {
    const fault = restraint(entries, subject, request.demand, now);
    const entry = { verb: 'ask' as const, id: request.id, subject, lease: request.lease_id };
    return fault === null ? { entry, result: null } : { entry: null, result: fault };
  });
}

/** Times that a clock set back has left in the future count as now. */
function restraint(
  entries: readonly Entry[],
  subject: string,
  { cooldown, perHour }: ApprovalDemand,
  now: Date,
): ApprovalFault | null {
  const own = entries.filter((entry) => entry.subject === subject);
  const age = (entry: Entry) => Math.max(0, now.getTime() - Date.parse(entry.at));
  const denials = own.filter(({ verb }) => verb === 'deny').map(age);
  const left = cooldown * 1000 - Math.min(...denials, Number.POSITIVE_INFINITY);
  if (left > 0) return FAULTS.cooling_down(Math.ceil(left / 1000));
  const asked = own.filter((entry) => entry.verb === 'ask' && age(entry) < HOUR_MS).length;
  return perHour !== null && asked >= perHour ? FAULTS.rate_limited(perHour) : null;
}

/**
 * Takes one use of an approval for a run; on the disk when it answers null. Of two runs that race for the last use one
 * gets a fault.
 */
export function spendApproval(
  ledger: Ledger,
  request: ApprovalRequest,
  terms: ApprovalTerms,
  lease: string,
): Promise<ApprovalFault | null> {
  return ledger.append<ApprovalFault | null>((entries) => {
    const fault = standing(entries, request.id, terms);
    const entry = { verb: 'use' as const, id: request.id, subject: subjectKey(request.binding), lease };
    return fault === null ? { entry, result: null } : { entry: null, result: fault };
  });
}

/** Why nothing can be made of a request any more; null where it can. Without terms, uses are not looked at. */
export function standing(
  entries: readonly Entry[],
  id: string,
  terms: ApprovalTerms | null,
): ApprovalFault | null {
  const own = entries.filter((entry) => entry.id === id);
  if (!own.some(({ verb }) => verb === 'ask')) return FAULTS.not_asked_here();
  if (own.some(({ verb }) => verb === 'deny')) return FAULTS.refused(null);
  const uses = own.filter(({ verb }) => verb === 'use').length;
  if (terms !== null && uses >= terms.uses) return FAULTS.used_up(uses);
  return own.some(({ verb }) => verb === 'end') ? FAULTS.ended() : null;
}

/** Notes a denial, or that the run which asked is over; what is noted already stays as it is. */
export function closeRequest(
  ledger: Ledger,
  request: ApprovalRequest,
  verb: 'deny' | 'end',
): Promise<ApprovalFault | null> {
  return ledger.append<ApprovalFault | null>((entries) => {
    const fault = standing(entries, request.id, null);
    const entry = { verb, id: request.id, subject: subjectKey(request.binding), lease: request.lease_id };
    return fault === null ? { entry, result: null } : { entry: null, result: fault };
  });
}

/** Leases that have a grant in the log and no end: of runs that go on, and of those that died. */
import { isDead, isRunningHere, parseHolder } from '../../base/lock-holder.ts';
import type { LogBook } from '../log/book.ts';
import { numberAt, parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';

export interface OpenLease {
  readonly leaseId: string;
  readonly granted: StoredRecord;
  /** Null where no credential is recorded: the run has not got that far, or died on the way. */
  readonly issued: StoredRecord | null;
  /** True where ending it has been tried in vain. */
  readonly failed: boolean;
}

/** First granted first. A `lease_ended` that says that the end failed leaves the lease open. */
export function openLeases(book: Pick<LogBook, 'linesBackwards'>): readonly OpenLease[] {
  const found: OpenLease[] = [];
  const later = new Map<string, { ended: boolean; failed: boolean; issued: StoredRecord | null }>();
  for (const { bytes, ended: whole } of book.linesBackwards()) {
    if (!whole || TELLS_NOTHING.test(bytes.toString('latin1', 0, 80))) continue;
    const record = parseRecord(bytes);
    const leaseId = record === null ? undefined : textAt(record, 'lease_id');
    if (record === null || leaseId === undefined) continue;
    const about = later.get(leaseId) ?? { ended: false, failed: false, issued: null };
    const event = textAt(record, 'event');
    const failed = event === 'lease_ended' && textAt(record, 'outcome') === 'revoke_failed';
    if (event === 'granted') {
      later.delete(leaseId);
      if (!about.ended) found.push({ leaseId, granted: record, issued: about.issued, failed: about.failed });
    } else if (event === 'issued') {
      later.set(leaseId, { ...about, issued: record });
    } else {
      later.set(leaseId, { ...about, ended: about.ended || !failed, failed: about.failed || failed });
    }
  }
  return found.reverse();
}

/** Told by the first bytes of a line, since parsing each takes far longer. A line that begins otherwise is looked at. */
const TELLS_NOTHING = /^\{"timestamp":"[^"]*","event":"(?!(?:granted|issued|closed|lease_ended)")[a-z_]*"/;

/** `unknown`: it was started in another container or on another machine, or this system can't tell. */
export type WrapperState = 'alive' | 'dead' | 'unknown';

/** Whether the capwrap that holds the lease still runs. */
export function wrapperOf({ granted }: OpenLease, stateDir: string): WrapperState {
  const holder = parseHolder(textAt(granted, 'owner') ?? '');
  if (holder === null) return 'unknown';
  if (isDead(holder, stateDir)) return 'dead';
  return isRunningHere(holder) ? 'alive' : 'unknown';
}

/** When the lease's time is over by what is recorded: the issuer's expiry, else capwrap's own end of the grant. */
export function endOfTime({ granted, issued }: OpenLease): Date {
  return new Date(textAt(issued ?? granted, issued ? 'expires_at' : 'deadline') ?? '');
}

/** True where the issuer's own clock, as far as it is known, says that the credential has expired. */
export function isOver(lease: OpenLease, now: Date): boolean {
  const skew = lease.issued === null ? 0 : (numberAt(lease.issued, 'clock_skew_seconds') ?? 0);
  return now.getTime() - skew * 1000 >= endOfTime(lease).getTime();
}

/** What a report tells of each lease at a glance. The page and the command that writes it take it from here, so both count alike. */
import { APPROVAL_GRADES } from '../../base/approval-grade.ts';
import { isLeaked } from '../record/leaks.ts';
import { VERDICTS, type Verdict } from '../record/reconciled-record.ts';
import { placeOf, type ReportTable, textOf } from './table.ts';

/**
 * How far a lease has got, by what is recorded: of one that has ended, its outcome. `asked`: an approval was asked for, and
 * nothing followed. `other`: the log has no such word, or not all of the lease's records.
 */
export const LEASE_STATES = [
  'revoked_verified',
  'revoked_unverified',
  'revoke_failed',
  'expires',
  'expired',
  'not_issued',
  'unfinished',
  'denied',
  'asked',
  'other',
] as const;
export type LeaseState = (typeof LEASE_STATES)[number];

/** Times in milliseconds; null where none is recorded, or none that can be read. */
export interface LeaseFacts {
  readonly state: LeaseState;
  /** Of its grant or denial; where it has neither, of its first record. */
  readonly start: number | null;
  /** Of the run, by its own capwrap: of one that died nobody knows when it ended. */
  readonly end: number | null;
  /** When another capwrap ended the lease. */
  readonly endedLater: number | null;
  /** Of the last record of its grant and issue: of a run without an end nothing later is known. */
  readonly last: number | null;
  /** When the issuer lets the credential expire. */
  readonly expires: number | null;
  /** A secret was in the output. */
  readonly leaked: boolean;
  /** Of the last look at the issuer's own records; a reuse that was seen once stays seen. */
  readonly verdict: Verdict | null;
  /** Null where nobody approved it. */
  readonly grade: string | null;
}

export function leaseFacts(table: ReportTable): LeaseFacts[] {
  const events = table.columns.get('event');
  const times = table.columns.get('timestamp');
  const timeOf = (record: number) => toTime(times?.values[times.at[record] ?? -1]);
  return Array.from({ length: table.size }, (_, lease) => {
    const [from = 0, to = 0] = table.starts.subarray(lease, lease + 2);
    let [start, end, later, last] = [-1, -1, -1, to - 1];
    const seen = new Set<unknown>();
    for (let record = from; record < to; record++) {
      const event = events?.values[events.at[record] ?? -1];
      seen.add(event);
      if (start < 0 && (event === 'granted' || event === 'denied')) start = record;
      if (event === 'closed') end = record;
      if (event === 'lease_ended') later = record;
      if (event === 'granted' || event === 'issued') last = record;
    }
    return {
      state: stateOf(seen, textOf(table, lease, 'outcome')),
      start: timeOf(start < 0 ? from : start),
      end: end < 0 ? null : timeOf(end),
      endedLater: end >= 0 || later < 0 ? null : timeOf(later),
      last: timeOf(last),
      expires: toTime(textOf(table, lease, 'expires_at')),
      leaked: isLeaked({
        masked: lastValue(table, lease, 'masked'),
        end_reason: lastValue(table, lease, 'end_reason'),
        error: lastValue(table, lease, 'error'),
      }),
      verdict: verdictOf(table, lease),
      grade: gradeOf(table, lease),
    };
  });
}

function stateOf(events: ReadonlySet<unknown>, outcome: string | undefined): LeaseState {
  if (events.has('closed') || events.has('lease_ended')) {
    return OUTCOME_STATES.find((state) => state === outcome) ?? 'other';
  }
  if (events.has('granted')) return 'unfinished';
  if (events.has('denied')) return 'denied';
  return events.has('approval_requested') ? 'asked' : 'other';
}

const OUTCOME_STATES: readonly LeaseState[] = LEASE_STATES.slice(0, 6);

function verdictOf(table: ReportTable, lease: number): Verdict | null {
  const column = table.columns.get('verdict');
  const seen = column?.values.indexOf('reuse_detected') ?? -1;
  const [from = 0, to = 0] = table.starts.subarray(lease, lease + 2);
  if (seen >= 0 && column?.at.subarray(from, to).includes(seen)) return 'reuse_detected';
  return VERDICTS.find((verdict) => verdict === textOf(table, lease, 'verdict')) ?? null;
}

function gradeOf(table: ReportTable, lease: number): string | null {
  if (textOf(table, lease, 'approval') !== 'granted') return null;
  const grade = textOf(table, lease, 'approval_grade');
  return APPROVAL_GRADES.find((known) => known === grade) ?? 'other';
}

/** Undefined where the lease has none; of several records the last one's. */
function lastValue(table: ReportTable, lease: number, path: string): unknown {
  const column = table.columns.get(path);
  return column?.values[placeOf(table, column, lease)];
}

function toTime(text: unknown): number | null {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  // A year of more digits is no fact, and would take the whole timeline for itself.
  return time >= 0 && time < LATEST ? time : null;
}

const LATEST = Date.UTC(10_000, 0);

/** What somebody who opens the page in an incident asks first. */
export const COUNTED = [
  'leases',
  'leaked',
  'reuse_detected',
  'unfinished',
  'revoke_failed',
  'revoked_unverified',
  'denied',
] as const;
export type Counted = (typeof COUNTED)[number];

/** Whether a lease is one of those that are counted under a name. */
export function countsAs(facts: LeaseFacts, name: Counted): boolean {
  if (name === 'leases') return facts.state !== 'denied' && facts.state !== 'asked';
  if (name === 'leaked') return facts.leaked;
  if (name === 'reuse_detected') return facts.verdict === name;
  return facts.state === name;
}

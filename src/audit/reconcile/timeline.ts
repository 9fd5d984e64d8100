/** When a lease's run began and ended and its credential expired, by AWS's clock, and how well that is known. */
import type { TrailEvent } from './event.ts';
import type { AwsLease, LeaseRun } from './lease.ts';
import { DELIVERY_DELAY_MS, type Search } from './search.ts';
import type { Sightings } from './sightings.ts';

/** Moments by AWS's clock, in milliseconds. */
export interface Timeline {
  /** The run's end; null where none is recorded. */
  readonly end: number | null;
  /** How long after it a call still counts as the run's. */
  readonly tolerance: number;
  /** Of the lease and of all that was obtained with it. */
  readonly expiry: number;
  readonly from: number;
  readonly until: number;
}

/** CloudTrail counts whole seconds, clocks are compared to the second, and the record is written a moment after the end. */
const TOLERANCE_MS = 5_000;

/** As far as two clocks can differ and a signed request still be taken. */
const UNKNOWN_CLOCK_MS = 300_000;

/** An event of the lease is looked for from so long before its issue on. */
export const BEFORE_ISSUE_MS = 300_000;

export function timelineOf(lease: AwsLease, { obtained }: Sightings, search: Search): Timeline {
  const skew = (lease.clockSkew ?? 0) * 1000;
  const tolerance = lease.clockSkew === null ? UNKNOWN_CLOCK_MS : TOLERANCE_MS;
  const expiry = obtained.reduce(
    (latest, { expiresAt }) => Math.max(latest, expiresAt),
    lease.expiresAt.getTime(),
  );
  return {
    end: lease.run === null ? null : endOf(lease, lease.run) - skew,
    tolerance,
    expiry,
    from: lease.issuedAt.getTime() - skew - BEFORE_ISSUE_MS,
    until: Math.min(expiry + DELIVERY_DELAY_MS, search.at.getTime()),
  };
}

/** A clock that was set back in between makes the record's time too early; how long the command ran doesn't depend on it. */
function endOf({ issuedAt }: AwsLease, { endedAt, childMs }: LeaseRun): number {
  return Math.max(endedAt.getTime(), issuedAt.getTime() + (childMs ?? 0));
}

/** True for what was made after the run, whatever its end is off by. */
export function isAfter({ time }: TrailEvent, { end, tolerance }: Timeline): boolean {
  return end !== null && time > end + tolerance;
}

/**
 * True for what is too late for a call of the run by all that two clocks compared to the second can be apart, and too
 * early to be told from one that AWS was still working on.
 */
export function isAtEnd(event: TrailEvent, timeline: Timeline): boolean {
  const { end } = timeline;
  return end !== null && event.time > end + CLOCK_RESOLUTION_MS && !isAfter(event, timeline);
}

/** The difference of the clocks is known to within a second, and rounded. */
const CLOCK_RESOLUTION_MS = 2_000;

/**
 * True where AWS doesn't say that the lease began at quite another time than its record, and the record of its end
 * doesn't stand at quite another time than its command took.
 */
export function clockFits(lease: AwsLease, { all }: Sightings): boolean {
  const { run } = lease;
  const issuedAt = lease.issuedAt.getTime() - (lease.clockSkew ?? 0) * 1000;
  const took = run === null ? 0 : run.endedAt.getTime() - lease.issuedAt.getTime();
  if (run !== null && run.childMs !== null && Math.abs(took - run.childMs) > CLOCK_LIMIT_MS) return false;
  return all.every(({ role, event }) => {
    if (role === 'issue') return Math.abs(event.time - issuedAt) <= CLOCK_LIMIT_MS;
    return role !== 'own' || event.time >= issuedAt - CLOCK_LIMIT_MS;
  });
}

/** The call that obtains a lease takes up to some seconds, and so do the start of a command and what follows its end. */
const CLOCK_LIMIT_MS = 60_000;

/** Which times of a lease the timeline shows. */
import type { WrapperState } from '../audit/leases/open-leases.ts';
import type { LeaseFacts } from '../audit/report/lease-facts.ts';
import type { Bar } from './lanes.ts';

export interface Span extends Bar {
  /** End of the run, or the last that is known of it. */
  readonly ran: number;
  /** Until when the credential can be used although the run is over; `ran` where it can't. */
  readonly usable: number;
}

/** After these nothing has shown that the credential is dead. */
const MAY_LIVE: ReadonlySet<string> = new Set([
  'expires',
  'unfinished',
  'revoke_failed',
  'revoked_unverified',
  'other',
]);

/** No lease lives longer than half a day: a time beyond is no fact but a damaged record, and must not stretch the rest. */
const LONGEST = 24 * 3600 * 1000;

/** Null for a lease without a time. `read` is when the log was read. */
export function spanOf(
  lease: number,
  facts: LeaseFacts,
  wrapper: WrapperState | null,
  read: number,
): Span | null {
  const { start, end, endedLater, last, expires, state } = facts;
  if (start === null) return null;
  const point = state === 'denied' || state === 'asked';
  const known = end ?? (wrapper === 'alive' ? read : last) ?? start;
  const ran = point ? start : within(start, known);
  const dead = MAY_LIVE.has(state) ? expires : endedLater && Math.min(endedLater, expires ?? ran);
  const usable = point || dead === null ? ran : Math.max(ran, within(start, dead));
  return { lease, start, until: usable, point, ran, usable };
}

function within(start: number, time: number): number {
  return Math.min(Math.max(start, time), start + LONGEST);
}

/** The bars of a lane that reach into a time. They don't overlap, so both their starts and their ends grow. */
export function* visible(bars: readonly Span[], from: number, to: number): Generator<Span> {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bars[middle]?.until ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < bars.length; at++) {
    const bar = bars[at];
    if (!bar || bar.start > to) return;
    yield bar;
  }
}

/**
 * The verdict on one lease. Silence is no finding: `expired_without_reuse` is what is left when every reason why an event
 * could be missing, or could mean something else, has been ruled out.
 */
import type { IamActions } from '../../policy/lint/iam-actions.ts';
import type { OpenReason, Reconciliation, ReuseKind, ReuseRecord } from '../record/reconciled-record.ts';
import { type ActionFindings, compareActions } from './compare-actions.ts';
import type { TrailEvent } from './event.ts';
import type { AwsLease } from './lease.ts';
import { DELIVERY_DELAY_MS, globalRegion, LOOKUP_DAYS, type Search } from './search.ts';
import type { Sighting, Sightings } from './sightings.ts';
import { obtainsCredential } from './token-calls.ts';

/** Decides from what was gathered in one search. Pure: the same events in any order make the same verdict. */
export function judge(
  lease: AwsLease,
  sightings: Sightings,
  search: Search,
  iam: IamActions,
): Reconciliation {
  const timeline = timelineOf(lease, sightings, search);
  const reuse = reuseIn(sightings.all, timeline, lease);
  const actions = compareActions(lease, sightings.all, search, iam);
  const reasons = openReasons(lease, sightings, search, timeline, actions);
  const calls = sightings.all.filter(({ role }) => role !== 'issue').map(({ event }) => event);
  const direct = calls.filter(({ byService }) => !byService);
  return {
    verdict:
      reuse.length > 0 ? 'reuse_detected' : reasons.length > 0 ? 'unverifiable' : 'expired_without_reuse',
    provisional: reasons.includes('not_expired') || reasons.includes('delivery_delay'),
    reasons,
    searched: {
      source: search.source,
      regions: search.regions,
      stated: [...search.stated],
      from: new Date(timeline.from).toISOString(),
      until: new Date(timeline.until).toISOString(),
      at: search.at.toISOString(),
      tolerance_seconds: timeline.tolerance / 1000,
    },
    events_seen: new Set(calls.map(callOf)).size,
    reuse_seen: reuse.length,
    reuse,
    actions: actions.record,
    seen_from: {
      addresses: distinct(direct.map(({ address }) => address)),
      agents: distinct(direct.map(({ agent }) => agent)),
    },
  };
}

/** Moments by AWS's clock, in milliseconds. */
interface Timeline {
  /** The run's end and the tolerance behind it; null where no end is recorded. */
  readonly runEnd: number | null;
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
const BEFORE_ISSUE_MS = 300_000;

function timelineOf(lease: AwsLease, { obtained }: Sightings, search: Search): Timeline {
  const skew = (lease.clockSkew ?? 0) * 1000;
  const tolerance = lease.clockSkew === null ? UNKNOWN_CLOCK_MS : TOLERANCE_MS;
  const expiry = obtained.reduce(
    (latest, { expiresAt }) => Math.max(latest, expiresAt),
    lease.expiresAt.getTime(),
  );
  return {
    runEnd: lease.run === null ? null : lease.run.endedAt.getTime() - skew + tolerance,
    tolerance,
    expiry,
    from: lease.issuedAt.getTime() - skew - BEFORE_ISSUE_MS,
    until: Math.min(expiry + DELIVERY_DELAY_MS, search.at.getTime()),
  };
}

/** What the trails of two accounts have of one call is one event of a reuse: the one that names the key, if any does. */
function reuseIn(all: readonly Sighting[], { runEnd }: Timeline, { run }: AwsLease): ReuseRecord[] {
  const keyed = new Set(all.filter(({ event }) => event.keyId !== '').map(({ event }) => callOf(event)));
  const listed = new Set<string>();
  return all.flatMap(({ event, role }) => {
    if (role === 'issue' || event.byService) return [];
    const noChild = run !== null && !run.hadChild && role === 'own';
    if (!noChild && !isAfter(event, runEnd)) return [];
    if (event.shared !== '') {
      if (listed.has(event.shared) || (event.keyId === '' && keyed.has(event.shared))) return [];
      listed.add(event.shared);
    }
    return [toReuse(event, role === 'own' ? (noChild ? 'no_child' : 'after_run') : role)];
  });
}

function callOf({ id, shared }: TrailEvent): string {
  return shared || id;
}

function isAfter({ time }: TrailEvent, runEnd: number | null): boolean {
  return runEnd !== null && time > runEnd;
}

function toReuse(event: TrailEvent, kind: ReuseKind): ReuseRecord {
  return {
    kind,
    time: new Date(event.time).toISOString().replace('.000Z', 'Z'),
    event_id: event.id,
    event: `${event.source}:${event.name}`,
    region: event.region,
    address: event.address,
    agent: event.agent,
    error: event.error,
  };
}

/** Every reason that is open, in the order of their list. */
function openReasons(
  lease: AwsLease,
  sightings: Sightings,
  search: Search,
  timeline: Timeline,
  { unrecorded }: ActionFindings,
): OpenReason[] {
  const { source, stated, witness } = search;
  const at = search.at.getTime();
  const { expiry, runEnd } = timeline;
  const files = source === 'files';
  const issues = sightings.all.filter(
    ({ role, event }) => role === 'issue' && event.account === lease.account,
  );
  const others = sightings.all.filter(({ role }) => role === 'other_session');
  const noChild = lease.run !== null && !lease.run.hadChild;
  const served = sightings.all.filter(
    ({ event, role }) => role !== 'issue' && event.byService && (noChild || isAfter(event, runEnd)),
  );
  const open: Readonly<Record<OpenReason, boolean>> = {
    not_expired: at < expiry,
    delivery_delay: at >= expiry && at < expiry + DELIVERY_DELAY_MS,
    run_end_unknown: runEnd === null,
    clock_unknown: lease.clockSkew === null || !clockFits(lease, sightings),
    issue_not_seen: issues.length === 0,
    coverage_not_stated: files && !stated.has('complete'),
    end_not_covered: files && witness.newestOf(lease.account) < expiry + DELIVERY_DELAY_MS,
    too_old: !files && isTooOld(lease, search.at),
    regions_not_searched: !coversRegions(search),
    global_region_not_searched: search.regions.length > 0 && !coversGlobal(lease, search),
    data_events_not_recorded: unrecorded.data,
    recording_unknown: unrecorded.unknown,
    scope_unknown: lease.scope === null,
    events_unreadable: search.unreadable || sightings.contradictory,
    search_cut: search.cut,
    other_session_seen: others.some(({ event }) => !event.byService && !isAfter(event, runEnd)),
    service_acted_after_end: served.length > 0,
    credentials_obtained:
      sightings.obtained.length > 0 ||
      sightings.all.some(({ event, role }) => role !== 'issue' && obtainsCredential(event)),
  };
  return (Object.keys(open) as OpenReason[]).filter((reason) => open[reason]);
}

/** True where AWS doesn't say that the lease began at quite another time than its record. */
function clockFits(lease: AwsLease, { all }: Sightings): boolean {
  const issuedAt = lease.issuedAt.getTime() - (lease.clockSkew ?? 0) * 1000;
  return all.every(({ role, event }) => {
    if (role === 'issue') return Math.abs(event.time - issuedAt) <= CLOCK_LIMIT_MS;
    return role !== 'own' || event.time >= issuedAt - CLOCK_LIMIT_MS;
  });
}

/** The call that obtains a lease takes up to some seconds. */
const CLOCK_LIMIT_MS = 60_000;

/** True where LookupEvents doesn't reach back to the lease: it is not asked then. */
export function isTooOld(lease: AwsLease, at: Date): boolean {
  return lease.issuedAt.getTime() < at.getTime() - LOOKUP_DAYS * 24 * 3600 * 1000 + BEFORE_ISSUE_MS;
}

/** All regions are in files that are complete without naming any; else somebody must have said that no other can be used. */
function coversRegions({ source, regions, stated }: Search): boolean {
  return (source === 'files' && regions.length === 0) || (stated.has('only_regions') && regions.length > 0);
}

function coversGlobal({ partition }: AwsLease, { regions }: Search): boolean {
  const global = globalRegion(partition);
  return global !== null && regions.includes(global);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text !== '').sort();
}

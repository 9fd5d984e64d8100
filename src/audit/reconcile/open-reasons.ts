/** Why absence of an event says nothing about a lease. */
import type { OpenReason } from '../record/reconciled-record.ts';
import type { ActionFindings } from './compare-actions.ts';
import type { AwsLease } from './lease.ts';
import { DELIVERY_DELAY_MS, globalRegion, LOOKUP_DAYS, type Search } from './search.ts';
import type { Sightings } from './sightings.ts';
import { BEFORE_ISSUE_MS, clockFits, isAfter, isAtEnd, type Timeline } from './timeline.ts';
import { obtainsCredential } from './token-calls.ts';

/** Every reason that is open, in the order of their list. */
export function openReasons(
  lease: AwsLease,
  sightings: Sightings,
  search: Search,
  timeline: Timeline,
  { unrecorded }: ActionFindings,
  reused: boolean,
): OpenReason[] {
  const { source, stated, witness } = search;
  const at = search.at.getTime();
  const { expiry, end } = timeline;
  const files = source === 'files';
  const issues = sightings.all.filter(
    ({ role, event }) => role === 'issue' && event.account === lease.account,
  );
  const calls = sightings.all.filter(({ role }) => role !== 'issue');
  const others = calls.filter(({ role }) => role === 'other_session');
  const noChild = lease.run !== null && !lease.run.hadChild;
  const served = calls.filter(({ event }) => event.byService && (noChild || isAfter(event, timeline)));
  const open: Readonly<Record<OpenReason, boolean>> = {
    not_expired: at < expiry,
    delivery_delay: at >= expiry && at < expiry + DELIVERY_DELAY_MS,
    run_end_unknown: end === null,
    calls_at_run_end: calls.some(({ event }) => !event.byService && isAtEnd(event, timeline)),
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
    other_session_seen: others.some(({ event }) => !event.byService && !isAfter(event, timeline)),
    service_acted_after_end: served.length > 0,
    credentials_obtained:
      sightings.obtained.length > 0 || calls.some(({ event }) => obtainsCredential(event)),
    reuse_recorded_before: lease.reusedBefore && !reused,
    // Leases with these are not searched for.
    no_credential_recorded: false,
    issue_record_missing: false,
  };
  return (Object.keys(open) as OpenReason[]).filter((reason) => open[reason]);
}

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

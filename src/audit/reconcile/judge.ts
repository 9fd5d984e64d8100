/**
 * The verdict on one lease. Silence is no finding: `expired_without_reuse` is what is left when every reason why an event
 * could be missing, or could mean something else, has been ruled out.
 */
import type { IamActions } from '../../policy/lint/iam-actions.ts';
import type { Reconciliation, ReuseKind, ReuseRecord } from '../record/reconciled-record.ts';
import { compareActions } from './compare-actions.ts';
import type { TrailEvent } from './event.ts';
import type { AwsLease } from './lease.ts';
import { openReasons } from './open-reasons.ts';
import type { Search } from './search.ts';
import type { Sighting, Sightings } from './sightings.ts';
import { isAfter, type Timeline, timelineOf } from './timeline.ts';

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
  const reasons = openReasons(lease, sightings, search, timeline, actions, reuse.length > 0);
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

/** What the trails of two accounts have of one call is one event of a reuse: the one that names the key, if any does. */
function reuseIn(all: readonly Sighting[], timeline: Timeline, { run }: AwsLease): ReuseRecord[] {
  const keyed = new Set(all.filter(({ event }) => event.keyId !== '').map(({ event }) => callOf(event)));
  const listed = new Set<string>();
  return all.flatMap(({ event, role }) => {
    if (role === 'issue' || event.byService) return [];
    const noChild = run !== null && !run.hadChild && role === 'own';
    if (!noChild && !isAfter(event, timeline)) return [];
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

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text !== '').sort();
}

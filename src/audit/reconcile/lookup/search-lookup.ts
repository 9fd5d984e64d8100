/** CloudTrail's LookupEvents as a source of events: of the last 90 days, management events only, one region a call. */
import { abortableWait } from '../../../base/abortable-wait.ts';
import type { Statement } from '../../record/reconciled-record.ts';
import { parseTrailEvent, type TrailEvent } from '../event.ts';
import type { AwsLease } from '../lease.ts';
import { isTooOld } from '../open-reasons.ts';
import { DELIVERY_DELAY_MS, type Search, Witness } from '../search.ts';
import { Gathering, type Sightings } from '../sightings.ts';
import { askEvents, type LookupPlace, type LookupQuery, THROTTLED } from './ask.ts';
import { throttledFailure } from './failure.ts';

/** A region, and when it may be asked again. */
export interface LookupRegion {
  readonly place: LookupPlace;
  readonly pace: Pace;
}

/** CloudTrail takes two requests a second from an account in a region: each waits for its turn. */
export class Pace {
  readonly #everyMs: number;
  #turn = 0;

  constructor(everyMs = 550) {
    this.#everyMs = everyMs;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const now = Date.now();
    const turn = Math.max(now, this.#turn);
    this.#turn = turn + this.#everyMs;
    if (turn > now) await abortableWait(turn - now, signal);
  }

  /** After an answer that says that it was too fast: twice as long each time. */
  async back(attempt: number, signal: AbortSignal): Promise<void> {
    await abortableWait(this.#everyMs * 2 ** attempt * (1 + Math.random()), signal);
  }
}

/**
 * Looks one lease up in all regions, and whatever was obtained with it. Throws a CapwrapError where a region can't be
 * asked; calls to others may be under way then, which the places' signal ends.
 */
export async function searchLookup(
  lease: AwsLease,
  regions: readonly LookupRegion[],
  stated: ReadonlySet<Statement>,
): Promise<{ readonly search: Search; readonly sightings: Sightings }> {
  const gathering = new Gathering([lease]);
  const state = { at: new Date(), unreadable: false, cut: false };
  const asked = new Set<string>();
  const askAll = async (queries: readonly LookupQuery[]) => {
    for (const query of queries) asked.add(query.value);
    // Every region at once, since each has a limit of its own.
    await Promise.all(
      regions.map(async (region) => {
        for (const query of queries) await askWhole(region, query, gathering, state);
      }),
    );
  };
  if (!isTooOld(lease, state.at)) {
    await askAll(firstQueries(lease, state.at));
    for (let step = 1; gathering.takeGrown(); step++) {
      state.cut ||= step > MOST_STEPS;
      if (state.cut) break;
      const { obtained } = gathering.of(lease);
      const fresh = obtained.filter(({ keyId }) => !asked.has(keyId));
      await askAll(
        fresh.map(({ keyId, expiresAt }) => ({
          attribute: 'AccessKeyId',
          value: keyId,
          ...windowOf(lease, new Date(expiresAt), state.at),
        })),
      );
    }
  }
  const search: Search = {
    source: 'lookup',
    regions: regions.map(({ place }) => place.region),
    stated,
    ...state,
    witness: new Witness(),
  };
  return { search, sightings: gathering.of(lease) };
}

/**
 * By the key; by the session name, under which CloudTrail files a session's calls also where it leaves the key out; and
 * the call that issued the lease, of which the new key is a resource.
 */
function firstQueries(lease: AwsLease, now: Date): readonly LookupQuery[] {
  const window = windowOf(lease, lease.expiresAt, now);
  return [
    { attribute: 'AccessKeyId', value: lease.accessKeyId, ...window },
    { attribute: 'Username', value: lease.sessionName, ...window },
    { attribute: 'ResourceName', value: lease.accessKeyId, ...window },
  ];
}

/** How far a window reaches before the issue: clocks may differ. */
const BEFORE_MS = 10 * 60 * 1000;

function windowOf(lease: AwsLease, expiry: Date, now: Date): Pick<LookupQuery, 'from' | 'until'> {
  const until = Math.min(expiry.getTime() + DELIVERY_DELAY_MS, now.getTime());
  const from = Math.min(lease.issuedAt.getTime() - BEFORE_MS, until);
  return { from: new Date(from), until: new Date(until) };
}

/** Each step follows credentials one further. */
const MOST_STEPS = 5;

/** 50 events each. */
const MOST_PAGES = 400;

const MOST_ATTEMPTS = 6;

/** All pages of one query. AWS's clock counts where it is behind this one: nothing is taken for over too early. */
async function askWhole(
  { place, pace }: LookupRegion,
  query: LookupQuery,
  gathering: Gathering,
  state: { at: Date; unreadable: boolean; cut: boolean },
): Promise<void> {
  let next: string | null = null;
  for (let page = 1; page === 1 || next !== null; page++) {
    if (page > MOST_PAGES) {
      state.cut = true;
      return;
    }
    const answer = await askInTurn(place, pace, query, next);
    for (const text of answer.events) {
      const event = parse(text);
      if (event === null) state.unreadable = true;
      else gathering.take(event);
    }
    if (answer.date !== null && answer.date < state.at) state.at = answer.date;
    next = answer.next;
  }
}

async function askInTurn(place: LookupPlace, pace: Pace, query: LookupQuery, next: string | null) {
  const { region, signal, endpoint, proof } = place;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    await pace.wait(signal);
    const answer = await askEvents(place, query, next);
    if (answer !== THROTTLED) return answer;
    await pace.back(attempt, signal);
  }
  throw throttledFailure({ region, host: endpoint.host, label: proof.label });
}

function parse(text: string): TrailEvent | null {
  try {
    return parseTrailEvent(JSON.parse(text));
  } catch {
    return null;
  }
}

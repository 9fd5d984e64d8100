/** Which events are a lease's: gathered from any source, in any order, each once. */
import { identityOf, type ObtainedKey, type TrailEvent } from './event.ts';
import type { AwsLease } from './lease.ts';

/**
 * `issue`: the call that obtained the lease. `own`: with the lease's key, or under its name without a key being told.
 * `other_session`: under its name with another key. `obtained`: with a credential that was obtained with the lease.
 */
export type EventRole = 'issue' | 'own' | 'other_session' | 'obtained';

export interface Sighting {
  readonly event: TrailEvent;
  readonly role: EventRole;
}

export interface Sightings {
  /** Oldest first, and in the same order whatever order they came in. */
  readonly all: readonly Sighting[];
  /** What was obtained with the lease, and with what was obtained. */
  readonly obtained: readonly ObtainedKey[];
  /** True where two events have the same id and not the same content. */
  readonly contradictory: boolean;
}

interface Found {
  readonly lease: AwsLease;
  /** By all that they say. */
  readonly events: Map<string, TrailEvent>;
  readonly obtained: Map<string, ObtainedKey>;
  readonly obtainedIds: Set<string>;
}

/** Gathers for many leases at once: events are looked up by key, and by the caller's name. */
export class Gathering {
  readonly #found = new Map<string, Found>();
  readonly #keys = new Map<string, Set<Found>>();
  readonly #callers = new Map<string, Set<Found>>();
  #grown = false;

  constructor(leases: readonly AwsLease[]) {
    for (const lease of leases) {
      const found: Found = { lease, events: new Map(), obtained: new Map(), obtainedIds: new Set() };
      this.#found.set(lease.leaseId, found);
      add(this.#keys, lease.accessKeyId, found);
      add(this.#callers, lease.principal, found);
      add(this.#callers, sessionOf(lease.account, lease.sessionName), found);
    }
  }

  /** Takes an event where it is one of a lease. */
  take(event: TrailEvent): void {
    const known = new Set([
      ...(this.#keys.get(event.keyId) ?? []),
      ...namesOf(event).flatMap((name) => [...(this.#callers.get(name) ?? [])]),
      ...(this.#keys.get(event.obtained?.keyId ?? '') ?? []),
    ]);
    for (const found of known) {
      const role = roleOf(event, found);
      if (role === null) continue;
      found.events.set(identityOf(event), event);
      const { obtained } = event;
      if (role === 'issue' || obtained === null || found.obtained.has(JSON.stringify(obtained))) continue;
      found.obtained.set(JSON.stringify(obtained), obtained);
      found.obtainedIds.add(obtained.keyId);
      add(this.#keys, obtained.keyId, found);
      for (const name of [obtained.principal, obtained.principalId])
        if (name !== '') add(this.#callers, name, found);
      this.#grown = true;
    }
  }

  /** True once after a credential was found that was obtained with a lease: its events may have passed by already. */
  takeGrown(): boolean {
    const grown = this.#grown;
    this.#grown = false;
    return grown;
  }

  /** Roles are told last: what an event is can depend on one that came after it. */
  of(lease: AwsLease): Sightings {
    const found = this.#found.get(lease.leaseId);
    if (found === undefined) return { all: [], obtained: [], contradictory: false };
    const all = [...found.events]
      .sort(([a, { time }], [b, { time: other }]) => time - other || (a < b ? -1 : 1))
      .flatMap(([, event]) => {
        const role = roleOf(event, found);
        return role === null ? [] : [{ event, role }];
      });
    const ids = new Set(all.map(({ event }) => event.id));
    return { all, obtained: [...found.obtained.values()], contradictory: ids.size < all.length };
  }
}

function roleOf(event: TrailEvent, { lease, obtained, obtainedIds }: Found): EventRole | null {
  if (event.keyId === lease.accessKeyId) return 'own';
  if (event.obtained?.keyId === lease.accessKeyId) return 'issue';
  if (obtainedIds.has(event.keyId)) return 'obtained';
  const names = namesOf(event);
  if (names.includes(lease.principal) || names.includes(sessionOf(lease.account, lease.sessionName)))
    return event.keyId === '' ? 'own' : 'other_session';
  const isOfObtained = ({ principal, principalId }: ObtainedKey) =>
    names.includes(principal) || names.includes(principalId);
  return event.keyId === '' && [...obtained.values()].some(isOfObtained) ? 'obtained' : null;
}

/**
 * What the caller is known by. The account of a resource isn't told the ARN of a caller from another account, but the id
 * of the role and the name of the session.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
 */
function namesOf({ caller, principalId, callerAccount }: TrailEvent): readonly string[] {
  if (caller !== '') return [caller];
  const [, session = ''] = principalId.split(':');
  return session === '' ? [] : [principalId, sessionOf(callerAccount, session)];
}

/** The name of a lease's session is its own in the account: it has the lease's id in it. */
function sessionOf(account: string, session: string): string {
  return `${account} ${session}`;
}

function add<Value>(map: Map<string, Set<Value>>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}

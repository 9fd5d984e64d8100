/** What can be asked of a test server: faults of the network and of the server, and answers that are not the one asked for. */

export const TRANSPORT_FAULTS = [
  /** 403 in the server's own form. No effect. */
  'refused',
  /** 429 with `Retry-After: 1`. No effect. */
  'throttled',
  /** The true answer, after a third of a second. */
  'slow',
  /** No answer until the server stops. No effect. */
  'hang',
  /** 500 in the server's own form. No effect. */
  'server_error',
  /** 200 with a page of a hotel's network. No effect. */
  'html',
  /** 200 with 10 MB of JSON. No effect. */
  'huge',
  /** 307 to another host. No effect. */
  'redirect',
  /** The request takes effect; the connection is cut in the middle of the answer. */
  'truncated',
  /** The request takes effect; the connection is cut without an answer. */
  'reset_after_effect',
] as const;
export type TransportFault = (typeof TRANSPORT_FAULTS)[number];

/** Asked of the server's handlers by `call.misbehaves(...)`: only they know what these mean for their protocol. */
export const MISBEHAVIOURS = [
  /** A credential whose time is over. */
  'expired_on_arrival',
  /** A credential that lives an hour longer than it was asked to. */
  'longer_than_asked',
  /** A credential that may do more than it was asked to. */
  'wider_than_asked',
  /** A credential for somebody else. */
  'wrong_principal',
  /** A secret value with a line break in it. */
  'value_with_newline',
  /** The end is refused in the server's own form, and has no effect. */
  'revoke_fails',
  /** The end is answered as always, and has no effect. */
  'still_alive',
] as const;
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

export interface PlannedFault {
  /** Name of the route that it meets. */
  readonly route: string;
  readonly fault: TransportFault;
  /** How many requests it meets: 1 where it isn't given; `Infinity` for all. */
  readonly times?: number;
  /** How many requests pass before. */
  readonly after?: number;
}

/** Which faults are still to come, and how often one was met. */
export class FaultPlan {
  readonly #faults: {
    readonly route: string;
    readonly fault: TransportFault;
    left: number;
    after: number;
  }[] = [];
  readonly #misbehaviours = new Map<Misbehaviour, number>();
  #met = 0;

  /** How many requests met a fault or a misbehaviour. */
  get met(): number {
    return this.#met;
  }

  add({ route, fault, times = 1, after = 0 }: PlannedFault): void {
    this.#faults.push({ route, fault, left: times, after });
  }

  addMisbehaviour(kind: Misbehaviour, times = 1): void {
    this.#misbehaviours.set(kind, times);
  }

  take(route: string): TransportFault | null {
    const next = this.#faults.find((one) => one.route === route && one.left > 0);
    if (next === undefined) return null;
    if (next.after > 0) {
      next.after -= 1;
      return null;
    }
    next.left -= 1;
    this.#met += 1;
    return next.fault;
  }

  takeMisbehaviour(kind: Misbehaviour): boolean {
    const left = this.#misbehaviours.get(kind) ?? 0;
    if (left <= 0) return false;
    this.#misbehaviours.set(kind, left - 1);
    this.#met += 1;
    return true;
  }
}

/** What the end of a lease needs and nobody may see: in memory, from its issue to its end. */
import { CapwrapError } from '../../../errors.ts';
import type { Lease, LeaseFault } from '../../provider.ts';
import type { Session } from './session.ts';

export interface Held {
  readonly session: Session;
  /** As it travels: without a line end that the server may have put behind it. */
  readonly token: string;
  /** Never handed out. */
  readonly refreshToken: string | null;
  readonly expiresAt: Date;
  /** The end by the server's clock in Unix seconds, once something has told it. */
  exp: number | null;
  readonly fault: LeaseFault | null;
}

const HELD = new WeakMap<Lease, Held>();

export function hold(lease: Lease, held: Held): Lease {
  HELD.set(lease, held);
  return lease;
}

/** Throws ERR_INTERNAL for a lease that this module did not issue. */
export function heldFor(lease: Lease): Held {
  const held = HELD.get(lease);
  if (held === undefined) throw new CapwrapError('ERR_INTERNAL', `lease "${lease.leaseId}" is not held here`);
  return held;
}

/** What is held beside a lease to end it, in memory only: the login, the lease's token, and what was seen of both. */
import { CapwrapError } from '../../../errors.ts';
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import type { Lease } from '../../provider.ts';
import type { Vault } from './client.ts';
import type { LeaseToken } from './lease-token.ts';
import type { Login } from './login.ts';
import type { SecretKind } from './secret.ts';

export interface Session {
  readonly config: VaultConfig;
  readonly vault: Vault;
  readonly login: Login;
  /** The lease's token; only its accessor where another process has issued the lease. */
  readonly child: LeaseToken | { readonly accessor: string };
  /** Accessor of the login of the process that issued the lease, where that is another one. */
  readonly formerLogin: string | null;
  readonly kind: SecretKind;
  /** Vault's lease id; empty where there is none. */
  readonly leaseId: string;
  /** What a look has seen alive: only of that does a later refusal prove anything. */
  readonly seenAlive: Set<'lease' | 'token'>;
}

const SESSIONS = new WeakMap<Lease, Session>();

/** Keeps the session for as long as the lease is held. Returns the lease. */
export function bind(lease: Lease, session: Session): Lease {
  SESSIONS.set(lease, session);
  return lease;
}

export function sessionOf(lease: Lease): Session {
  const session = SESSIONS.get(lease);
  if (session === undefined)
    throw new CapwrapError('ERR_INTERNAL', `lease "${lease.leaseId}" has no session`);
  return session;
}

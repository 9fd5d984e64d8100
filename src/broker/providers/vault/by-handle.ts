/** The end of a lease whose process has died: from its public names, with a login of one's own. */
import { endLease } from '../../end-lease.ts';
import type { BrokerContext, Lease, LeaseHandle, Provider, Revocation } from '../../provider.ts';
import { vaultAt } from './client.ts';
import { release } from './end.ts';
import { configOf } from './issue.ts';
import { logIn } from './login.ts';
import { SECRET_KINDS } from './secret.ts';
import { bind } from './session.ts';
import { faultOfHandle, type NotOurs, notOurs } from './whose.ts';

/**
 * Logs in anew and ends the lease as its own process would have, but for the token, of which only the accessor is known:
 * that takes the right to look up and revoke accessors. What is not seen to be of the lease is left alone, which is a
 * failed end. Throws where the login fails.
 */
export async function endByHandle(
  provider: Provider,
  { leaseId, handle }: { readonly leaseId: string; readonly handle: LeaseHandle },
  config: { readonly provider: string },
  context: BrokerContext,
): Promise<Revocation> {
  const ours = configOf(config);
  const fault = faultOfHandle(handle, ours);
  if (fault !== null) return leftAlone(fault, null);
  const vault = vaultAt(ours);
  const login = await logIn(ours, vault, context);
  const kind = SECRET_KINDS.find((known) => known === handle.kind) ?? 'lease';
  const { accessor = '' } = handle;
  const lease: Lease = {
    leaseId,
    provider: 'vault',
    values: {},
    defaultInject: {},
    expiresAt: new Date(Number(handle.exp) * 1000),
    principal: '',
    scope: [],
    handle,
    facts: {},
    warnings: [],
  };
  const session = {
    config: ours,
    vault,
    login,
    child: { accessor },
    formerLogin: handle.login_accessor ?? null,
    kind,
    leaseId: handle.lease_id ?? '',
    seenAlive: new Set<never>(),
  };
  bind(lease, session);
  const others = await notOurs(leaseId, accessor, session, context);
  return others === null
    ? endLease(provider, lease, context)
    : leftAlone(others, await release(lease, context));
}

/** `left` is what is left alive of the login that looked. */
function leftAlone({ why, saw }: NotOurs, left: string | null): Revocation {
  const probe = [saw, left].filter((text) => text !== null).join('; ') || null;
  return { outcome: 'revoke_failed', end: null, probe, error: `${why}: nothing was revoked` };
}

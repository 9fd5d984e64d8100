/** The end of a lease whose process has died: from its public names, with a login of one's own. */
import { endLease } from '../../end-lease.ts';
import type { BrokerContext, Lease, LeaseHandle, Provider, Revocation } from '../../provider.ts';
import { vaultAt } from './client.ts';
import { configOf } from './issue.ts';
import { logIn } from './login.ts';
import { SECRET_KINDS } from './secret.ts';
import { bind } from './session.ts';

/**
 * Logs in anew and ends the lease as its own process would have, but for the token, of which only the accessor is known:
 * that takes the right to look up and revoke accessors. Throws where the login fails.
 */
export async function endByHandle(
  provider: Provider,
  handle: LeaseHandle,
  config: { readonly provider: string },
  context: BrokerContext,
): Promise<Revocation> {
  const ours = configOf(config);
  const vault = vaultAt(ours);
  const login = await logIn(ours, vault, context);
  const kind = SECRET_KINDS.find((known) => known === handle.kind) ?? 'lease';
  const lease: Lease = {
    leaseId: '',
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
    child: { accessor: handle.accessor ?? '' },
    formerLogin: handle.login_accessor ?? null,
    kind,
    leaseId: handle.lease_id ?? '',
    seenAlive: new Set<never>(),
  };
  return endLease(provider, bind(lease, session), context);
}

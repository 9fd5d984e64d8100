/** The end: the lease, then its token, then the login. */
import type { BrokerContext, EndAnswer, Lease } from '../../provider.ts';
import { revokeAccessor, revokeToken, type Step, step } from './revoke-token.ts';
import { type Session, sessionOf } from './session.ts';
import { revokeFormerLogin } from './whose.ts';

/** A backend that deletes a user or a key takes its time, and the answer says that it is through. */
const REVOKE_MS = 9_000;

/** Revokes the lease, and waits for it; then the token, which would only queue the lease. One that fails does not keep the other. */
export async function end(lease: Lease, context: BrokerContext): Promise<EndAnswer> {
  const session = sessionOf(lease);
  const steps = [
    ...(session.leaseId === '' ? [] : [await revokeLease(session, context)]),
    await revokeChild(session, context),
    ...(session.formerLogin === null ? [] : [await revokeFormerLogin(session.formerLogin, session, context)]),
  ];
  const did = steps.map((one) => one.did).join('; ');
  const errors = steps.flatMap(({ error }) => error ?? []);
  if (session.kind === 'sts') {
    return { kind: 'not_revocable', did: `${did}; at AWS the session goes on until it expires` };
  }
  if (session.kind === 'kv') errors.push('a secret without a lease stays valid until somebody changes it');
  if (errors.length > 0) return { kind: 'failed', did, error: errors.join('; ') };
  return { kind: 'ended', did };
}

function revokeLease({ leaseId, login, vault }: Session, context: BrokerContext): Promise<Step> {
  const call = {
    method: 'POST',
    path: 'sys/leases/revoke',
    token: login.token,
    // Without `sync` the answer is that it has been queued.
    json: { lease_id: leaseId, sync: true },
    timeoutMs: REVOKE_MS,
  } as const;
  return step(call, vault, context, ['invalid lease']);
}

function revokeChild({ child, login, vault }: Session, context: BrokerContext): Promise<Step> {
  return 'token' in child
    ? revokeToken(child.token, vault, context)
    : revokeAccessor(child.accessor, login.token, vault, context);
}

/** Revokes the login that was made for the lease. */
export async function release(lease: Lease, context: BrokerContext): Promise<string | null> {
  const { login, vault } = sessionOf(lease);
  if (!login.own || context.now() >= login.expiresAt) return null;
  const { error } = await revokeToken(login.token, vault, context);
  return error === null
    ? null
    : `the login token was not revoked: ${error}; it expires by ${login.expiresAt.toISOString()}`;
}

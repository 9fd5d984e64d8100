/** The life of a lease around the provider: what capwrap itself insists on, whoever the issuer is. */
import { CapwrapError } from '../errors.ts';
import type { BrokerContext, IssueRequest, Lease, Provider, Revocation } from './provider.ts';

/** Longest time that the end of a lease may take; the run must come back whatever the issuer does. */
const END_TIMEOUT_MS = 20_000;

/**
 * Obtains a lease and checks what every lease must have: an expiry that is still ahead, and values that can travel
 * in an environment. A lease that fails is ended before the error is thrown.
 */
export async function issueLease(
  provider: Provider,
  request: IssueRequest,
  context: BrokerContext,
): Promise<Lease> {
  const lease = await provider.issue(request, context);
  for (const [name, { value, secret }] of Object.entries(lease.values)) {
    if (secret) context.registerSecret(name, value);
  }
  const fault = faultOf(lease, context.now());
  if (fault === null) return lease;
  const revocation = await endLease(provider, lease, context);
  throw new CapwrapError('ERR_PROVIDER_EXPIRY', `provider "${lease.provider}" ${fault}`, {
    hint: `the credential was not used; its end: ${revocation.outcome}`,
    issuedUntil: Number.isFinite(lease.expiresAt.getTime()) ? lease.expiresAt : request.deadline,
  });
}

/**
 * Ends a lease in bounded time. Never throws: what went wrong is part of the answer. `context.signal` has no say: the
 * signal that ended the child must not cut the end of its lease short.
 */
export async function endLease(
  provider: Provider,
  lease: Lease,
  context: BrokerContext,
): Promise<Revocation> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), END_TIMEOUT_MS);
  const timeout = new Promise<Revocation>((resolve) => {
    over.signal.onabort = () => resolve(failed(`no answer within ${END_TIMEOUT_MS / 1000} s`));
  });
  try {
    return await Promise.race([provider.end(lease, { ...context, signal: over.signal }), timeout]);
  } catch (error) {
    return failed(error instanceof CapwrapError ? error.message : 'unexpected failure');
  } finally {
    clearTimeout(timer);
  }
}

function faultOf(lease: Lease, now: Date): string | null {
  const expiry = lease.expiresAt.getTime();
  if (!Number.isFinite(expiry)) return 'issued a credential without an expiry';
  if (expiry <= now.getTime())
    return `issued a credential that had expired at ${lease.expiresAt.toISOString()}`;
  for (const [name, { value }] of Object.entries(lease.values)) {
    if (value === '') return `issued an empty "${name}"`;
    if (/[\0\r\n]/.test(value)) return `issued a "${name}" with a line break or NUL in it`;
  }
  return null;
}

function failed(error: string): Revocation {
  return { outcome: 'revoke_failed', end: null, probe: null, error };
}

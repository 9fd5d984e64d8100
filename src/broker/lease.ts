/** Obtaining a lease: what capwrap itself insists on, whoever the issuer is. */
import { CapwrapError } from '../errors.ts';
import { endLease } from './end-lease.ts';
import type { BrokerContext, IssueRequest, Lease, LeaseFault, Provider, Revocation } from './provider.ts';

/** How far the issuer's clock and this one may be apart before a life counts as longer than asked for. */
const SKEW_SECONDS = 60;

/** A credential was issued, was not the one that was asked for, and was ended. */
export class LeaseRefused extends CapwrapError {
  /** The lease without its values, and its end, for the record. */
  readonly lease: Lease;
  readonly revocation: Revocation;

  constructor(lease: Lease, { code, text, hint }: LeaseFault, revocation: Revocation, issuedUntil: Date) {
    super(code, `provider "${lease.provider}" ${text}`, {
      hint: hint ?? `the credential was not used; its end: ${revocation.outcome}`,
      issuedUntil,
    });
    this.lease = { ...lease, values: {}, expiresAt: issuedUntil };
    this.revocation = revocation;
  }
}

/**
 * Obtains a lease and checks what every lease must have: an expiry that is still ahead and within the grant (or within
 * the issuer's own minimum), values that can travel in an environment, and what the provider checks. A lease that
 * fails is ended before LeaseRefused is thrown.
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
  const life = provider.acceptedLife?.(request) ?? provider.minimumLife;
  // The provider first: it knows what to change.
  const fault = provider.faultOf?.(lease, request) ?? faultOf(lease, request, life, context.now());
  if (!fault) return lease;
  const revocation = await endLease(provider, lease, context);
  const until = Number.isFinite(lease.expiresAt.getTime()) ? lease.expiresAt : request.deadline;
  throw new LeaseRefused(lease, fault, revocation, until);
}

function faultOf(lease: Lease, request: IssueRequest, minimumLife: number, now: Date): LeaseFault | null {
  const wrong = (text: string): LeaseFault => ({ code: 'ERR_PROVIDER_EXPIRY', text });
  const unfit = (text: string): LeaseFault => ({ code: 'ERR_PROVIDER_INVALID_RESPONSE', text });
  const expiry = lease.expiresAt.getTime();
  if (!Number.isFinite(expiry)) return wrong('issued a credential without an expiry');
  // By the issuer's clock, where the lease tells how far it is from this machine's.
  const skew = Number(lease.facts['clock_skew_seconds'] ?? 0) * 1000;
  const issuerNow = now.getTime() - skew;
  if (expiry <= issuerNow) {
    return wrong(`issued a credential that had expired at ${lease.expiresAt.toISOString()}`);
  }
  const latest = Math.max(request.deadline.getTime() - skew, issuerNow + minimumLife * 1000);
  if (expiry > latest + SKEW_SECONDS * 1000) {
    const seconds = Math.round((expiry - issuerNow) / 1000);
    return wrong(`issued a credential for ${seconds} s, longer than the grant of ${request.ttl} s`);
  }
  for (const [name, { value, lines }] of Object.entries(lease.values)) {
    if (value === '') return unfit(`issued an empty "${name}"`);
    if ((lines ? /\0/ : /[\0\r\n]/).test(value))
      return unfit(`issued a "${name}" with a line break or NUL in it`);
  }
  return null;
}

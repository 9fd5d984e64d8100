/** What was asked for against what was issued: policies, holder, role, and whether anything ends it. */
import type { IssueRequest, Lease, LeaseFault } from '../../provider.ts';
import { configOf } from './issue.ts';
import type { LeaseToken } from './lease-token.ts';
import { type Session, sessionOf } from './session.ts';

/** The first fault, or null. */
export function faultOf(lease: Lease, request: IssueRequest): LeaseFault | null {
  const session = sessionOf(lease);
  const child = session.child as LeaseToken; // issued here
  return (
    wrongHolder(session, child, request) ??
    widerPolicies(session, child) ??
    unending(session) ??
    tooLong(session, lease, request)
  );
}

function wrongHolder(
  { login, config }: Session,
  child: LeaseToken,
  request: IssueRequest,
): LeaseFault | null {
  const wrong = (text: string, hint?: string): LeaseFault => ({
    code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
    text,
    hint,
  });
  if (child.entityId !== login.entityId)
    return wrong('issued a token for another entity than the one that logged in');
  if (child.metadata['capwrap_lease'] !== request.leaseId) return wrong('issued a token for another lease');
  const role = login.metadata['role'];
  if ('role' in config.auth && role !== undefined && role !== config.auth.role) {
    return wrong(
      'logged in with another role than the one that the map names',
      'look at mount and role under auth',
    );
  }
  return null;
}

function widerPolicies({ config }: Session, child: LeaseToken): LeaseFault | null {
  if (child.type !== 'service') {
    return { code: 'ERR_PROVIDER_INVALID_RESPONSE', text: "issued a batch token, which can't be revoked" };
  }
  const extra = child.policies.filter((name) => name !== 'default' && !config.policies.includes(name));
  if (extra.length === 0) return null;
  const names = extra.filter((name) => /^[\w./:@-]{1,128}$/.test(name)).slice(0, 5);
  return {
    code: 'ERR_PROVIDER_SCOPE',
    text: `issued a token with ${extra.length === 1 ? 'a policy' : `${extra.length} policies`} that the map does not name`,
    hint: `a token has the policies of its entity too: take off ${names.join(', ') || 'them'}, or name them under policies`,
  };
}

function unending({ kind, config }: Session): LeaseFault | null {
  if (kind !== 'kv' || config.kv) return null;
  return {
    code: 'ERR_PROVIDER_EXPIRY',
    text: 'issued a secret without a lease, which nothing ends',
    hint: 'name the path of an engine that makes secrets per lease; or allow it in the map: kv: allow',
  };
}

/** Seconds that a credential may live although the grant is shorter: without bound only where nothing ends it. */
export function acceptedLife({ capability }: IssueRequest): number {
  return configOf(capability.config).kv ? Number.POSITIVE_INFINITY : 0;
}

const SKEW_MS = 60_000;

/** `kv: allow` lets no other secret live longer. */
function tooLong(
  { kind }: Session,
  { expiresAt }: Lease,
  { deadline, ttl }: IssueRequest,
): LeaseFault | null {
  if (kind === 'kv' || expiresAt.getTime() <= deadline.getTime() + SKEW_MS) return null;
  return {
    code: 'ERR_PROVIDER_EXPIRY',
    text: `issued a credential until ${expiresAt.toISOString()}, longer than the grant of ${ttl} s`,
  };
}

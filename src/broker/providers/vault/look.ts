/** Whether lease and token are still there, as Vault says. */
import { textAt } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext, Lease, ProbeAnswer } from '../../provider.ts';
import type { VaultCall } from './client.ts';
import { saidBy } from './refusal.ts';
import { type Session, sessionOf } from './session.ts';

interface Sight {
  readonly state: 'alive' | 'dead' | 'unknown';
  readonly saw: string;
}

/**
 * Alive as long as one of the two is. Dead where both are refused in the way that their end produces, and both were
 * there before: a 403 alone may also be a wrong namespace or a lost policy.
 */
export async function probe(lease: Lease, context: BrokerContext): Promise<ProbeAnswer> {
  const session = sessionOf(lease);
  const sights = await Promise.all([
    ...(session.leaseId === '' ? [] : [lookAtLease(session, context)]),
    lookAtToken(session, context),
  ]);
  const saw = sights.map((sight) => sight.saw).join('; ');
  if (session.kind === 'kv') return { state: 'alive', saw: `${saw}; a secret without a lease stays valid` };
  if (session.kind === 'kubernetes') return beyondSight(saw, lease, context);
  if (sights.some(({ state }) => state === 'alive')) return { state: 'alive', saw };
  if (context.now() >= lease.expiresAt) return { state: 'expired', saw };
  if (sights.some(({ state }) => state === 'unknown')) return { state: 'unknown', saw };
  return { state: 'dead', saw };
}

/** Vault deletes what its engine has made; whether that is the service account, or nothing, it does not tell. */
function beyondSight(saw: string, { expiresAt }: Lease, context: BrokerContext): ProbeAnswer {
  if (context.now() >= expiresAt) return { state: 'expired', saw };
  return { state: 'unknown', saw: `${saw}; whether the cluster takes the token is not seen` };
}

/** `irrevocable` is said of a lease whose revocation has failed for good: the credential may still work. */
function lookAtLease(session: Session, context: BrokerContext): Promise<Sight> {
  return look('lease', session, context, {
    call: {
      method: 'POST',
      path: 'sys/leases/lookup',
      token: session.login.token,
      json: { lease_id: session.leaseId },
    },
    dead: ['invalid lease'],
    statuses: [400],
  });
}

function lookAtToken(session: Session, context: BrokerContext): Promise<Sight> {
  const { child, login } = session;
  if ('token' in child) {
    return look('token', session, context, {
      call: { method: 'GET', path: 'auth/token/lookup-self', token: child.token },
      dead: ['bad token', 'invalid token', 'permission denied'],
      statuses: [403],
    });
  }
  return look('token', session, context, {
    call: {
      method: 'POST',
      path: 'auth/token/lookup-accessor',
      token: login.token,
      json: { accessor: child.accessor },
    },
    dead: ['invalid accessor'],
    statuses: [400, 403, 404],
  });
}

interface Question {
  readonly call: VaultCall;
  /** What the server says of one that is gone, and with which status. */
  readonly dead: readonly string[];
  readonly statuses: readonly number[];
}

async function look(
  what: 'lease' | 'token',
  session: Session,
  context: BrokerContext,
  { call, dead, statuses }: Question,
): Promise<Sight> {
  let answer: JsonAnswer;
  try {
    answer = await session.vault.ask(call, context);
  } catch {
    return { state: 'unknown', saw: `${call.path} has no usable answer` };
  }
  const said = saidBy(answer, dead);
  const irrevocable = textAt(answer.body, 'data', 'revoke_error') !== null ? ' (irrevocable)' : '';
  const saw = `${call.path} answered ${answer.status}${said === null ? irrevocable : ` (${said})`}`;
  if (answer.status === 200) {
    session.seenAlive.add(what);
    return { state: 'alive', saw };
  }
  const isDead = said !== null && statuses.includes(answer.status) && session.seenAlive.has(what);
  return { state: isDead ? 'dead' : 'unknown', saw };
}

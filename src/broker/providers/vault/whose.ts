/**
 * Whose token and secret a record names. Whoever can write the log can write another's accessor there, which the login of
 * the map may well be allowed to revoke: nothing is ended that Vault doesn't show to be of the lease.
 */
import { CapwrapError } from '../../../errors.ts';
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import { textAt } from '../../json-body.ts';
import type { BrokerContext, LeaseHandle } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import { META_LEASE } from './lease-token.ts';
import { refusal, saidBy } from './refusal.ts';
import { END_CALL_MS, revokeAccessor, type Step } from './revoke-token.ts';
import type { Session } from './session.ts';

/** Why nothing is revoked, and what was seen of it. */
export interface NotOurs {
  readonly why: string;
  readonly saw: string | null;
}

/** What needs no server to be told; null where nothing does. */
export function faultOfHandle({ accessor, lease_id: id }: LeaseHandle, config: VaultConfig): NotOurs | null {
  if (!accessor) return { why: 'the record names no token', saw: null };
  // Vault doesn't tell of which token a lease is. Its id begins with the path that was read.
  if (id && !id.startsWith(`${config.path}/`))
    return { why: `the secret that the record names is not of "${config.path}"`, saw: null };
  return null;
}

/**
 * Null where the token carries the lease's id in its metadata, as each that was made for one does, and where token and
 * secret are gone: to end these once more does nothing.
 */
export async function notOurs(
  leaseId: string,
  accessor: string,
  session: Session,
  context: BrokerContext,
): Promise<NotOurs | null> {
  const token = await lookUp('auth/token/lookup-accessor', { accessor }, session, context);
  const { saw } = token;
  if (token.state === 'unseen') return { why: `whose token the record names is not seen: ${token.why}`, saw };
  if (token.state === 'there') {
    const owner = textAt(token.body, 'data', 'meta', META_LEASE);
    if (owner === leaseId) return null;
    const whose = owner === null ? 'no lease of capwrap' : 'another lease';
    return { why: `the token that the record names is of ${whose}`, saw };
  }
  if (session.leaseId === '') return null;
  const secret = await lookUp('sys/leases/lookup', { lease_id: session.leaseId }, session, context);
  if (secret.state === 'gone') return null;
  const what = secret.state === 'there' ? 'its secret has not' : `its secret is not seen: ${secret.why}`;
  return { why: `the token that the record names has ended, and ${what}`, saw: `${saw}; ${secret.saw}` };
}

/** Ends the login of the process that issued the lease, where it was one of the same entity, made in the same way. */
export async function revokeFormerLogin(
  accessor: string,
  session: Session,
  context: BrokerContext,
): Promise<Step> {
  const { login, vault, config } = session;
  const found = await lookUp('auth/token/lookup-accessor', { accessor }, session, context);
  if (found.state === 'gone') return { did: found.saw, error: null };
  if (found.state === 'unseen') return { did: found.saw, error: found.why };
  const isAlike =
    config.auth.method !== 'token' &&
    textAt(found.body, 'data', 'path') === `auth/${config.auth.mount}/login` &&
    login.entityId !== '' &&
    textAt(found.body, 'data', 'entity_id') === login.entityId;
  if (isAlike) return revokeAccessor(accessor, login.token, vault, context);
  return {
    did: 'the login that the record names is not like the one of now: it was left alone',
    error: null,
  };
}

type Found =
  | { readonly state: 'there'; readonly saw: string; readonly body: unknown }
  | { readonly state: 'gone'; readonly saw: string }
  | { readonly state: 'unseen'; readonly saw: string; readonly why: string };

const GONE = ['invalid accessor', 'invalid lease'];

async function lookUp(
  path: string,
  json: Readonly<Record<string, string>>,
  { vault, login }: Session,
  context: BrokerContext,
): Promise<Found> {
  const call = { method: 'POST', path, token: login.token, json, timeoutMs: END_CALL_MS } as const;
  try {
    const answer = await withRetry(() => vault.ask(call, context), context, { waitMs: 2_000 });
    const said = saidBy(answer, GONE);
    const saw = `${path} answered ${answer.status}${said === null ? '' : ` (${said})`}`;
    if (answer.status === 200) return { state: 'there', saw, body: answer.body };
    return said === null
      ? { state: 'unseen', saw, why: refusal(answer, '').message }
      : { state: 'gone', saw };
  } catch (error) {
    const why = error instanceof CapwrapError ? error.message : 'unexpected failure';
    return { state: 'unseen', saw: `${path} has no usable answer`, why };
  }
}

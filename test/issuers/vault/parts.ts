/** What the routes of the test server share. */
import type { JSONWebKeySet } from 'jose';
import { type Reply, reply } from '../call.ts';
import type { Route, TestIssuer } from '../kit.ts';
import type { Leases } from './leases.ts';
import type { Policies, Token, Tokens } from './tokens.ts';

export const ROLE_ID = 'a1b2c3d4-role-id';
export const WRAPPED_AT = 'auth/approle/role/deployer/secret-id';

/** What the logins of the test server get, and what the lease's policies open. */
export const POLICIES: Policies = {
  broker: {
    'auth/token/create': ['update'],
    'auth/token/lookup-accessor': ['update'],
    'auth/token/revoke-accessor': ['update'],
    'sys/leases/revoke': ['update'],
  },
  readonly: { 'database/creds/readonly': ['read'] },
  engines: {
    'aws/*': ['read', 'update'],
    'kubernetes/creds/*': ['update'],
    'secret/*': ['read'],
    'nothing/*': ['read'],
  },
};

export interface VaultOptions {
  readonly namespace?: string;
  /** Policies of those who log in. */
  readonly loginPolicies?: readonly string[];
  /** Policies beside `POLICIES`. */
  readonly policies?: Policies;
  readonly loginSeconds?: number;
  readonly loginType?: 'service' | 'batch';
  /** How often the token of a login may be used; 0 for no limit. */
  readonly loginUses?: number;
  /** Policies of the entity behind every login: its tokens have them too. */
  readonly entityPolicies?: readonly string[];
  /** Keys and claims of the jwt and kubernetes methods. */
  readonly jwt?: { readonly jwks: JSONWebKeySet; readonly issuer: string; readonly audience: string };
  /** Revoking a token only queues its leases: when they go. `waits`, where it isn't given: not while the test lasts. */
  readonly queue?: 'at once' | 'waits';
  /** The revocation of a lease fails for good. */
  readonly irrevocable?: boolean;
}

export interface Parts {
  readonly issuer: TestIssuer;
  readonly options: VaultOptions;
  readonly loginPolicies: readonly string[];
  readonly tokens: Tokens;
  readonly leases: Leases;
  /** Secret ids, and for how many logins each is good. */
  readonly secretIds: Map<string, number>;
  /** Wrapping tokens. */
  readonly wrapped: Map<string, { readonly path: string; readonly expiresAt: Date }>;
}

export function post(name: string, path: string | RegExp, handle: Route['handle']): Route {
  return { name, method: 'POST', path, handle };
}

/** A secret id for `ROLE_ID`, good for so many logins. */
export function newSecretId({ issuer, secretIds }: Pick<Parts, 'issuer' | 'secretIds'>, uses = 1): string {
  const id = issuer.secret('sid-');
  secretIds.set(id, uses);
  return id;
}

/** The answer that hands out a token. */
export function authReply(
  token: Token,
  { issuer, options }: Parts,
  policies: readonly string[],
  warnings: readonly string[] = [],
): Reply {
  const ttl = token.expiresAt === null ? 0 : (token.expiresAt.getTime() - issuer.now().getTime()) / 1000;
  const identity = options.entityPolicies ?? [];
  return reply(200, {
    request_id: 'r',
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data: null,
    wrap_info: null,
    warnings: warnings.length === 0 ? null : warnings,
    auth: {
      client_token: token.secret,
      accessor: token.accessor,
      policies: [...policies, ...identity],
      token_policies: policies,
      ...(identity.length === 0 ? {} : { identity_policies: identity }),
      metadata: token.meta,
      lease_duration: Math.round(ttl),
      renewable: false,
      entity_id: token.entityId,
      token_type: token.type,
      orphan: token.parent === null,
      num_uses: token.numUses,
    },
  });
}

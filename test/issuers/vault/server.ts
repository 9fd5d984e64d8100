/** A Vault as far as capwrap uses it: logins, tokens, leases, four engines, wrapping. */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { type Call, Refusal, type Reply, reply } from '../call.ts';
import { type Route, startIssuer, type TestIssuer } from '../kit.ts';
import { readEngine } from './engines.ts';
import { Leases } from './leases.ts';
import { type Policies, type Token, Tokens } from './tokens.ts';

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
  /** Policies of the entity behind every login: its tokens have them too. */
  readonly entityPolicies?: readonly string[];
  /** Keys and claims of the jwt and kubernetes methods. */
  readonly jwt?: { readonly jwks: JSONWebKeySet; readonly issuer: string; readonly audience: string };
  /** Revoking a token only queues its leases: when they go. `waits`, where it isn't given: not while the test lasts. */
  readonly queue?: 'at once' | 'waits';
  /** The revocation of a lease fails for good. */
  readonly irrevocable?: boolean;
}

export interface VaultServer extends TestIssuer {
  /** A secret id for `ROLE_ID`, good for so many logins. */
  secretId(uses?: number): string;
  /** A token that wraps a fresh secret id. */
  wrappedSecretId(options?: { readonly path?: string; readonly seconds?: number }): string;
  /** A token as an agent would keep it in a file. */
  givenToken(facts?: { readonly ttl?: number | null; readonly type?: 'batch' }): string;
  /** Tokens and credentials that work now, but for those of `givenToken`. */
  live(): number;
  readonly leases: Leases;
}

export async function startVault(options: VaultOptions = {}): Promise<VaultServer> {
  const loginPolicies = options.loginPolicies ?? ['default', 'broker', 'readonly', 'engines'];
  const secretIds = new Map<string, number>();
  const wrapped = new Map<string, { readonly path: string; readonly expiresAt: Date }>();
  let parts: { tokens: Tokens; leases: Leases } | undefined;

  const server = await startIssuer({
    error: (_status, code, message) => ({ errors: [...new Set([code, message])] }),
    routes: (issuer) => {
      const tokens = new Tokens(issuer, { ...POLICIES, ...options.policies }, options.namespace ?? null);
      const leases = new Leases(issuer);
      parts = { tokens, leases };
      tokens.onRevoke = (token) => {
        leases.queueOf(token);
        if (options.queue === 'at once') leases.workOff();
      };
      return routesOf(issuer, tokens, leases);
    },
  });

  function routesOf(issuer: TestIssuer, tokens: Tokens, leases: Leases): readonly Route[] {
    const post = (name: string, path: string | RegExp, handle: Route['handle']): Route => ({
      name,
      method: 'POST',
      path,
      handle,
    });
    const login = (path: string, role: Readonly<Record<string, string>>): Reply => {
      const token = tokens.create({
        policies: loginPolicies,
        ttl: options.loginSeconds ?? 8 * 3600,
        type: options.loginType ?? 'service',
        entityId: 'entity-1',
        meta: role,
        path,
      });
      return authReply(token, loginPolicies);
    };
    const authReply = (
      token: Token,
      policies: readonly string[],
      warnings: readonly string[] = [],
    ): Reply => {
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
          num_uses: 0,
        },
      });
    };

    return [
      post('login', '/v1/auth/approle/login', (call) => {
        tokens.assertHeaders(call);
        const { role_id: role, secret_id: id } = call.json(['role_id', 'secret_id']);
        const uses = secretIds.get(String(id)) ?? 0;
        if (role !== ROLE_ID || uses < 1) throw new Refusal(400, 'invalid role or secret ID');
        secretIds.set(String(id), uses - 1);
        return login('auth/approle/login', { role_name: 'deployer' });
      }),
      post('login-jwt', /\/v1\/auth\/(jwt|kubernetes|k8s\/eu)\/login/, async (call) => {
        tokens.assertHeaders(call);
        const { role, jwt } = call.json(['role', 'jwt']);
        if (role !== 'deployer' && role !== 'other')
          throw new Refusal(400, `role "${role}" could not be found`);
        await verify(String(jwt));
        // A login under another role than the one that was asked for.
        return login(`auth/${call.match[1]}/login`, { role: role === 'other' ? 'admin' : role });
      }),
      {
        name: 'token-lookup',
        method: 'GET',
        path: '/v1/auth/token/lookup-self',
        handle: (call) => {
          call.query();
          return reply(200, { data: lookupOf(tokens.authorize(call)) });
        },
      },
      post('accessor-lookup', '/v1/auth/token/lookup-accessor', (call) => {
        tokens.authorize(call);
        const { id: _, ...facts } = lookupOf(tokens.byAccessor(call.json(['accessor'])['accessor']));
        return reply(200, { data: facts });
      }),
      post('create', '/v1/auth/token/create', (call) => {
        const parent = tokens.authorize(call);
        const asked = call.json([
          'policies',
          'ttl',
          'explicit_max_ttl',
          'renewable',
          'type',
          'display_name',
          'meta',
          'num_uses',
          'no_default_policy',
        ]);
        if (parent.type === 'batch') throw new Refusal(400, 'batch tokens cannot create more tokens');
        const policies = asked['policies'] as string[];
        const excess = policies.filter(
          (name) => !parent.policies.includes(name) && !parent.policies.includes('root'),
        );
        if (excess.length > 0) throw new Refusal(400, 'child policies must be subset of parent');
        const ttl = Math.min(seconds(asked['ttl']), seconds(asked['explicit_max_ttl']));
        const wider = call.misbehaves('wider_than_asked') ? ['admin'] : [];
        const token = tokens.create({
          parent,
          policies: ['default', ...policies, ...wider],
          ttl: ttl + (call.misbehaves('longer_than_asked') ? 3600 : 0),
          entityId: call.misbehaves('wrong_principal') ? 'entity-of-another' : parent.entityId,
          meta: asked['meta'] as Record<string, string>,
          displayName: String(asked['display_name']),
        });
        const missing = policies.filter((name) => !tokens.exists(name));
        return authReply(
          token,
          token.policies,
          missing.map((name) => `Policy "${name}" does not exist`),
        );
      }),
      post('token-revoke', '/v1/auth/token/revoke-self', (call) => {
        const token = tokens.authorize(call);
        call.assertNoBody();
        if (token.type === 'batch') throw new Refusal(400, 'batch tokens cannot be revoked');
        if (!call.misbehaves('still_alive')) tokens.revoke(token);
        return reply(204);
      }),
      post('accessor-revoke', '/v1/auth/token/revoke-accessor', (call) => {
        tokens.authorize(call);
        tokens.revoke(tokens.byAccessor(call.json(['accessor'])['accessor']));
        return reply(204);
      }),
      post('lease-lookup', '/v1/sys/leases/lookup', (call) => {
        tokens.authorize(call);
        const lease = leases.find(call.json(['lease_id'])['lease_id']);
        if (lease === null) throw new Refusal(400, 'invalid lease');
        const { id, issuedAt, expiresAt, revokeError } = lease;
        const ttl = Math.round((expiresAt.getTime() - issuer.now().getTime()) / 1000);
        return reply(200, {
          data: {
            id,
            issue_time: issuedAt.toISOString(),
            expire_time: expiresAt.toISOString(),
            last_renewal: null,
            renewable: true,
            ttl,
            ...(revokeError !== null && { revoke_error: revokeError }),
          },
        });
      }),
      post('lease-revoke', '/v1/sys/leases/revoke', (call) => {
        tokens.authorize(call);
        const { lease_id: id, sync } = call.json(['lease_id', 'sync']);
        const lease = leases.find(id);
        if (lease === null) return reply(204); // of an unknown one too
        if (call.misbehaves('revoke_fails'))
          throw new Refusal(400, 'failed to revoke entry: pq: connection refused');
        if (options.irrevocable) {
          lease.revokeError = 'failed to revoke entry';
          throw new Refusal(500, 'internal error');
        }
        if (call.misbehaves('still_alive')) return reply(204);
        if (sync !== true) {
          leases.queue(lease);
          return reply(202);
        }
        leases.revoke(lease);
        return reply(204);
      }),
      post('wrap-lookup', '/v1/sys/wrapping/lookup', (call) => {
        tokens.assertHeaders(call);
        const found = wrapped.get(String(call.json(['token'])['token']));
        if (found === undefined || found.expiresAt <= issuer.now())
          throw new Refusal(400, 'wrapping token is not valid or does not exist');
        return reply(200, {
          data: { creation_path: found.path, creation_time: '2026-01-01T00:00:00Z', creation_ttl: 60 },
        });
      }),
      post('unwrap', '/v1/sys/wrapping/unwrap', (call) => {
        tokens.assertHeaders(call);
        call.assertNoBody(); // with the token in the header, a second one in the body would be another request
        const token = String(call.headers['x-vault-token']);
        const found = wrapped.get(token);
        if (found === undefined || found.expiresAt <= issuer.now())
          throw new Refusal(400, 'wrapping token is not valid or does not exist');
        wrapped.delete(token);
        return reply(200, { data: { secret_id: secretId(), secret_id_accessor: 'a', secret_id_ttl: 600 } });
      }),
      secretRoute('GET'),
      secretRoute('POST'),
    ];

    function secretRoute(method: 'GET' | 'POST'): Route {
      return {
        name: 'secret',
        method,
        path: /\/v1\/(?:database|aws|kubernetes|secret|nothing)\/.*/,
        handle: (call) => readSecret(call),
      };
    }

    function readSecret(call: Call): Reply {
      const token = tokens.authorize(call);
      const path = call.path.replace('/v1/', '');
      const { data, lease, outlives, claimedDuration } = readEngine(path, call, issuer);
      const base = {
        request_id: 'r',
        renewable: lease !== null,
        data,
        wrap_info: null,
        warnings: null,
        auth: null,
      };
      if (lease === null) return reply(200, { ...base, lease_id: '', lease_duration: claimedDuration ?? 0 });
      const life = call.misbehaves('expired_on_arrival')
        ? -5
        : lease + (call.misbehaves('longer_than_asked') ? 3600 : 0);
      const made = leases.create(path, token, life, outlives);
      return reply(200, { ...base, lease_id: made.id, lease_duration: life });
    }
  }

  function lookupOf(token: Token) {
    return {
      accessor: token.accessor,
      creation_time: Math.floor(token.createdAt.getTime() / 1000),
      display_name: token.displayName,
      entity_id: token.entityId,
      expire_time: token.expiresAt?.toISOString() ?? null,
      explicit_max_ttl: token.explicitMaxTtl,
      id: token.secret,
      meta: token.meta,
      num_uses: 0,
      orphan: token.parent === null,
      path: token.path,
      policies: token.policies,
      renewable: false,
      ttl:
        token.expiresAt === null
          ? 0
          : Math.round((token.expiresAt.getTime() - server.now().getTime()) / 1000),
      type: token.type,
    };
  }

  async function verify(jwt: string): Promise<void> {
    const { jwks, issuer = '', audience = '' } = options.jwt ?? {};
    if (jwks === undefined) throw new Refusal(400, 'no handler for route');
    try {
      await jwtVerify(jwt, createLocalJWKSet(jwks), { issuer, audience, currentDate: server.now() });
    } catch (error) {
      const audienceFault = String(error).includes('aud');
      throw new Refusal(
        400,
        `error validating token: ${audienceFault ? 'invalid audience (aud) claim' : 'bad signature'}`,
      );
    }
  }

  function secretId(uses = 1): string {
    const id = server.secret('sid-');
    secretIds.set(id, uses);
    return id;
  }

  const { tokens, leases } = parts as { tokens: Tokens; leases: Leases };
  return Object.assign(server, {
    secretId,
    wrappedSecretId({ path = WRAPPED_AT, seconds: life = 60 } = {}) {
      const token = server.secret('hvs.wrap-');
      wrapped.set(token, { path, expiresAt: new Date(server.now().getTime() + life * 1000) });
      return token;
    },
    givenToken({
      ttl = 8 * 3600,
      type = 'service',
    }: {
      ttl?: number | null;
      type?: 'batch' | 'service';
    } = {}) {
      return tokens.create({ policies: loginPolicies, ttl, type, path: 'given', entityId: 'entity-1' })
        .secret;
    },
    live: () => tokens.live() + leases.live(),
    leases,
  });
}

function seconds(text: unknown): number {
  const [, digits] = /^(\d+)s$/.exec(String(text)) ?? [];
  if (digits === undefined || Number(digits) < 1) throw new Refusal(400, 'invalid duration');
  return Number(digits);
}

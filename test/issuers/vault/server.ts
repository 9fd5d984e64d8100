/** A Vault as far as capwrap uses it: logins, tokens, leases, four engines, wrapping. */
import { startIssuer, type TestIssuer } from '../kit.ts';
import { leaseRoutes } from './lease-routes.ts';
import { Leases } from './leases.ts';
import { loginRoutes } from './login-routes.ts';
import { newSecretId, type Parts, POLICIES, type VaultOptions, WRAPPED_AT } from './parts.ts';
import { tokenRoutes } from './token-routes.ts';
import { Tokens } from './tokens.ts';

export interface VaultServer extends TestIssuer {
  /** A secret id for `ROLE_ID`, good for so many logins. */
  secretId(uses?: number): string;
  /** A token that wraps a fresh secret id. */
  wrappedSecretId(options?: { readonly path?: string; readonly seconds?: number }): string;
  /** A token as an agent would keep it in a file. */
  givenToken(facts?: {
    readonly ttl?: number | null;
    readonly type?: 'batch';
    readonly numUses?: number;
  }): string;
  /** Tokens and credentials that work now, but for those of `givenToken`. */
  live(): number;
  readonly leases: Leases;
}

export async function startVault(options: VaultOptions = {}): Promise<VaultServer> {
  let parts: Parts | undefined;
  const server = await startIssuer({
    error: (_status, code, message) => ({ errors: [...new Set([code, message])] }),
    routes: (issuer) => {
      parts = partsOf(issuer, options);
      return [...loginRoutes(parts), ...tokenRoutes(parts), ...leaseRoutes(parts)];
    },
  });
  if (parts === undefined) throw new Error('no routes were asked for');
  const { tokens, leases, loginPolicies, wrapped, secretIds } = parts;
  return Object.assign(server, {
    secretId: (uses?: number) => newSecretId({ issuer: server, secretIds }, uses),
    wrappedSecretId({ path = WRAPPED_AT, seconds: life = 60 } = {}) {
      const token = server.secret('hvs.wrap-');
      wrapped.set(token, { path, expiresAt: new Date(server.now().getTime() + life * 1000) });
      return token;
    },
    givenToken({ ttl = 8 * 3600, ...facts }: { ttl?: number | null; type?: 'batch'; numUses?: number } = {}) {
      const of = { policies: loginPolicies, path: 'given', entityId: 'entity-1' };
      return tokens.create({ ...of, ttl, ...facts }).secret;
    },
    live: () => tokens.live() + leases.live(),
    leases,
  });
}

function partsOf(issuer: TestIssuer, options: VaultOptions): Parts {
  const tokens = new Tokens(issuer, { ...POLICIES, ...options.policies }, options.namespace ?? null);
  const leases = new Leases(issuer);
  tokens.onRevoke = (token) => {
    leases.queueOf(token);
    if (options.queue === 'at once') leases.workOff();
  };
  const loginPolicies = options.loginPolicies ?? ['default', 'broker', 'readonly', 'engines'];
  return { issuer, options, loginPolicies, tokens, leases, secretIds: new Map(), wrapped: new Map() };
}

/** A server, a client of it, and what the provider is called with. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endLease } from '../../src/broker/end-lease.ts';
import { issueLease } from '../../src/broker/lease.ts';
import type { IssueRequest, Lease, Revocation } from '../../src/broker/provider.ts';
import { oauth2 } from '../../src/broker/providers/oauth2/index.ts';
import type { ClientAuth, Oauth2Config } from '../../src/policy/providers/oauth2.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext, capability, LEASE_ID, type TestContext, testIssuer } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { oauth2Config } from '../issuers/oauth2/fixture.ts';
import {
  clientKeys,
  type KnownClient,
  type Oauth2Options,
  type Oauth2Server,
  startOauth2Server,
} from '../issuers/oauth2/server.ts';

export interface World {
  readonly server: Oauth2Server;
  readonly context: TestContext;
  /** The CI system whose tokens are exchanged. */
  readonly ci: Awaited<ReturnType<typeof testIssuer>>;
  request(changes?: Partial<Oauth2Config>, ttl?: number): IssueRequest;
  issue(changes?: Partial<Oauth2Config>, ttl?: number): Promise<Lease>;
  end(lease: Lease): Promise<Revocation>;
  /** The form of the last request to a route. */
  form(route: string): readonly (readonly [string, string])[];
}

/** A public client that exchanges a token of CI, unless `options` and `client` say otherwise. */
export async function world(
  options: Partial<Oauth2Options> = {},
  client: { readonly known: KnownClient; readonly auth: ClientAuth } = PUBLIC,
): Promise<World> {
  const ci = await testIssuer('https://ci.example');
  const server = await startOauth2Server({
    clients: [client.known],
    subjects: { issuer: ci.url, jwks: ci.jwks },
    ...options,
  });
  afterTest(() => server.stop());
  const token = server.keep(await ci.sign({ sub: 'job-1', aud: server.issuer }));
  const context = brokerContext({ CI_TOKEN: token });
  const request = (changes: Partial<Oauth2Config> = {}, ttl = 900): IssueRequest => ({
    leaseId: LEASE_ID,
    capability: capability(
      oauth2Config({
        issuer: server.issuer,
        clientAuth: client.auth,
        source: { type: 'token-env', variable: 'CI_TOKEN', audience: server.issuer },
        ...changes,
      }),
      'read-artifacts',
    ),
    ttl,
    deadline: new Date(context.now().getTime() + ttl * 1000),
    approval: 'none',
    actor: 'agent-7',
    taskId: 'task-1',
  });
  return {
    server,
    context,
    ci,
    request,
    issue: (changes, ttl) => issueLease(oauth2, request(changes, ttl), context),
    end: (lease) => endLease({ ...oauth2, settling: [] }, lease, context),
    form: (route) => [
      ...new URLSearchParams(server.requests.findLast((one) => one.route === route)?.body ?? ''),
    ],
  };
}

export const SCOPE = ['artifacts:read', 'artifacts:list'];

export const PUBLIC = {
  known: { id: 'capwrap', method: 'none', scope: SCOPE },
  auth: { type: 'none' },
} as const;

/** A file that only this user can read. */
export function secretFile(text: string, name = 'secret'): string {
  const path = join(tempDir(), name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** A client with a key, in PEM or as a JWK. */
export async function keyClient(kind: 'rsa' | 'ec' | 'ed25519' = 'ec', form: 'pem' | 'jwk' = 'pem') {
  const { privateKey, jwks } = await clientKeys(kind);
  const text =
    form === 'pem'
      ? privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      : JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'client-1' });
  const auth: ClientAuth = {
    type: 'private-key-jwt',
    keyFile: secretFile(text, 'client-key'),
    keyId: form === 'pem' ? 'client-1' : null,
    audience: null,
  };
  const known: KnownClient = { id: 'capwrap', method: 'private_key_jwt', jwks, scope: SCOPE };
  return { known, auth, text };
}

/** A client with a secret. */
export function secretClient(method: 'basic' | 'post', secret: string) {
  const auth: ClientAuth = { type: 'secret-file', path: secretFile(`${secret}\n`), method };
  const known: KnownClient = { id: 'cap wrap:1', method: `client_secret_${method}`, secret, scope: SCOPE };
  return { known, auth };
}

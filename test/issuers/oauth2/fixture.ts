/** The OAuth 2.0 provider in the catalogue: a token exchange by a client with a key, with all ways to look. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { oauth2 } from '../../../src/broker/providers/oauth2/index.ts';
import type { Oauth2Config } from '../../../src/policy/providers/oauth2.ts';
import { brokerContext, capability, LEASE_ID, testIssuer } from '../../helpers/aws.ts';
import { tempDir } from '../../helpers/cli.ts';
import { movableClock, onServer, type ProviderFixture } from '../fixture.ts';
import { clientKeys, startOauth2Server } from './server.ts';

export const oauth2Fixture: ProviderFixture = {
  name: 'oauth2',
  routes: { issue: ['discovery', 'token'], end: ['revoke'], probe: ['introspect', 'whoami'] },
  outcome: 'revoked_verified',
  without: {},
  async start() {
    const { privateKey, jwks } = await clientKeys();
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const keyFile = join(tempDir(), 'client.pem');
    writeFileSync(keyFile, pem, { mode: 0o600 });
    const ci = await testIssuer('https://ci.example');
    const server = await startOauth2Server({
      clients: [{ id: 'capwrap', method: 'private_key_jwt', jwks, scope: ['artifacts:read'] }],
      subjects: { issuer: ci.url, jwks: ci.jwks },
    });
    const subjectToken = server.keep(await ci.sign({ sub: 'job-1', aud: server.issuer }));
    server.keep(pem.replace(/-----[^-]+-----|\s/g, ''));
    const clock = movableClock(server);
    const config = oauth2Config({
      issuer: server.issuer,
      clientAuth: { type: 'private-key-jwt', keyFile, keyId: 'client-1', audience: null },
      source: { type: 'token-env', variable: 'CI_TOKEN', audience: server.issuer },
      subject: 'job-1',
      probe: `${server.url}/whoami`,
    });
    return {
      ...onServer(server),
      provider: oauth2,
      context: brokerContext({ CI_TOKEN: subjectToken }, { now: clock.now }),
      passTime: clock.passTime,
      live: server.live,
      issueRequest: () => ({
        leaseId: LEASE_ID,
        capability: capability(config, 'read-artifacts'),
        ttl: 900,
        deadline: new Date(clock.now().getTime() + 900_000),
        approval: 'none',
        actor: 'agent-7',
        taskId: 'task-1',
      }),
    };
  },
};

/** A token exchange at a server that is still to be named, with changes. */
export function oauth2Config(changes: Partial<Oauth2Config> = {}): Oauth2Config {
  return {
    provider: 'oauth2',
    issuer: null,
    tokenEndpoint: null,
    revocationEndpoint: null,
    introspectionEndpoint: null,
    caFile: null,
    grant: 'token-exchange',
    clientId: 'capwrap',
    clientAuth: { type: 'none' },
    source: null,
    subjectTokenType: 'jwt',
    requestedTokenType: null,
    audience: ['artifacts'],
    resource: [],
    scope: ['artifacts:read'],
    tokenAudience: [],
    subject: null,
    tokenLife: null,
    ttlParameter: null,
    probe: null,
    ...changes,
  };
}

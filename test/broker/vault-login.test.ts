/** The ways to log in to Vault: each proof, and what is said where it does not serve. */
import { describe, expect, test } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import { issueLease } from '../../src/broker/lease.ts';
import { vault } from '../../src/broker/providers/vault/index.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { VaultConfig } from '../../src/policy/providers/vault.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext, errorOf, testIssuer } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { appRole, secretFile, vaultConfig, vaultRequest } from '../issuers/vault/config.ts';
import { type VaultOptions, WRAPPED_AT } from '../issuers/vault/parts.ts';
import { startVault, type VaultServer } from '../issuers/vault/server.ts';

const AUDIENCE = 'https://vault.example.com';

async function started(options: VaultOptions = {}): Promise<VaultServer> {
  const server = await startVault(options);
  afterTest(() => server.stop());
  return server;
}

function issue(
  server: VaultServer,
  auth: VaultConfig['auth'],
  env: Readonly<Record<string, string>> = {},
  context = brokerContext(env),
) {
  return issueLease(vault, vaultRequest(vaultConfig(server.url, { auth })), context);
}

const routes = (server: VaultServer) => server.requests.map(({ route }) => route);

describe('token from a file', () => {
  const auth = (tokenFile: string, longLived = false): VaultConfig['auth'] => ({
    method: 'token',
    tokenFile,
    longLived,
  });

  test('is looked at, and serves as parent', async () => {
    const server = await started();
    const path = secretFile(`${server.givenToken()}\n`);
    const lease = await issue(server, auth(path));
    expect(routes(server)).toEqual(['token-lookup', 'create', 'secret']);
    expect(lease.facts).toMatchObject({ source: `vault-token:${path}`, long_lived_source: false });
  });

  test('without an expiry it is refused, unless the map allows it, and then recorded', async () => {
    const server = await started();
    const path = secretFile(server.givenToken({ ttl: null }));
    expect(await errorOf(() => issue(server, auth(path)))).toMatchObject({
      code: 'ERR_SOURCE_LONG_LIVED',
      message: `token in "${path}" has no expiry`,
    });
    const lease = await issue(server, auth(path, true));
    expect(lease.facts['long_lived_source']).toBe(true);
    expect(lease.expiresAt.getTime()).toBeGreaterThan(Date.now());
  });

  test.each<readonly [string, () => string, ErrorCode, RegExp]>([
    [
      'a file that others can read',
      () => secretFile('hvs.x', 0o644),
      'ERR_SOURCE_INVALID',
      /can be read by others/,
    ],
    ['a file that is not there', () => '/nonexistent/token', 'ERR_SOURCE_UNAVAILABLE', /does not exist/],
    ['an empty file', () => secretFile('\n'), 'ERR_SOURCE_UNAVAILABLE', /is empty/],
    [
      'two lines',
      () => secretFile('hvs.secret-one\nhvs.secret-two\n'),
      'ERR_SOURCE_INVALID',
      /one secret on one line/,
    ],
    [
      'letters that no header takes',
      () => secretFile('hvs.schlüssel'),
      'ERR_SOURCE_INVALID',
      /character that no token/,
    ],
    [
      'an unknown token',
      () => secretFile('hvs.unknown-token'),
      'ERR_PROVIDER_REFUSED',
      /403 \(invalid token\)/,
    ],
  ])('%s', async (_, file, code, message) => {
    const server = await started();
    const error = await errorOf(() => issue(server, auth(file())));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expectNowhere(['hvs.secret-one', 'hvs.secret-two', 'hvs.schlüssel', 'hvs.unknown-token'], {
      texts: [error.message, String(error.hint), error.stack ?? ''],
    });
  });

  test('a batch token is refused before it is asked for a child', async () => {
    const server = await started({ loginPolicies: ['default', 'broker'] });
    const path = secretFile(server.givenToken({ type: 'batch' }));
    const error = await errorOf(() => issue(server, auth(path)));
    expect(error.message).toMatch(/is a batch token/);
    expect(routes(server)).toEqual(['token-lookup']);
  });
});

describe('AppRole', () => {
  test('a secret id that is used up', async () => {
    const server = await started();
    const path = secretFile(server.secretId(1));
    await issue(server, appRole(path));
    const error = await errorOf(() => issue(server, appRole(path)));
    expect(error.code).toBe('ERR_PROVIDER_REFUSED');
    expect(error.message).toMatch(/400 \(invalid role or secret ID\)$/);
    expect(error.hint).toMatch(/secret id is used up/);
  });

  test('a login with a batch token is refused, with the time until which it lives', async () => {
    const server = await started({ loginType: 'batch' });
    const error = await errorOf(() => issue(server, appRole(secretFile(server.secretId()))));
    expect(error.message).toMatch(/logged in with a batch token$/);
    expect(error.issuedUntil).toBeInstanceOf(Date);
    expect(routes(server)).toEqual(['login']);
  });

  test('a login whose uses do not suffice for the end is refused, and taken back', async () => {
    const server = await started({ loginUses: 3 });
    const error = await errorOf(() => issue(server, appRole(secretFile(server.secretId()))));
    expect(error.message).toMatch(/logged in with a token of 3 uses$/);
    expect(server.live()).toBe(0);
  });

  test('eight uses suffice', async () => {
    const server = await started({ loginUses: 8 });
    const context = brokerContext();
    const lease = await issue(server, appRole(secretFile(server.secretId())), {}, context);
    expect((await endLease(vault, lease, context)).outcome).toBe('revoked_verified');
    expect(server.live()).toBe(0);
  });

  test('a login without the right to make tokens says which right it needs, and is taken back', async () => {
    const server = await started({ loginPolicies: ['default', 'readonly'] });
    const error = await errorOf(() => issue(server, appRole(secretFile(server.secretId()))));
    expect(error.hint).toMatch(/update on auth\/token\/create/);
    expect(server.live()).toBe(0);
  });

  test('a policy that the login does not have', async () => {
    const server = await started({ loginPolicies: ['default', 'broker'] });
    const error = await errorOf(() => issue(server, appRole(secretFile(server.secretId()))));
    expect(error.message).toMatch(/child policies must be subset of parent/);
    expect(server.live()).toBe(0);
  });

  test('a path that nobody has mounted, and one that the policies do not open', async () => {
    const server = await started();
    const auth = () => appRole(secretFile(server.secretId()));
    const ask = (path: string, policies: string[]) =>
      errorOf(() =>
        issueLease(
          vault,
          vaultRequest(vaultConfig(server.url, { auth: auth(), path, policies })),
          brokerContext(),
        ),
      );
    expect(await ask('nothing/here', ['engines'])).toMatchObject({
      code: 'ERR_PROVIDER_REFUSED',
      hint: expect.stringMatching(/nothing is mounted there/),
    });
    expect(await ask('aws/creds/user', ['readonly'])).toMatchObject({
      hint: 'one of the policies that the map names must allow read on path',
    });
    expect(server.live()).toBe(0);
  });
});

describe('a wrapped secret id', () => {
  test('is looked up, then unwrapped with the token in the header, then used', async () => {
    const server = await started();
    const context = brokerContext();
    const path = secretFile(server.wrappedSecretId());
    await issue(server, appRole(path, WRAPPED_AT), {}, context);
    expect(routes(server)).toEqual(['wrap-lookup', 'unwrap', 'login', 'create', 'secret']);
    const registered = context.registered.map(({ value }) => value);
    for (const secret of server.secrets()) expect(registered).toContain(secret);
  });

  test.each([
    [
      'made at another path',
      (server: VaultServer) => server.wrappedSecretId({ path: 'auth/approle/role/admin/secret-id' }),
      /that was not made at auth\/approle\/role\/deployer\/secret-id$/,
    ],
    [
      'made at a path of KV',
      (server: VaultServer) => server.wrappedSecretId({ path: 'secret/data/x' }),
      /not made at/,
    ],
    ['over', (server: VaultServer) => server.wrappedSecretId({ seconds: -1 }), /is used up or has expired$/],
    ['unknown', () => 'hvs.unknown-wrapping-token', /is used up or has expired$/],
  ])('one that was %s is not unwrapped', async (_, token, message) => {
    const server = await started();
    const path = secretFile(token(server));
    const error = await errorOf(() => issue(server, appRole(path, WRAPPED_AT)));
    expect(error.code).toBe('ERR_SOURCE_INVALID');
    expect(error.message).toMatch(message);
    expect(routes(server)).toEqual(['wrap-lookup']);
  });

  test('one that somebody else unwraps in between is an incident', async () => {
    const server = await started();
    server.fault({ route: 'unwrap', fault: 'refused' });
    const error = await errorOf(() =>
      issue(server, appRole(secretFile(server.wrappedSecretId()), WRAPPED_AT)),
    );
    expect(error).toMatchObject({
      code: 'ERR_SOURCE_INVALID',
      hint: expect.stringMatching(/^treat it as an incident/),
    });
    expect(routes(server)).toEqual(['wrap-lookup', 'unwrap']); // and is not tried again
  });

  test('works once', async () => {
    const server = await started();
    const path = secretFile(server.wrappedSecretId());
    await issue(server, appRole(path, WRAPPED_AT));
    const error = await errorOf(() => issue(server, appRole(path, WRAPPED_AT)));
    expect(error.message).toMatch(/is used up or has expired/);
  });
});

describe('JWT and Kubernetes', () => {
  async function withIssuer() {
    const oidc = await testIssuer('https://issuer.example');
    const server = await started({ jwt: { jwks: oidc.jwks, issuer: oidc.url, audience: AUDIENCE } });
    return { oidc, server };
  }

  test.each([
    ['jwt', 'jwt'],
    ['kubernetes', 'kubernetes'],
    ['jwt', 'k8s/eu'],
  ] as const)('%s at auth/%s', async (method, mount) => {
    const { oidc, server } = await withIssuer();
    const path = secretFile(await oidc.sign({ aud: AUDIENCE }));
    const source = { type: 'token-file', path, audience: AUDIENCE } as const;
    const lease = await issue(server, { method, mount, role: 'deployer', source });
    expect(server.requests[0]?.path).toBe(`/v1/auth/${mount}/login`);
    expect(lease.facts['source']).toBe(`token-file:${path}`);
  });

  test('token-env', async () => {
    const { oidc, server } = await withIssuer();
    const source = { type: 'token-env', variable: 'ID_TOKEN', audience: null } as const;
    const auth = { method: 'jwt', mount: 'jwt', role: 'deployer', source } as const;
    await expect(
      issue(server, auth, { ID_TOKEN: await oidc.sign({ aud: AUDIENCE }) }),
    ).resolves.toBeDefined();
  });

  test.each([
    ['for another audience', { aud: 'sts.amazonaws.com' }, /400 \(invalid audience \(aud\) claim\)$/],
    ['of another issuer', { aud: AUDIENCE, iss: 'https://other.example' }, /400 \(error validating token\)$/],
  ])('a token %s', async (_, claims, message) => {
    const { oidc, server } = await withIssuer();
    const source = { type: 'token-env', variable: 'ID_TOKEN', audience: null } as const;
    const auth = { method: 'jwt', mount: 'jwt', role: 'deployer', source } as const;
    const token = await oidc.sign(claims);
    const error = await errorOf(() => issue(server, auth, { ID_TOKEN: token }));
    expect(error.message).toMatch(message);
    expectNowhere([token], { texts: [error.message, String(error.hint), error.stack ?? ''] });
  });

  test('a login under another role than the map names is refused and ended', async () => {
    const { oidc, server } = await withIssuer();
    const source = { type: 'token-env', variable: 'ID_TOKEN', audience: null } as const;
    const auth = { method: 'jwt', mount: 'jwt', role: 'other', source } as const;
    const error = await errorOf(async () =>
      issue(server, auth, { ID_TOKEN: await oidc.sign({ aud: AUDIENCE }) }),
    );
    expect(error.code).toBe('ERR_PROVIDER_WRONG_PRINCIPAL');
    expect(server.live()).toBe(0);
  });
});

test("the caller's variables steer nothing", async () => {
  const server = await started();
  const elsewhere = {
    VAULT_ADDR: 'http://127.0.0.1:9',
    VAULT_TOKEN: 'hvs.other',
    BAO_ADDR: '',
    HTTPS_PROXY: 'http://127.0.0.1:9',
  };
  await expect(issue(server, appRole(secretFile(server.secretId())), elsewhere)).resolves.toBeDefined();
});

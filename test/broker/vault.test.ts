/** Provider `vault` against a server that checks what the real one checks: what is issued, how it ends, what is claimed. */
import { describe, expect, test } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import { issueLease, LeaseRefused } from '../../src/broker/lease.ts';
import type { LeaseHandle } from '../../src/broker/provider.ts';
import { vault } from '../../src/broker/providers/vault/index.ts';
import type { VaultConfig } from '../../src/policy/providers/vault.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext, errorOf, LEASE_ID } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { movableClock } from '../issuers/fixture.ts';
import { appRole, secretFile, vaultConfig, vaultRequest } from '../issuers/vault/config.ts';
import type { VaultOptions } from '../issuers/vault/parts.ts';
import { startVault, type VaultServer } from '../issuers/vault/server.ts';

async function world(options: VaultOptions = {}, changes: Partial<VaultConfig> = {}) {
  const server = await startVault(options);
  afterTest(() => server.stop());
  const clock = movableClock(server);
  const context = brokerContext({}, { now: clock.now });
  const auth = appRole(secretFile(server.secretId(9)));
  const namespace = options.namespace ?? null;
  const config = vaultConfig(server.url, { auth, namespace, ...changes });
  const issue = (ttl = 900) => issueLease(vault, vaultRequest(config, ttl, clock.now()), context);
  const end = async (ttl?: number) => endLease(vault, await issue(ttl), context);
  const endByHandle = (handle: LeaseHandle | null, leaseId = LEASE_ID) =>
    vault.endByHandle?.(handle ?? {}, config, context, leaseId);
  return { server, context, config, issue, end, endByHandle, ...clock };
}

const routesOf = (server: VaultServer) => server.requests.map(({ route }) => route);
const bodyOf = (server: VaultServer, route: string) =>
  JSON.parse(server.requests.find((request) => request.route === route)?.body ?? 'null');

describe('issue', () => {
  test('makes a token for the lease and reads the secret with it', async () => {
    const { server, issue, now } = await world();
    const lease = await issue();
    expect(routesOf(server)).toEqual(['login', 'create', 'secret']);
    expect(bodyOf(server, 'create')).toEqual({
      policies: ['readonly'],
      ttl: '900s',
      explicit_max_ttl: '900s',
      renewable: false,
      type: 'service',
      display_name: 'capwrap',
      meta: { capwrap_lease: LEASE_ID, capwrap_capability: 'read-staging' },
    });
    const [login, create, secret] = server.requests.map(({ headers }) => headers['x-vault-token']);
    expect(login).toBeUndefined();
    expect(secret).toBe(lease.values['vault_token']?.value);
    expect(secret).not.toBe(create);
    // The role's lease is an hour; the token that holds it is not.
    expect(lease.expiresAt.getTime() - now().getTime()).toBeLessThanOrEqual(900_000);
    expect(lease).toMatchObject({
      principal: expect.stringMatching(/^v-approle-readonly-/),
      scope: ['database/creds/readonly'],
      warnings: [],
      handle: { kind: 'lease', lease_id: expect.stringMatching(/^database\/creds\/readonly\//) },
      values: {
        username: { secret: false },
        password: { secret: true },
        vault_addr: { value: server.url, secret: false },
      },
    });
  });

  test('tells the masker of every secret, the proofs included, and of nothing public', async () => {
    const { server, issue, context } = await world();
    await issue();
    const registered = context.registered.map(({ value }) => value);
    for (const secret of server.secrets()) expect(registered).toContain(secret);
    expect(new Set(registered).size).toBe(server.secrets().length);
    expect([...new Set(context.registered.map(({ name }) => name))]).toEqual([
      'secret_id',
      'vault_login_token',
      'vault_token',
      'password',
    ]);
  });

  test('sends the namespace with every call', async () => {
    const { server, end } = await world({ namespace: 'admin/team' });
    expect((await end()).outcome).toBe('revoked_verified');
    expect(new Set(server.requests.map(({ headers }) => headers['x-vault-namespace']))).toEqual(
      new Set(['admin/team/']),
    );
  });

  test('a missing namespace is permission denied', async () => {
    const { issue } = await world({ namespace: 'admin' }, { namespace: null });
    const error = await errorOf(issue);
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_REFUSED',
      hint: 'look at auth and namespace of the map',
    });
    expect(error.message).toMatch(/^"127\.0\.0\.1:\d+" refused with 403 \(permission denied\)$/);
  });

  test('gives the granted seconds to the parameter that the map names', async () => {
    const write = { request: 'write', path: 'kubernetes/creds/deployer', policies: ['engines'] } as const;
    const parameters = { kubernetes_namespace: 'staging' };
    const { server, issue } = await world({}, { ...write, parameters, ttlParameter: 'ttl' });
    const lease = await issue(700);
    expect(bodyOf(server, 'secret')).toEqual({ kubernetes_namespace: 'staging', ttl: '700s' });
    expect(lease.principal).toBe('staging/deployer');

    const read = await world({}, { path: 'aws/sts/deployer', policies: ['engines'], ttlParameter: 'ttl' });
    await read.issue(900);
    expect(read.server.requests.at(-1)?.search).toBe('?ttl=900s');
  });

  test('a policy that Vault does not know is worth a warning', async () => {
    const loginPolicies = ['default', 'broker', 'readonly', 'misspelt'];
    const { issue } = await world({ loginPolicies }, { policies: ['readonly', 'misspelt'] });
    expect((await issue()).warnings).toEqual(['Vault has no policy "misspelt"']);
  });

  test('a login that ends before the grant shortens the lease, and says so', async () => {
    const { issue, now } = await world({ loginSeconds: 300 });
    const lease = await issue();
    expect(lease.expiresAt.getTime() - now().getTime()).toBeLessThanOrEqual(300_000);
    expect(lease.warnings).toEqual([
      expect.stringMatching(/^the credential ends \d+ s before the grant: the login/),
    ]);
  });
});

describe('what was issued against what was asked', () => {
  test.each([
    ['a policy of the entity', { entityPolicies: ['admin'] }, {}, 'ERR_PROVIDER_SCOPE', /take off admin/],
    [
      'an STS session beyond the grant',
      {},
      { path: 'aws/sts/deployer', policies: ['engines'] },
      'ERR_PROVIDER_EXPIRY',
    ],
    [
      'a secret of KV',
      {},
      { path: 'secret/data/app', policies: ['engines'] },
      'ERR_PROVIDER_EXPIRY',
      /kv: allow/,
    ],
    [
      'the same of version 1',
      {},
      { path: 'secret/plain/app', policies: ['engines'] },
      'ERR_PROVIDER_EXPIRY',
      /kv: allow/,
    ],
  ] as const)('%s is refused', async (_, options, changes, code, hint?) => {
    const { issue, server } = await world(options, changes as Partial<VaultConfig>);
    const error = await errorOf(issue);
    expect(error).toBeInstanceOf(LeaseRefused);
    expect(error.code).toBe(code);
    if (hint) expect(error.hint).toMatch(hint);
    expect(routesOf(server).filter((route) => route === 'token-revoke')).toHaveLength(2); // the token, and the login
  });

  test('kv: allow lets nothing else live longer than the grant', async () => {
    const { issue } = await world({}, { path: 'aws/sts/deployer', policies: ['engines'], kv: true });
    expect(await errorOf(issue)).toMatchObject({
      code: 'ERR_PROVIDER_EXPIRY',
      message: expect.stringMatching(/longer than the grant of 900 s$/),
    });
  });

  test('a policy of the entity that the map names is fine', async () => {
    const { issue } = await world({ entityPolicies: ['engines'] }, { policies: ['readonly', 'engines'] });
    await expect(issue()).resolves.toBeDefined();
  });
});

describe('end', () => {
  test('revokes lease, token and login, each seen before and after', async () => {
    const { server, end } = await world();
    const revocation = await end();
    expect(revocation).toEqual({
      outcome: 'revoked_verified',
      end: 'sys/leases/revoke answered 204; auth/token/revoke-self answered 204',
      probe:
        'sys/leases/lookup answered 400 (invalid lease); auth/token/lookup-self answered 403 (invalid token)',
      error: null,
    });
    expect(bodyOf(server, 'lease-revoke')).toMatchObject({ sync: true });
    expect(server.live()).toBe(0);
    expect(routesOf(server).at(-1)).toBe('token-revoke');
  });

  test('leaves a token from a file alone', async () => {
    const server = await startVault();
    afterTest(() => server.stop());
    const auth = { method: 'token', tokenFile: secretFile(server.givenToken()), longLived: false } as const;
    const context = brokerContext();
    const lease = await issueLease(vault, vaultRequest(vaultConfig(server.url, { auth })), context);
    expect(lease.handle).not.toHaveProperty('login_accessor');
    expect((await endLease(vault, lease, context)).outcome).toBe('revoked_verified');
    expect(routesOf(server).filter((route) => route === 'token-revoke')).toHaveLength(1);
  });

  test('without the right to revoke leases it has failed, though the token is gone', async () => {
    const loginPolicies = ['default', 'readonly', 'maker'];
    const { end } = await world({
      loginPolicies,
      queue: 'waits',
      policies: { maker: { 'auth/token/create': ['update'] } },
    });
    const revocation = await end();
    expect(revocation.outcome).toBe('revoke_failed');
    expect(revocation.end).toBe('sys/leases/revoke answered 403; auth/token/revoke-self answered 204');
    expect(revocation.error).toMatch(/refused with 403 \(permission denied\)$/);
  });

  test('an irrevocable lease is alive, whatever became of its token', async () => {
    const { end, server } = await world({ irrevocable: true, queue: 'waits' });
    const revocation = await end();
    expect(revocation.outcome).toBe('revoke_failed');
    expect(revocation.probe).toMatch(
      /^sys\/leases\/lookup answered 200 \(irrevocable\); auth\/token\/lookup-self answered 403/,
    );
    expect(server.live()).toBe(1);
  });

  test('a failed revocation that Vault makes up for from its queue is seen', async () => {
    const { server, issue, context } = await world({ queue: 'at once' });
    const lease = await issue();
    server.fault({ route: 'lease-revoke', fault: 'server_error' });
    expect(await endLease(vault, lease, context)).toMatchObject({ outcome: 'revoked_verified', error: null });
    expect(server.live()).toBe(0);
  });

  test('a session of STS expires, whatever Vault says of its lease', async () => {
    const { server, end } = await world(
      {},
      { path: 'aws/sts/deployer', policies: ['engines'], ttlParameter: 'ttl' },
    );
    const revocation = await end(900);
    expect(revocation).toMatchObject({ outcome: 'expires', error: null });
    expect(revocation.end).toMatch(
      /^sys\/leases\/revoke answered 204; .*; at AWS the session goes on until it expires$/,
    );
    expect(server.live()).toBe(1);
  });

  test('a user of IAM is deleted with its lease', async () => {
    const { server, issue, context } = await world({}, { path: 'aws/creds/user', policies: ['engines'] });
    const lease = await issue();
    expect(lease.values).not.toHaveProperty('security_token');
    expect(lease.facts['access_key_id']).toMatch(/^AKIA/);
    expect((await endLease(vault, lease, context)).outcome).toBe('revoked_verified');
    expect(server.live()).toBe(0);
  });

  test.each(['existing', 'made-for-it'])(
    'of a service account (%s) only its lease is seen to end',
    async (role) => {
      const changes = { request: 'write', path: `kubernetes/creds/${role}`, policies: ['engines'] } as const;
      const parameters = { kubernetes_namespace: 'staging' };
      const { end } = await world({}, { ...changes, parameters, ttlParameter: 'ttl' });
      const revocation = await end();
      expect(revocation.outcome).toBe('revoked_unverified');
      expect(revocation.probe).toMatch(/invalid lease.*whether the cluster takes the token is not seen/);
    },
  );

  test('a secret of KV is never said to have ended', async () => {
    const { end, issue } = await world({}, { path: 'secret/data/app', policies: ['engines'], kv: true });
    const lease = await issue();
    expect(lease.values['api_key']).toMatchObject({ secret: true });
    expect(lease.warnings).toEqual([expect.stringMatching(/has no lease: it stays valid after the run/)]);
    expect(lease.expiresAt.getUTCFullYear()).toBe(9999);
    expect(await end()).toMatchObject({
      outcome: 'revoke_failed',
      error: 'a secret without a lease stays valid until somebody changes it',
    });
  });

  test('after its time it has expired', async () => {
    const { issue, context, passTime } = await world();
    const lease = await issue();
    passTime(24 * 3600);
    expect((await endLease(vault, lease, context)).outcome).toBe('expired');
  });

  test('a login that can not be revoked is left, and said', async () => {
    const { server, issue, context } = await world();
    const lease = await issue();
    server.fault({ route: 'token-revoke', fault: 'refused', after: 1, times: Number.POSITIVE_INFINITY });
    const revocation = await endLease(vault, lease, context);
    expect(revocation.outcome).toBe('revoked_verified');
    expect(revocation.probe).toMatch(
      /; the login token was not revoked: .* refused with 403; it expires by 20/,
    );
    expectNowhere(server.secrets(), { texts: [JSON.stringify(revocation)] });
  });
});

describe('by its handle, from another process', () => {
  test('lease, token and the other login end', async () => {
    const { server, issue, endByHandle } = await world();
    const { handle } = await issue();
    expectNowhere(server.secrets(), { texts: [JSON.stringify(handle)] });
    expect(await endByHandle(handle)).toEqual({
      outcome: 'revoked_verified',
      end: [
        'sys/leases/revoke answered 204',
        'auth/token/revoke-accessor answered 204',
        'auth/token/revoke-accessor answered 204',
      ].join('; '),
      probe:
        'sys/leases/lookup answered 400 (invalid lease); auth/token/lookup-accessor answered 400 (invalid accessor)',
      error: null,
    });
    expect(server.live()).toBe(0);
  });

  test('what has ended already is not said to have been revoked and verified', async () => {
    const { issue, endByHandle, context } = await world();
    const lease = await issue();
    await endLease(vault, lease, context);
    expect(await endByHandle(lease.handle)).toMatchObject({ outcome: 'revoked_unverified', error: null });
  });

  test('a session of STS expires, with the time in the handle', async () => {
    const { issue, endByHandle, passTime } = await world(
      {},
      { path: 'aws/sts/deployer', policies: ['engines'], ttlParameter: 'ttl' },
    );
    const { handle } = await issue(900);
    expect(await endByHandle(handle)).toMatchObject({ outcome: 'expires' });
    passTime(1000);
    expect(await endByHandle(handle)).toMatchObject({ outcome: 'expired' });
  });

  test('without a login it is an error, and nothing is claimed', async () => {
    const { issue, config, context } = await world();
    const { handle } = await issue();
    const auth = appRole(secretFile('used-up-secret-id'));
    const error = await errorOf(() =>
      vault.endByHandle?.(handle ?? {}, { ...config, auth }, context, LEASE_ID),
    );
    expect(error.code).toBe('ERR_PROVIDER_REFUSED');
  });

  const REFUSED = [
    {
      name: 'a token of another lease',
      handle: (handle: LeaseHandle) => handle,
      leaseId: 'ffffffffffffffff',
      error: 'the token that the record names is of another lease',
      saw: 'auth/token/lookup-accessor answered 200',
    },
    {
      name: 'a token that is of no lease',
      handle: ({ login_accessor: accessor = '', ...rest }: LeaseHandle) => ({ ...rest, accessor }),
      error: 'the token that the record names is of no lease of capwrap',
      saw: 'auth/token/lookup-accessor answered 200',
    },
    {
      name: 'a secret of another path',
      handle: (handle: LeaseHandle) => ({ ...handle, lease_id: 'database/creds/readonly-too/abc' }),
      error: 'the secret that the record names is not of "database/creds/readonly"',
      saw: null,
    },
    {
      name: 'no token at all',
      handle: ({ accessor: _, ...rest }: LeaseHandle) => rest,
      error: 'the record names no token',
      saw: null,
    },
    {
      name: 'a token that may not be looked up',
      handle: (handle: LeaseHandle) => handle,
      before: (server: VaultServer) => server.fault({ route: 'accessor-lookup', fault: 'refused' }),
      error: /^whose token the record names is not seen: .* refused with 403: nothing was revoked$/,
      saw: 'auth/token/lookup-accessor answered 403',
    },
  ] as const;

  test.each(REFUSED)('$name is left alone, and that is said', async (row) => {
    const { server, issue, endByHandle } = await world();
    const { handle } = await issue();
    const changed = row.handle(handle ?? {});
    if ('before' in row) row.before(server);
    const revocation = await endByHandle(changed, 'leaseId' in row ? row.leaseId : LEASE_ID);
    expect(revocation).toEqual({
      outcome: 'revoke_failed',
      end: null,
      probe: row.saw,
      error:
        typeof row.error === 'string'
          ? `${row.error}: nothing was revoked`
          : expect.stringMatching(row.error),
    });
    expect(routesOf(server)).not.toContain('lease-revoke');
    expect(routesOf(server)).not.toContain('accessor-revoke');
    expect(server.live()).toBe(3); // user, token and their login; the login that looked has ended
  });

  test('a secret whose token has ended, by which it would be known, is left to Vault', async () => {
    const { server, issue, endByHandle, context } = await world({ queue: 'waits' });
    const lease = await issue();
    server.fault({ route: 'lease-revoke', fault: 'server_error' });
    await endLease(vault, lease, context);
    expect(await endByHandle(lease.handle)).toMatchObject({
      outcome: 'revoke_failed',
      error: expect.stringMatching(/^the token that the record names has ended, and its secret has not/),
    });
    expect(routesOf(server).filter((route) => route === 'lease-revoke')).toHaveLength(1);
    expect(server.live()).toBe(1);
  });

  test('a login of somebody else is left alone', async () => {
    const { server, issue, endByHandle } = await world();
    const [{ handle }, other] = [await issue(), await issue()];
    const changed = { ...handle, login_accessor: other.handle?.accessor ?? '' };
    expect(await endByHandle(changed)).toMatchObject({
      outcome: 'revoked_verified',
      end: expect.stringMatching(
        /; the login that the record names is not like the one of now: it was left alone$/,
      ),
    });
    expect(server.live()).toBe(4); // of the other all three, and the login of this one
  });
});

test('the preview holds no secret and says what would be sent', async () => {
  const { config, server } = await world();
  expect(vault.preview(vaultRequest(config, 600))).toEqual({
    address: server.url,
    login: 'auth/approle/login',
    token: {
      policies: ['readonly'],
      ttl: '600s',
      explicit_max_ttl: '600s',
      renewable: false,
      type: 'service',
      display_name: 'capwrap',
      meta: { capwrap_lease: LEASE_ID, capwrap_capability: 'read-staging' },
    },
    secret: { method: 'GET', path: 'database/creds/readonly', parameters: {} },
  });
  expect(server.requests).toEqual([]);
});

/** The provider `gcp` against its test server: what is asked, and what comes back. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import { issueLease } from '../../src/broker/lease.ts';
import type { Lease } from '../../src/broker/provider.ts';
import { gcp } from '../../src/broker/providers/gcp/index.ts';
import type { GcpConfig, GcpSource } from '../../src/policy/providers/gcp.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { selfSigned } from '../helpers/certificate.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { ACCOUNT, AUDIENCE, BUCKET, CLOUD_PLATFORM, DELEGATE, STORAGE_SCOPE } from '../issuers/gcp/checks.ts';
import { type GcpServerOptions, principalOf } from '../issuers/gcp/server.ts';
import {
  type Changes,
  type GcpSetup,
  gcpConfig,
  gcpRequest,
  gcpSetup,
  issueFrom,
  proofFile,
  VARIABLE,
} from '../issuers/gcp/setup.ts';

const VIEWER = { resource: BUCKET, permissions: ['inRole:roles/storage.objectViewer'], condition: null };
const SUBJECT = 'repo:acme/web-app:ref:refs/heads/main';

let setup: GcpSetup;

async function start(options: Partial<GcpServerOptions> = {}): Promise<GcpSetup> {
  await setup?.server.stop();
  setup = await gcpSetup(options);
  return setup;
}

beforeEach(async () => void (await start()));
afterEach(() => setup.server.stop());

const issue = (changes?: Changes) => issueFrom(setup, changes);

const tokenOf = (lease: Lease) => lease.values['token']?.value ?? '';
const formOf = (index: number) =>
  Object.fromEntries(new URLSearchParams(setup.server.requests[index]?.body ?? ''));

describe('issue', () => {
  it("hands out a service account's token for the granted time", async () => {
    const lease = await issue({ ttl: 600 });
    expect(setup.server.requests.map(({ route }) => route)).toEqual(['token', 'generate']);
    const proof = formOf(0)['subject_token'];
    expect(formOf(0)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: AUDIENCE,
      scope: CLOUD_PLATFORM,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: proof,
    });
    expect(setup.server.requests[0]?.headers.authorization).toBeUndefined();
    expect(setup.server.requests[1]?.path).toBe(
      `/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
    );
    expect(JSON.parse(setup.server.requests[1]?.body ?? '')).toEqual({
      scope: [STORAGE_SCOPE],
      lifetime: '600s',
    });

    const token = setup.server.find(tokenOf(lease));
    expect(token).toMatchObject({ principal: ACCOUNT, scope: [STORAGE_SCOPE], boundary: null });
    expect(lease).toMatchObject({
      provider: 'gcp',
      principal: ACCOUNT,
      scope: ['devstorage.read_write'],
      handle: null,
      warnings: [],
      facts: { source: `token-env:${VARIABLE}` },
    });
    expect(lease.endpoints).toBeUndefined();
    expect(Math.abs(lease.expiresAt.getTime() - (token?.expiresAt.getTime() ?? 0))).toBeLessThan(2000);
    expect(lease.values['expires_at']?.value).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(lease.values['service_account']).toEqual({ value: ACCOUNT, secret: false });
  });

  it('hands out the federated token where the map names no service account, as long as Google lets it live', async () => {
    const lease = await issue({ config: { serviceAccount: null } });
    expect(setup.server.requests.map(({ route }) => route)).toEqual(['token']);
    expect(formOf(0)['scope']).toBe(STORAGE_SCOPE);
    expect(setup.server.find(tokenOf(lease))?.principal).toBe(principalOf(SUBJECT));
    expect(lease.principal).toBe(AUDIENCE);
    const seconds = (lease.expiresAt.getTime() - Date.now()) / 1000;
    expect(seconds).toBeGreaterThan(3590);
    expect(seconds).toBeLessThan(3602);
    expect(lease.values).not.toHaveProperty('service_account');
  });

  it('cuts the token down to the boundary', async () => {
    const condition = "resource.name.startsWith('projects/_/buckets/acme-previews/objects/pr-7/')";
    const lease = await issue({ config: { boundary: [{ ...VIEWER, condition }] } });
    expect(setup.server.requests.map(({ route }) => route)).toEqual(['token', 'generate', 'token']);
    const form = formOf(2);
    expect(Object.keys(form).sort()).toEqual([
      'grant_type',
      'options',
      'requested_token_type',
      'subject_token',
      'subject_token_type',
    ]);
    expect(setup.server.requests[2]?.headers.authorization).toBeUndefined();
    const rule = {
      availableResource: BUCKET,
      availablePermissions: VIEWER.permissions,
      availabilityCondition: { expression: condition },
    };
    expect(JSON.parse(form['options'] ?? '')).toEqual({ accessBoundary: { accessBoundaryRules: [rule] } });
    expect(tokenOf(lease)).not.toBe(form['subject_token']);
    expect(setup.server.find(tokenOf(lease))?.boundary).toEqual([rule]);
    expect(lease.scope).toEqual(['devstorage.read_write', 'inRole:roles/storage.objectViewer']);
    expect(await list(lease, 'acme-previews')).toBe(200);
    expect(await list(lease, 'acme-private')).toBe(403);
  });

  it('goes through the delegates', async () => {
    await start({ accounts: { [DELEGATE]: {}, [ACCOUNT]: { issuers: [DELEGATE] } } });
    const lease = await issue({ config: { delegates: [DELEGATE] } });
    expect(JSON.parse(setup.server.requests[1]?.body ?? '')['delegates']).toEqual([
      `projects/-/serviceAccounts/${DELEGATE}`,
    ]);
    expect(setup.server.find(tokenOf(lease))?.principal).toBe(ACCOUNT);
    expect((await errorOf(() => issue())).message).toContain('refused with 403 (PERMISSION_DENIED)');
  });

  it.each<[string, Partial<GcpConfig>, Readonly<Record<string, string>>]>([
    ['the tools', {}, { CLOUDSDK_AUTH_ACCESS_TOKEN: 'token', GOOGLE_OAUTH_ACCESS_TOKEN: 'token' }],
    [
      'a project',
      { project: 'acme-web', quotaProject: 'acme-quota', delivery: 'both' },
      {
        CLOUDSDK_AUTH_ACCESS_TOKEN: 'token',
        GOOGLE_OAUTH_ACCESS_TOKEN: 'token',
        GOOGLE_CLOUD_PROJECT: 'project',
        CLOUDSDK_CORE_PROJECT: 'project',
        GOOGLE_CLOUD_QUOTA_PROJECT: 'quota_project',
        CLOUDSDK_BILLING_QUOTA_PROJECT: 'quota_project',
      },
    ],
    [
      'the metadata endpoint alone',
      { project: 'acme-web', delivery: 'metadata-endpoint' },
      { GOOGLE_CLOUD_PROJECT: 'project', CLOUDSDK_CORE_PROJECT: 'project' },
    ],
  ])('fills the variables of %s', async (_, config, expected) => {
    const lease = await issue({ config });
    expect(lease.defaultInject).toEqual(expected);
    for (const value of Object.values(expected)) expect(lease.values).toHaveProperty(value);
  });

  it('asks for no more than is left of the grant', async () => {
    const context = brokerContext({ [VARIABLE]: await setup.proof() });
    const request = gcpRequest(gcpConfig(setup.server), 900, new Date(Date.now() - 300_000));
    await issueLease(gcp, request, context);
    const { lifetime } = JSON.parse(setup.server.requests[1]?.body ?? '');
    expect(Number.parseInt(lifetime, 10)).toBeLessThanOrEqual(600);
    expect(Number.parseInt(lifetime, 10)).toBeGreaterThan(590);
  });

  it('keeps a path of the endpoints', async () => {
    const { url } = setup.server;
    const error = await errorOf(() => issue({ config: { stsEndpoint: `${url}/psc/` } }));
    expect(setup.server.requests[0]?.path).toBe('/psc/v1/token');
    expect(error.message).toContain('refused with 404');
  });

  it('trusts the certificates of ca_file for both endpoints, and without it none of a private authority', async () => {
    const tls = selfSigned();
    await start({ tls });
    const caFile = join(tempDir(), 'ca.pem');
    writeFileSync(caFile, tls.cert);
    await issue({ config: { caFile } });
    expect(setup.server.requests).toHaveLength(2);
    expect((await errorOf(() => issue())).hint).toContain('ca_file: /path/to/ca.pem');
    writeFileSync(caFile, 'no certificate');
    expect((await errorOf(() => issue({ config: { caFile } }))).message).toContain(
      'holds no PEM certificate',
    );
    expect(setup.server.requests).toHaveLength(2);
  });

  it('is steered by no variable of the caller', async () => {
    const elsewhere = 'http://127.0.0.1:9';
    await issue({
      env: {
        HTTPS_PROXY: elsewhere,
        HTTP_PROXY: elsewhere,
        GOOGLE_CLOUD_PROJECT: 'other',
        GOOGLE_APPLICATION_CREDENTIALS: '/nonexistent/key.json',
        CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT: DELEGATE,
        CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: elsewhere,
        GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'elsewhere.example',
      },
    });
    expect(setup.server.requests).toHaveLength(2);
  });

  async function list(lease: Lease, bucket: string): Promise<number> {
    const headers = { authorization: `Bearer ${tokenOf(lease)}` };
    return (await fetch(`${setup.server.url}/storage/v1/b/${bucket}/o`, { headers })).status;
  }
});

describe('sources', () => {
  it.each(['token-file', 'web-identity-file'] as const)('reads %s each time anew', async (type) => {
    const path = proofFile(tempDir(), await setup.proof());
    const source: GcpSource = { type, path, audience: `https:${AUDIENCE}` };
    expect((await issue({ config: { source } })).facts['source']).toBe(`${type}:${path}`);
    proofFile(path.slice(0, path.lastIndexOf('/')), await setup.proof({ sub: 'someone-else' }));
    expect((await errorOf(() => issue({ config: { source } }))).hint).toContain('someone-else');
  });

  it("asks for a job's token with the audience that the provider of the pool takes", async () => {
    const { createServer } = await import('node:http');
    const asked: (string | undefined)[] = [];
    const proof = await setup.proof();
    const github = createServer((request, response) => {
      asked.push(request.url);
      response.end(JSON.stringify({ count: 1, value: proof }));
    });
    await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
    const { port } = github.address() as { port: number };
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token-of-the-job',
    };
    const lease = await issue({ env, config: { source: { type: 'github-actions', audience: null } } });
    github.close();
    expect(lease.facts['source']).toBe('github-actions');
    expect(new URL(asked[0] ?? '', 'http://x').searchParams.get('audience')).toBe(`https:${AUDIENCE}`);
  });

  it('refuses a proof for another audience, or over, before anything is sent', async () => {
    const source: GcpSource = { type: 'token-env', variable: VARIABLE, audience: 'sts.amazonaws.com' };
    const wrong = await errorOf(() => issue({ config: { source } }));
    const over = await errorOf(() => issue({ claims: { exp: Math.floor(Date.now() / 1000) - 600 } }));
    expect([wrong.code, over.code]).toEqual(['ERR_SOURCE_INVALID', 'ERR_SOURCE_INVALID']);
    expect(setup.server.requests).toHaveLength(0);
  });
});

describe('the end', () => {
  it('is the expiry, whatever becomes of the account', async () => {
    const lease = await issue();
    const context = brokerContext();
    expect(await endLease(gcp, lease, context)).toEqual({
      outcome: 'expires',
      end: null,
      probe: null,
      error: null,
    });
    setup.server.account(ACCOUNT).disabled = true;
    expect(setup.server.find(tokenOf(lease))).toBeNull();
    expect((await endLease(gcp, lease, context)).outcome).toBe('expires');
    setup.server.account(ACCOUNT).disabled = false;
    expect(setup.server.find(tokenOf(lease)), 'the same token is alive again').not.toBeNull();
    const later = brokerContext({}, { now: () => new Date(Date.now() + 3_600_000) });
    expect((await endLease(gcp, lease, later)).outcome).toBe('expired');
    expect(setup.server.requests, 'nothing is asked at the end').toHaveLength(2);
  });
});

describe('secrets', () => {
  it('tells the masker of the proof and of every token on the way', async () => {
    const context = brokerContext({ [VARIABLE]: await setup.proof() });
    const lease = await issueLease(gcp, gcpRequest(gcpConfig(setup.server, { boundary: [VIEWER] })), context);
    const registered = context.registered.map(({ value }) => value);
    expect(setup.server.secrets()).toHaveLength(4);
    for (const secret of setup.server.secrets()) expect(registered.includes(secret)).toBe(true);
    expectNowhere(setup.server.secrets(), {
      texts: [
        JSON.stringify({ ...lease, values: null }),
        ...setup.server.requests.map(({ path, search }) => path + search),
      ],
    });
  });

  it('has none in the preview, which sends nothing', () => {
    const config = gcpConfig(setup.server, { boundary: [VIEWER], delegates: [DELEGATE] });
    expect(gcp.preview(gcpRequest(config, 600))).toEqual({
      token_url: `${setup.server.url}/v1/token`,
      audience: AUDIENCE,
      source: `token-env:${VARIABLE}`,
      federated_scope: [CLOUD_PLATFORM],
      impersonation_url: `${setup.server.url}/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
      delegates: [`projects/-/serviceAccounts/${DELEGATE}`],
      scope: [STORAGE_SCOPE],
      lifetime: '600s',
      accessBoundary: {
        accessBoundaryRules: [{ availableResource: BUCKET, availablePermissions: VIEWER.permissions }],
      },
      delivery: 'environment',
    });
    const google = gcp.preview(gcpRequest({ ...config, stsEndpoint: null, iamEndpoint: null }));
    expect(google).toMatchObject({
      token_url: 'https://sts.googleapis.com/v1/token',
      impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
    });
    expect(setup.server.requests).toHaveLength(0);
  });

  it.each([{ stsEndpoint: 'http://sts.example' }, { iamEndpoint: 'http://10.0.0.1' }])(
    'does not travel in clear: %o',
    async (config) => {
      const error = await errorOf(() => issue({ config }));
      expect(error.code).toBe('ERR_MAP_INVALID');
      expect(setup.server.requests).toHaveLength(0);
    },
  );
});

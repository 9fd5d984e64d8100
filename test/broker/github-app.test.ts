/** A token of a GitHub App against a server that checks what GitHub checks: issue, narrowing, refusals. */
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { issueLease, LeaseRefused } from '../../src/broker/lease.ts';
import { gitHubApp } from '../../src/broker/providers/github-app/index.ts';
import type { GitHubAppConfig } from '../../src/policy/providers/github-app.ts';
import { SecretRegistry } from '../../src/redact/registry.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { APP_ID, APP_KEY, CLIENT_ID, INSTALLATION_ID, keyFile } from '../issuers/github-app/app.ts';
import { gitHubConfig, gitHubRequest } from '../issuers/github-app/fixture.ts';
import { type GitHubOptions, startGitHub } from '../issuers/github-app/server.ts';

async function setUp(changes: Partial<GitHubAppConfig> = {}, options: GitHubOptions = {}) {
  const server = await startGitHub(options);
  afterTest(() => server.stop());
  const config = gitHubConfig({ apiUrl: server.apiUrl, privateKeyFile: keyFile(tempDir()), ...changes });
  const context = brokerContext();
  const issue = () => issueLease(gitHubApp, gitHubRequest(config), context);
  const minted = () => server.requests.filter(({ route }) => route === 'token');
  return { server, config, context, issue, minted };
}

describe('issue', () => {
  test('narrows the token to the named repositories and permissions', async () => {
    const { server, issue, minted, config } = await setUp();
    const lease = await issue();
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /repos/acme/web-app/installation',
      `POST /app/installations/${INSTALLATION_ID}/access_tokens`,
    ]);
    expect(JSON.parse(minted()[0]?.body ?? '')).toEqual({
      repositories: ['web-app'],
      permissions: { contents: 'read' },
    });
    const token = server.lastToken();
    expect(lease).toMatchObject({
      provider: 'github-app',
      principal: 'web-deployer[bot]',
      scope: ['contents:read', 'metadata:read', 'acme/web-app'],
      handle: null,
      warnings: [],
    });
    const hashed = createHash('sha256').update(token).digest('base64');
    expect(lease.values).toMatchObject({
      token: { value: token, secret: true },
      hashed_token: { value: hashed, secret: false },
      host: { value: server.host, secret: false },
    });
    expect(lease.facts).toEqual({
      source: `private_key_file:${config.privateKeyFile}`,
      long_lived_source: true,
      hashed_token: hashed,
      clock_skew_seconds: 0,
    });
    expect(lease.expiresAt.getTime() - Date.now()).toBeGreaterThan(3590_000);
  });

  test('speaks for the app with a JWT of nine minutes, dated a minute back', async () => {
    const { server, issue } = await setUp();
    await issue();
    const jwt = server.requests[0]?.headers.authorization?.replace('Bearer ', '') ?? '';
    const [header = '', claims = '', signature = ''] = jwt.split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
    const { iat, exp, ...rest } = read(claims);
    expect(read(header)).toEqual({ alg: 'RS256', typ: 'JWT' });
    expect(rest).toEqual({ iss: CLIENT_ID });
    expect(exp - iat).toBe(600);
    expect(Math.abs(Date.now() / 1000 - 60 - iat)).toBeLessThan(5);
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify('RSA-SHA256', signed, APP_KEY, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  test.each<[string, Partial<GitHubAppConfig>, GitHubOptions, readonly string[]]>([
    ["the app's number in place of its client id", { appId: APP_ID }, {}, ['contents:read', 'acme/web-app']],
    [
      'a given installation',
      { installationId: INSTALLATION_ID, repositories: ['acme/docs', 'acme/lab'] },
      {},
      ['contents:read', 'acme/docs', 'acme/lab'],
    ],
    ['a server of one’s own', {}, { prefix: '/api/v3' }, ['contents:read', 'acme/web-app']],
    ['short tokens', {}, { tokens: 'short' }, ['contents:read', 'acme/web-app']],
    [
      'everything, where the map says so',
      { installationId: INSTALLATION_ID, repositories: 'all', permissions: 'all' },
      {},
      ['contents:write', 'checks:write', 'pull_requests:read', 'repositories:all'],
    ],
  ])('%s', async (_, changes, options, scope) => {
    const { server, issue, minted } = await setUp(changes, options);
    const lease = await issue();
    expect(lease.scope.filter((word) => word !== 'metadata:read')).toEqual(scope);
    if (changes.permissions === 'all') expect(JSON.parse(minted()[0]?.body ?? '')).toEqual({});
    expect(server.live()).toBe(1);
  });

  test('a long token is masked wholly, and so are its parts at a break of the stream', async () => {
    const { server, issue, context } = await setUp();
    await issue();
    const token = server.lastToken();
    expect(token.length).toBeGreaterThan(500);
    expect(token).toMatch(/^ghs_[A-Za-z0-9._-]+$/);
    const secrets = new SecretRegistry();
    for (const { name, value } of context.registered) secrets.register(name, value);
    expect(
      secrets.mask(`a ${token} b ${Buffer.from(`x-access-token:${token}`).toString('base64')} c`),
    ).not.toContain(token.slice(-40));
    expect(secrets.mask(`a ${token} b`)).toBe('a [capwrap:token] b');
    for (const cut of [5, 200, token.length - 3]) {
      const stream = secrets.redactor();
      const text = Buffer.concat([
        stream.push(Buffer.from(`<${token.slice(0, cut)}`)),
        stream.push(Buffer.from(`${token.slice(cut)}>`)),
        stream.flush(),
      ]);
      expect(text.toString()).toBe('<[capwrap:token]>');
    }
  });

  test('the masker knows the key, the JWT and the token', async () => {
    const { issue, context } = await setUp();
    await issue();
    expect(context.registered.map(({ name }) => name)).toEqual([
      'app_private_key',
      'app_jwt',
      'token',
      'token', // by issueLease, as for every provider
    ]);
  });

  test('a time of more than an hour is refused before anything is read', async () => {
    const { server, config, context } = await setUp();
    const error = await errorOf(() => gitHubApp.issue({ ...gitHubRequest(config), ttl: 3601 }, context));
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_EXPIRY',
      hint: 'in capability "push-docs": max_ttl: 1h',
    });
    expect(server.requests).toEqual([]);
  });

  test('preview says what would be sent, and asks nobody', async () => {
    const { server, config } = await setUp();
    expect(gitHubApp.preview(gitHubRequest(config))).toEqual({
      api_url: server.apiUrl,
      app_id: CLIENT_ID,
      installation: 'GET /repos/acme/web-app/installation',
      token: 'POST /app/installations/{id}/access_tokens',
      repositories: ['web-app'],
      permissions: { contents: 'read' },
    });
    expect(server.requests).toEqual([]);
  });
});

const REPOSITORY = (full_name: string) => ({ id: 1, name: 'x', full_name });

describe('what was granted is compared with what was asked, and ended where it is another', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string, string]>([
    [
      'a higher level',
      { permissions: { contents: 'write', metadata: 'read' } },
      'ERR_PROVIDER_SCOPE',
      'issued a token that may do more than was asked for: contents:write',
    ],
    [
      'another permission',
      { permissions: { contents: 'read', checks: 'read' } },
      'ERR_PROVIDER_SCOPE',
      'more than was asked for: checks:read',
    ],
    [
      'a level that nobody knows',
      { permissions: { contents: 'read', packages: 'own\u001b[2J' } },
      'ERR_PROVIDER_SCOPE',
      'more than was asked for: permissions:unknown',
    ],
    ['no permissions', { permissions: undefined }, 'ERR_PROVIDER_SCOPE', 'permissions:unknown'],
    [
      'too few',
      { permissions: { metadata: 'read' } },
      'ERR_PROVIDER_SCOPE',
      'issued a token without contents:read',
    ],
    ['all repositories', { repository_selection: 'all' }, 'ERR_PROVIDER_SCOPE', 'repositories:all'],
    [
      'another repository',
      { repositories: [REPOSITORY('acme/web-app'), REPOSITORY('acme/lab')] },
      'ERR_PROVIDER_SCOPE',
      'more than was asked for: acme/lab',
    ],
    ['no list of repositories', { repositories: undefined }, 'ERR_PROVIDER_SCOPE', 'repositories:unknown'],
    ['an empty list', { repositories: [] }, 'ERR_PROVIDER_SCOPE', 'without acme/web-app'],
    [
      'a name that is none',
      { repositories: [REPOSITORY('acme/web-app\u202e')] },
      'ERR_PROVIDER_SCOPE',
      'repositories:unknown',
    ],
    [
      'the repository of another owner',
      { repositories: [REPOSITORY('mallory/web-app')] },
      'ERR_PROVIDER_WRONG_PRINCIPAL',
      'issued a token for "mallory/web-app"',
    ],
    ['no expiry', { expires_at: undefined }, 'ERR_PROVIDER_EXPIRY', 'without an expiry'],
  ])('%s', async (_, minted, code, message) => {
    const { server, issue } = await setUp({}, { minted });
    const error = await errorOf(issue);
    expect(error).toBeInstanceOf(LeaseRefused);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(server.live()).toBe(0);
    expect(server.requests.map(({ route }) => route)).toContain('revoke');
  });

  test('metadata:read that was not asked for, and a repository in another case, are as they should be', async () => {
    const repositories = [REPOSITORY('Acme/Web-App')];
    const { issue } = await setUp({}, { minted: { repositories } });
    expect((await issue()).scope).toEqual(['contents:read', 'metadata:read', 'Acme/Web-App']);
  });
});

describe('refusals', () => {
  test.each<[string, Partial<GitHubAppConfig>, GitHubOptions, Readonly<Record<string, unknown>>]>([
    [
      'a repository without the app',
      { repositories: ['acme/elsewhere'] },
      {},
      {
        code: 'ERR_PROVIDER_REFUSED',
        message: expect.stringMatching(/^"127\.0\.0\.1:\d+" refused with 404 \(Not Found\)$/),
        hint: 'install the app on "acme/elsewhere", or correct its name in the map',
      },
    ],
    [
      'an installation that there is not',
      { installationId: '1' },
      {},
      { code: 'ERR_PROVIDER_REFUSED', hint: 'the app has no installation 1: leave installation_id out' },
    ],
    [
      'an app that there is not',
      { appId: '99' },
      {},
      { code: 'ERR_PROVIDER_REFUSED', message: expect.stringContaining('(Integration not found)') },
    ],
    [
      'a repository that was renamed',
      { repositories: ['acme/old'] },
      { renamed: 'acme/old' },
      { code: 'ERR_PROVIDER_INVALID_RESPONSE', hint: expect.stringContaining('renamed or moved') },
    ],
    [
      'a permission that the installation lacks',
      { permissions: { contents: 'read', pull_requests: 'write', issues: 'read' } },
      {},
      {
        code: 'ERR_PROVIDER_REFUSED',
        message: expect.stringContaining('it lacks pull_requests:write, issues:read'),
        hint: expect.stringContaining('let an owner of the account accept'),
      },
    ],
    [
      'a suspended installation',
      {},
      { installation: { suspended_at: '2026-01-01T00:00:00Z' } },
      { code: 'ERR_PROVIDER_REFUSED', message: expect.stringContaining(`has suspended installation`) },
    ],
    [
      'the installation of another owner',
      {},
      { installation: { account: { login: 'mallory' } } },
      { code: 'ERR_PROVIDER_WRONG_PRINCIPAL' },
    ],
    [
      'the installation of another app',
      {},
      { installation: { client_id: 'Iv23liAnother' } },
      { code: 'ERR_PROVIDER_WRONG_PRINCIPAL' },
    ],
    [
      'another installation than the given one',
      { installationId: INSTALLATION_ID },
      { installation: { id: 7 } },
      { code: 'ERR_PROVIDER_WRONG_PRINCIPAL' },
    ],
    [
      'an answer that is no installation',
      {},
      { installation: { id: '4242' } },
      { code: 'ERR_PROVIDER_INVALID_RESPONSE', message: expect.stringContaining('no installation') },
    ],
  ])('%s: nothing is issued', async (_, changes, options, expected) => {
    const { server, context, issue, minted } = await setUp(changes, options);
    const error = await errorOf(issue);
    expect(error).toMatchObject(expected);
    expect(error.issuedUntil).toBeUndefined();
    expect(minted()).toEqual([]);
    expectNowhere([...server.secrets(), ...context.registered.map(({ value }) => value)], {
      texts: [inspect(error, { depth: 9, showHidden: true })],
    });
  });

  test('a repository that the installation lost in between: GitHub says 422', async () => {
    const { issue, server } = await setUp({ repositories: ['acme/web-app', 'acme/gone'] });
    expect(await errorOf(issue)).toMatchObject({
      code: 'ERR_PROVIDER_REFUSED',
      message: expect.stringMatching(
        /refused with 422 \(There is at least one repository that does not exist/,
      ),
      hint: expect.stringContaining('look at its settings'),
    });
    expect(server.live()).toBe(0);
  });

  test('the key of another app', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const { issue, server } = await setUp({ privateKeyFile: keyFile(tempDir(), pem) });
    expect(await errorOf(issue)).toMatchObject({
      code: 'ERR_PROVIDER_REFUSED',
      message: expect.stringContaining('A JSON web token could not be decoded'),
      hint: `is app_id "${CLIENT_ID}" right, and is the private key one of that app's?`,
    });
    expect(server.requests).toHaveLength(1); // the clocks agree: no second try
  });

  test('an answer of 201 without a token says that there may be one', async () => {
    const { issue } = await setUp({}, { minted: { token: undefined } });
    const error = await errorOf(issue);
    expect(error).toMatchObject({ code: 'ERR_PROVIDER_INVALID_RESPONSE' });
    expect(error.issuedUntil).toBeInstanceOf(Date);
  });
});

/** Provider `oauth2` over real sockets: what is sent, what is made of the answer, and how a lease ends. */

import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { issueLease, LeaseRefused } from '../../src/broker/lease.ts';
import { readJwks, readKey } from '../../src/broker/providers/local-issuer/files.ts';
import { oauth2 } from '../../src/broker/providers/oauth2/index.ts';
import type { ClientAuth, Oauth2Config } from '../../src/policy/providers/oauth2.ts';
import { errorOf } from '../helpers/aws.ts';
import { selfSigned } from '../helpers/certificate.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { freshIssuer, jsonPart } from './local-issuer-support.ts';
import { keyClient, PUBLIC, SCOPE, secretClient, secretFile, type World, world } from './oauth2-support.ts';

const OWN: Partial<Oauth2Config> = { grant: 'client-credentials', source: null };

/** Issues, and ends what was issued: the whole story of one lease. */
async function wholeStory(it: World, changes: Partial<Oauth2Config> = {}): Promise<void> {
  const lease = await it.issue(changes);
  expect(it.server.live()).toBe(1);
  const revocation = await it.end(lease);
  expect(revocation).toEqual({
    outcome: 'revoked_verified',
    end: 'revocation answered 200',
    probe: 'introspection: active false',
    error: null,
  });
  expect(it.server.live()).toBe(0);
  const { values: _, ...open } = lease;
  expectNowhere(it.server.secrets(), { texts: [inspect(open, { depth: 9 }), JSON.stringify(revocation)] });
}

describe('the client shows who it is', () => {
  test.each([
    ['rsa', 'pem', 'RS256'],
    ['ec', 'pem', 'ES256'],
    ['ed25519', 'pem', 'EdDSA'],
    ['rsa', 'jwk', 'RS256'],
    ['ec', 'jwk', 'ES256'],
    ['ed25519', 'jwk', 'EdDSA'],
  ] as const)('by a key: %s as %s', async (kind, form, alg) => {
    const client = await keyClient(kind, form);
    const it = await world({}, client);
    await wholeStory(it);
    const assertion = it.form('token').find(([name]) => name === 'client_assertion')?.[1] ?? '';
    expect(jsonPart(assertion, 0)).toEqual({ alg, typ: 'JWT', kid: 'client-1' });
    expect(jsonPart(assertion, 1)).toMatchObject({ iss: 'capwrap', sub: 'capwrap', aud: it.server.issuer });
    const registered = it.context.registered.map(({ value }) => value);
    expect(registered).toContain(assertion);
    expect(registered).toContain(client.text.trim());
    if (form === 'jwk') expect(registered).toContain(JSON.parse(client.text).d);
  });

  test.each(['basic', 'post'] as const)('by a secret: %s', async (method) => {
    const client = secretClient(method, 'p+ss w:rd/%&=');
    const it = await world({}, client);
    await wholeStory(it, { clientId: 'cap wrap:1' });
    expect(it.context.registered.map(({ value }) => value)).toContain('p+ss w:rd/%&=');
    const sent = it.server.requests.find(({ route }) => route === 'token');
    expect(sent?.body.includes('client_secret')).toBe(method === 'post');
  });

  test('not at all, with a name or without one', async () => {
    const it = await world();
    await wholeStory(it);
    expect(it.form('revoke')).toEqual([
      ['token', expect.any(String)],
      ['token_type_hint', 'access_token'],
      ['client_id', 'capwrap'],
    ]);
    expect(await errorOf(() => it.issue({ clientId: null }))).toMatchObject({ code: 'ERR_PROVIDER_REFUSED' });
  });

  test('by a certificate, over TLS of its own authority', async () => {
    const server = selfSigned();
    const client = selfSigned({ dns: 'capwrap' });
    const auth: ClientAuth = {
      type: 'mtls',
      certFile: secretFile(client.cert, 'client.pem'),
      keyFile: secretFile(client.key, 'client.key'),
    };
    const known = {
      id: 'capwrap',
      method: 'tls_client_auth',
      certificate: client.cert,
      scope: SCOPE,
    } as const;
    const tls = { ...server, requestCert: true, rejectUnauthorized: false };
    const it = await world({ tls }, { known, auth });
    await wholeStory(it, { ...OWN, caFile: secretFile(server.cert, 'ca.pem') });

    // RFC 8705 section 5: a client with a certificate has endpoints of its own.
    it.server.rewrite('discovery', (json) => ({
      ...json,
      token_endpoint: 'https://127.0.0.1:9/without-certificate',
      mtls_endpoint_aliases: { token_endpoint: `${it.server.url}/token` },
    }));
    await wholeStory(it, { ...OWN, caFile: secretFile(server.cert, 'ca.pem') });

    const stranger = selfSigned({ dns: 'capwrap' });
    const other: ClientAuth = {
      type: 'mtls',
      certFile: secretFile(stranger.cert),
      keyFile: secretFile(stranger.key),
    };
    const error = await errorOf(() =>
      it.issue({ ...OWN, clientAuth: other, caFile: secretFile(server.cert) }),
    );
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_REFUSED',
      message: expect.stringContaining('invalid_client'),
    });
    const untrusted = await errorOf(() => it.issue(OWN));
    expect(untrusted).toMatchObject({
      code: 'ERR_PROVIDER_UNAVAILABLE',
      hint: expect.stringContaining('ca_file'),
    });
  });

  test('each assertion is a new one, also where the server asks to come again', async () => {
    const it = await world({}, await keyClient());
    it.server.fault({ route: 'token', fault: 'throttled' });
    await it.issue();
    const assertions = it.server.requests
      .filter(({ route }) => route === 'token')
      .map(({ body }) => new URLSearchParams(body).get('client_assertion'));
    expect(new Set(assertions).size).toBe(2);
  });
});

describe('files of the client', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pem = (options: object) => locked.export({ type: 'pkcs8', format: 'pem', ...options }).toString();
  test.each<[string, string | null, string, string]>([
    ['is missing', null, 'ERR_SOURCE_UNAVAILABLE', 'does not exist'],
    ['is empty', '\n', 'ERR_SOURCE_INVALID', 'is empty'],
    ['is no key', 'a-secret-that-is-no-key', 'ERR_SOURCE_INVALID', 'holds no usable private key'],
    ['is no JSON', '{"d":"part-of-a-secret-key"', 'ERR_SOURCE_INVALID', 'holds no JSON'],
    [
      'is a set of keys',
      '{"keys":[{"d":"part-of-a-secret-key"}]}',
      'ERR_SOURCE_INVALID',
      'other than one JWK',
    ],
    [
      'is a broken JWK',
      '{"kty":"EC","d":"part-of-a-secret-key"}',
      'ERR_SOURCE_INVALID',
      'no usable private key',
    ],
    [
      'is too small a key',
      small.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'ERR_SOURCE_INVALID',
      'not signed with',
    ],
    ['is encrypted', pem({ cipher: 'aes-256-cbc', passphrase: 'x' }), 'ERR_SOURCE_INVALID', 'encrypted'],
  ])('one that %s', async (_what, text, code, words) => {
    const it = await world();
    const keyFile = text === null ? '/nonexistent/key' : secretFile(text);
    const clientAuth: ClientAuth = { type: 'private-key-jwt', keyFile, keyId: null, audience: null };
    const error = await errorOf(() => it.issue({ clientAuth }));
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(it.server.requests).toEqual([]);
    if (text?.trim())
      expectNowhere([text.trim(), 'part-of-a-secret-key'], { texts: [inspect(error, { depth: 9 })] });
  });

  test('one that others can read, whose secret the masker knows all the same', async () => {
    const client = secretClient('post', 'a-secret-of-the-client');
    const it = await world({}, client);
    if (client.auth.type !== 'secret-file') throw new Error('no secret file');
    chmodSync(client.auth.path, 0o644);
    const error = await errorOf(() => it.issue());
    expect(error).toMatchObject({ code: 'ERR_SOURCE_INVALID', hint: expect.stringContaining('chmod 600') });
    expect(it.context.registered.map(({ value }) => value)).toContain('a-secret-of-the-client');
  });

  test('a certificate and a key that do not belong together, or are none', async () => {
    const [one, two] = [selfSigned(), selfSigned()];
    const it = await world();
    for (const [cert, key, code] of [
      [one.cert, two.key, 'ERR_SOURCE_INVALID'],
      [one.cert, 'a-secret-that-is-no-key', 'ERR_SOURCE_INVALID'],
      ['no certificate', one.key, 'ERR_SOURCE_UNAVAILABLE'],
    ] as const) {
      const clientAuth: ClientAuth = { type: 'mtls', certFile: secretFile(cert), keyFile: secretFile(key) };
      const error = await errorOf(() => it.issue({ clientAuth }));
      expect(error.code).toBe(code);
      expectNowhere([key.trim()], { texts: [inspect(error, { depth: 9 })] });
    }
  });

  test('one that is gone at the end does not keep the lease from being ended', async () => {
    const client = await keyClient();
    const it = await world({}, client);
    const lease = await it.issue();
    if (client.auth.type !== 'private-key-jwt') throw new Error('no key file');
    writeFileSync(client.auth.keyFile, '');
    expect((await it.end(lease)).outcome).toBe('revoked_verified');
    expect(readFileSync(client.auth.keyFile, 'utf8')).toBe('');
  });
});

test('the request of an exchange, and of a client of its own', async () => {
  const it = await world({ lifeParameter: 'lifetime', life: 3600 });
  const lease = await it.issue(
    {
      audience: ['a', 'b'],
      resource: ['https://r.example/x'],
      scope: SCOPE,
      requestedTokenType: 'access_token',
      ttlParameter: 'lifetime',
    },
    300,
  );
  expect(it.form('token')).toEqual([
    ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    ['subject_token_type', 'urn:ietf:params:oauth:token-type:jwt'],
    ['requested_token_type', 'urn:ietf:params:oauth:token-type:access_token'],
    ['audience', 'a'],
    ['audience', 'b'],
    ['resource', 'https://r.example/x'],
    ['scope', 'artifacts:read artifacts:list'],
    ['lifetime', '300'],
    ['subject_token', it.context.env['CI_TOKEN']],
    ['client_id', 'capwrap'],
  ]);
  expect(lease).toMatchObject({ principal: 'job-1', scope: SCOPE, handle: null, warnings: [] });
  expect(lease.facts).toMatchObject({ source: 'token-env:CI_TOKEN', jti: expect.any(String) });
  expect(Math.abs(lease.expiresAt.getTime() - Date.now() - 300_000)).toBeLessThan(5_000);

  const own = await world({}, secretClient('basic', 'client-secret'));
  const ownLease = await own.issue({ ...OWN, clientId: 'cap wrap:1', audience: [] });
  expect(own.form('token')).toEqual([
    ['grant_type', 'client_credentials'],
    ['scope', 'artifacts:read'],
  ]);
  expect(ownLease.principal).toBe('cap wrap:1');
});

test('the embedded issuer speaks for this machine, for a minute', async () => {
  const { stateDir, files } = await freshIssuer('https://workstation.example');
  const keys = (readJwks(files) ?? []).map((key) => ({ ...key }));
  const it = await world({ subjects: { issuer: 'https://workstation.example', jwks: { keys } } });
  const source = { type: 'local-issuer', audience: it.server.issuer, subject: 'workstation-7' } as const;
  const context = { ...it.context, stateDir };
  const lease = await issueLease(oauth2, it.request({ source }), context);
  expect(lease).toMatchObject({ principal: 'workstation-7', facts: { source: 'local-issuer' } });
  const shown = it.form('token').find(([name]) => name === 'subject_token')?.[1] ?? '';
  const { iat, exp, scope, aud } = jsonPart(shown, 1);
  expect([Number(exp) - Number(iat), scope, aud]).toEqual([60, '', it.server.issuer]);
  const registered = it.context.registered.map(({ name, value }) => [name, value]);
  expect(registered).toContainEqual(['source_token', shown]);
  expect(registered).toContainEqual(['issuer_key', readKey(files)?.d]);
  const error = await errorOf(() => it.issue({ source }));
  expect(error).toMatchObject({ code: 'ERR_ISSUER_NOT_READY', hint: 'capwrap issuer init' });
});

describe('the server is found', () => {
  test.each([
    ['oauth', '', ['discovery']],
    ['oauth', '/realms/a', ['discovery']],
    ['oidc', '', ['discovery', 'oidc_discovery']],
    ['oidc', '/realms/a', ['discovery', 'oidc_discovery']],
  ] as const)('by %s discovery at "%s"', async (discovery, path, routes) => {
    const it = await world({ discovery, path });
    await it.issue();
    expect(it.server.requests.map(({ route }) => route)).toEqual([...routes, 'token']);
  });

  test('by name, without asking', async () => {
    const client = await keyClient();
    const it = await world(
      { discovery: 'none' },
      { ...client, auth: { ...client.auth, audience: 'x' } as ClientAuth },
    );
    const named = {
      issuer: null,
      tokenEndpoint: `${it.server.url}/token`,
      revocationEndpoint: `${it.server.url}/revoke`,
      introspectionEndpoint: `${it.server.url}/introspect`,
    };
    const wrong = await errorOf(() => it.issue(named));
    expect(wrong).toMatchObject({ code: 'ERR_PROVIDER_REFUSED', hint: expect.stringContaining('audience') });
    const auth = { ...client.auth, audience: it.server.issuer } as ClientAuth;
    await wholeStory(it, { ...named, clientAuth: auth });
    expect(it.server.requests.map(({ route }) => route)).not.toContain('discovery');
  });

  const DOCUMENTS: [string, (it: Record<string, unknown>) => unknown, RegExp, RegExp][] = [
    ['of another issuer', (it) => ({ ...it, issuer: 'https://other.example' }), /another issuer/, /exactly/],
    [
      'of an issuer with a slash more',
      (it) => ({ ...it, issuer: `${it['issuer']}/` }),
      /another issuer/,
      /slash/,
    ],
    ['without an issuer', ({ issuer: _, ...rest }) => rest, /another issuer/, /exactly/],
    ['without a token endpoint', ({ token_endpoint: _, ...rest }) => rest, /no token_endpoint/, /in the map/],
    ['with http', (it) => ({ ...it, token_endpoint: 'http://id.example/token' }), /is not https/, /https/],
    [
      'with a password',
      (it) => ({ ...it, revocation_endpoint: 'https://u:p@id.example/' }),
      /user name/,
      /server/,
    ],
    [
      'with no URL',
      (it) => ({ ...it, introspection_endpoint: 'x' }),
      /introspection_endpoint that is no URL/,
      /map/,
    ],
  ];
  test.each(DOCUMENTS)(
    'a document %s is refused before anything is shown',
    async (_what, change, message, hint) => {
      const it = await world();
      it.server.rewrite('discovery', change);
      const error = await errorOf(() => it.issue());
      expect(error.code).toBe('ERR_PROVIDER_INVALID_RESPONSE');
      expect(error.message).toMatch(message);
      expect(error.hint).toMatch(hint);
      expect(it.server.requests.map(({ route }) => route)).toEqual(['discovery']);
    },
  );

  test('no document at all', async () => {
    const it = await world({ discovery: 'none' });
    const error = await errorOf(() => it.issue());
    expect(error.message).toBe(`"${it.server.host}" publishes no endpoints under /.well-known/`);
    expect(error.hint).toContain('token_endpoint');
  });

  test('a server whose documents are somewhere else has them named in the map', async () => {
    const it = await world();
    it.server.rewrite('discovery', ({ revocation_endpoint: _, ...rest }) => rest);
    await wholeStory(it, { revocationEndpoint: `${it.server.url}/revoke` });
  });
});

describe('an answer that is not what was asked for is ended', () => {
  const TYPE = 'urn:ietf:params:oauth:token-type:';
  type Json = Record<string, unknown>;
  const ROWS: [string, (it: Json) => Json, Partial<Oauth2Config>, string, RegExp][] = [
    [
      'more scope',
      (it) => ({ ...it, scope: 'artifacts:read admin' }),
      {},
      'ERR_PROVIDER_SCOPE',
      /1 scope word more/,
    ],
    ['other scope', (it) => ({ ...it, scope: 'admin root' }), {}, 'ERR_PROVIDER_SCOPE', /2 scope words more/],
    ['no type', ({ token_type: _, ...it }) => it, {}, 'ERR_PROVIDER_INVALID_RESPONSE', /not of type Bearer/],
    ['DPoP', (it) => ({ ...it, token_type: 'DPoP' }), {}, 'ERR_PROVIDER_INVALID_RESPONSE', /DPoP/],
    [
      'mac',
      (it) => ({ ...it, token_type: 'mac' }),
      {},
      'ERR_PROVIDER_INVALID_RESPONSE',
      /not of type Bearer/,
    ],
    [
      'N_A for an access token',
      (it) => ({ ...it, token_type: 'N_A' }),
      {},
      'ERR_PROVIDER_INVALID_RESPONSE',
      /Bearer/,
    ],
    [
      'no issued type',
      ({ issued_token_type: _, ...it }) => it,
      {},
      'ERR_PROVIDER_INVALID_RESPONSE',
      /issued_token_type/,
    ],
    [
      'a refresh token as what was issued',
      (it) => ({ ...it, issued_token_type: `${TYPE}refresh_token` }),
      {},
      'ERR_PROVIDER_INVALID_RESPONSE',
      /another type/,
    ],
    [
      'another type than asked for',
      (it) => ({ ...it, issued_token_type: `${TYPE}access_token` }),
      { requestedTokenType: 'jwt' },
      'ERR_PROVIDER_INVALID_RESPONSE',
      /another type/,
    ],
    [
      'a longer life',
      (it) => ({ ...it, expires_in: 3600 }),
      {},
      'ERR_PROVIDER_EXPIRY',
      /3600 s, longer than the 900 s/,
    ],
    ['a longer life, quoted', (it) => ({ ...it, expires_in: '3600' }), {}, 'ERR_PROVIDER_EXPIRY', /longer/],
    ['another subject', (it) => it, { subject: 'job-2' }, 'ERR_PROVIDER_WRONG_PRINCIPAL', /another subject/],
  ];
  test.each(ROWS)('%s', async (_what, change, config, code, message) => {
    const it = await world();
    it.server.rewrite('token', change);
    const error = await errorOf(() => it.issue(config));
    expect(error).toBeInstanceOf(LeaseRefused);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect((error as LeaseRefused).revocation.outcome).toBe('revoked_verified');
    expect(it.server.live()).toBe(0);
  });

  test('a token for other services, by its own claims', async () => {
    // This server takes `resource` for an audience too; the map's resource is another spelling of it.
    const it = await world();
    const named = { audience: ['artifacts'], resource: ['https://r.example/'] };
    expect((await it.issue(named)).principal).toBe('job-1');
    const wider = await world({ extraAudience: 'everything' });
    const error = await errorOf(() => wider.issue(named));
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_SCOPE',
      hint: expect.stringContaining('token_audience'),
    });
    expect(wider.server.live()).toBe(0);
    await wider.issue({ ...named, tokenAudience: ['everything'] });
    await wider.issue({ audience: [] }); // the map leaves it to the server
  });

  test('a token of another client, or one that is bound to a key, told by introspection', async () => {
    for (const [extra, code] of [
      [{ client_id: 'other' }, 'ERR_PROVIDER_WRONG_PRINCIPAL'],
      [{ cnf: { 'x5t#S256': 'x' } }, 'ERR_PROVIDER_INVALID_RESPONSE'],
      [{ scope: 'artifacts:read admin' }, 'ERR_PROVIDER_SCOPE'],
      [{ aud: ['artifacts', 'everything'] }, 'ERR_PROVIDER_SCOPE'],
    ] as const) {
      const it = await world({ opaque: true });
      it.server.rewrite('introspect', (json) => (json['active'] ? { ...json, ...extra } : json));
      const error = await errorOf(() => it.issue({ subject: 'job-1' }));
      expect(error.code).toBe(code);
      expect(it.server.live()).toBe(0);
    }
  });

  test('a token that its introspection repeats is in nothing that is recorded', async () => {
    const { server, issue } = await world({ opaque: true });
    server.rewrite('token', ({ expires_in: _, ...rest }) => rest);
    server.rewrite('introspect', (json) => {
      const token = server.secrets().at(-1);
      return { ...json, jti: token, sub: `user of ${token}` };
    });
    const { values, ...open } = await issue();
    expect(server.secrets()).toContain(values['token']?.value);
    expectNowhere(server.secrets(), { texts: [JSON.stringify(open)] });
    expect(open).toMatchObject({ principal: 'capwrap' });
  });

  test('an opaque token whose subject nothing tells', async () => {
    const it = await world({ opaque: true });
    it.server.rewrite('discovery', ({ introspection_endpoint: _, ...rest }) => rest);
    const error = await errorOf(() => it.issue({ subject: 'job-1' }));
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
      hint: expect.stringContaining('subject'),
    });
    expect(it.server.live()).toBe(0);
  });
});

describe('the life of a token', () => {
  const endless = ({ expires_in: _, ...it }: Record<string, unknown>) => it;

  test('is what introspection says, where the answer is silent', async () => {
    const it = await world({ opaque: true });
    it.server.rewrite('token', endless);
    const lease = await it.issue();
    expect(Math.abs(lease.expiresAt.getTime() - Date.now() - 900_000)).toBeLessThan(5_000);
  });

  test('is refused where nothing tells it', async () => {
    const it = await world({ opaque: true });
    it.server.rewrite('token', endless);
    it.server.rewrite('introspect', ({ exp: _, ...rest }) => rest);
    const error = await errorOf(() => it.issue());
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_EXPIRY',
      message: expect.stringContaining('without an expiry'),
    });
    expect(error.hint).toContain('expires_in');
    expect(error.issuedUntil).toBeInstanceOf(Date);
    expect(it.server.live()).toBe(0);
  });

  test("is the later of the answer's and the token's own", async () => {
    const it = await world({ life: 3600 });
    it.server.rewrite('token', (json) => ({ ...json, expires_in: 60 }));
    const error = await errorOf(() => it.issue());
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_EXPIRY',
      hint: expect.stringContaining('token_life: '),
    });
  });

  test('may be longer than the grant where the map says so, and no longer than that', async () => {
    const it = await world({ life: 3600 });
    const lease = await it.issue({ tokenLife: 3600 });
    expect(lease.expiresAt.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    expect((await it.end(lease)).outcome).toBe('revoked_verified');
    expect((await errorOf(() => it.issue({ tokenLife: 3000 }))).code).toBe('ERR_PROVIDER_EXPIRY');
  });

  test("does not depend on this machine's clock", async () => {
    const it = await world();
    it.server.clockOffset = -3600;
    // The CI token is still good there, and what comes back is good for 900 s from now.
    const lease = await it.issue();
    expect(Math.abs(lease.expiresAt.getTime() - Date.now() - 900_000)).toBeLessThan(5_000);
  });
});

test('less than asked for is a lease, and said', async () => {
  const it = await world();
  it.server.rewrite('token', (json) => ({ ...json, scope: 'artifacts:read' }), {
    'cache-control': 'private',
  });
  it.server.rewrite('introspect', (json) => json);
  const lease = await it.issue({ scope: SCOPE });
  expect(lease.scope).toEqual(['artifacts:read']);
  expect(lease.warnings).toEqual([
    'the server did not grant all that was asked for; missing: artifacts:list',
    `"${it.server.host}" does not forbid caches to keep its answer (Cache-Control: no-store)`,
  ]);
});

describe('refusals', () => {
  test.each<[string, number, RegExp]>([
    ['invalid_request', 400, /subject_token_type/],
    ['invalid_client', 401, /client_id/],
    ['invalid_grant', 400, /source/],
    ['unauthorized_client', 400, /allow the client/],
    ['unsupported_grant_type', 400, /grant/],
    ['invalid_scope', 400, /scope/],
    ['invalid_target', 400, /audience/],
  ])('%s says what to look at', async (code, status, hint) => {
    const it = await world();
    it.server.rewrite('token', () => ({ error: code, error_description: 'words of the server' }));
    const { requests } = it.server;
    it.server.answerWith('token', status);
    const error = await errorOf(() => it.issue());
    expect(error.code).toBe('ERR_PROVIDER_REFUSED');
    expect(error.message).toBe(`"${it.server.host}" refused with ${status} (${code})`);
    expect(error.hint).toMatch(hint);
    expect(error.issuedUntil).toBeUndefined();
    expect(requests.filter(({ route }) => route === 'token')).toHaveLength(1);
    expectNowhere(['words of the server'], { texts: [inspect(error, { depth: 9 })] });
  });

  test('of an assertion where the clocks are apart', async () => {
    const it = await world({}, await keyClient());
    it.server.clockOffset = 7200;
    const error = await errorOf(() => it.issue(OWN));
    expect(error.hint).toMatch(/^the clock of this machine is (?:2h|1h59m59s) behind the server's: set it$/);
  });

  test('of a kind of proof that the server does not take', async () => {
    const it = await world({}, secretClient('basic', 'client-secret'));
    const { auth } = await keyClient();
    const error = await errorOf(() => it.issue({ ...OWN, clientAuth: auth, clientId: 'cap wrap:1' }));
    expect(error.hint).toBe('look at client_auth: the server does not take private_key_jwt');
  });

  test('of a subject token for another audience, here already', async () => {
    const it = await world();
    const source = { type: 'token-env', variable: 'CI_TOKEN', audience: 'https://other.example' } as const;
    expect(await errorOf(() => it.issue({ source }))).toMatchObject({ code: 'ERR_SOURCE_INVALID' });
    expect(it.server.requests.map(({ route }) => route)).toEqual(['discovery']);
  });
});

describe('the end', () => {
  test('the refresh token goes first, and never reaches the command', async () => {
    const it = await world({ refreshTokens: true });
    const lease = await it.issue();
    expect(Object.keys(lease.values)).toEqual(['token', 'expires_at']);
    expect(lease.warnings).toEqual([
      'the server also issued a refresh token, which the command does not get',
    ]);
    expect(it.context.registered.map(({ name }) => name)).toContain('refresh_token');
    await it.end(lease);
    expect(it.server.revoked).toEqual(['refresh_token', 'access_token']);
  });

  test('a server that does not revoke such tokens: it expires', async () => {
    const it = await world();
    const lease = await it.issue();
    it.server.revocationAnswers.push({ status: 400, json: { error: 'unsupported_token_type' } });
    expect(await it.end(lease)).toEqual({
      outcome: 'expires',
      end: 'revocation answered 400 (unsupported_token_type)',
      probe: null,
      error: null,
    });
  });

  test('a server without a revocation endpoint: it expires', async () => {
    const it = await world();
    it.server.rewrite('discovery', ({ revocation_endpoint: _, ...rest }) => rest);
    const lease = await it.issue();
    expect((await it.end(lease)).outcome).toBe('expires');
    expect(it.server.requests.map(({ route }) => route)).not.toContain('revoke');
  });

  test('503 with Retry-After is asked again, and is a failure where it stays', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0' }, text: 'busy' };
    const it = await world();
    const lease = await it.issue();
    it.server.revocationAnswers.push(busy, busy);
    expect((await it.end(lease)).outcome).toBe('revoked_verified');
    const other = await it.issue();
    it.server.revocationAnswers.push(busy, busy, busy, busy);
    expect(await it.end(other)).toMatchObject({
      outcome: 'revoke_failed',
      error: expect.stringContaining('503'),
    });
  });

  test('a page of 200 counts as accepted, and is not believed', async () => {
    const it = await world();
    const lease = await it.issue();
    it.server.revocationAnswers.push({ status: 200, text: '<html>' });
    expect(await it.end(lease)).toMatchObject({
      outcome: 'revoked_unverified',
      end: 'revocation answered 200',
      probe: 'introspection: active true; before: introspection: active true',
    });
  });

  test('a resource that checks the token by itself still takes it, and that is what is said', async () => {
    const it = await world({ local: true });
    const probe = `${it.server.url}/whoami`;
    const lease = await it.issue({ probe });
    expect(await it.end(lease)).toEqual({
      outcome: 'revoked_unverified',
      end: 'revocation answered 200',
      probe: `introspection: active false; GET at "${it.server.host}" answered 200; before: introspection: active true; GET at "${it.server.host}" answered 200`,
      error: null,
    });
  });

  test('a resource alone is enough to look', async () => {
    const it = await world();
    it.server.rewrite('discovery', ({ introspection_endpoint: _, ...rest }) => rest);
    const lease = await it.issue({ probe: `${it.server.url}/whoami` });
    expect(await it.end(lease)).toMatchObject({
      outcome: 'revoked_verified',
      probe: `GET at "${it.server.host}" answered 401 (invalid_token)`,
    });
  });

  test('without any way to look nothing is verified', async () => {
    const it = await world();
    it.server.rewrite('discovery', ({ introspection_endpoint: _, ...rest }) => rest);
    const lease = await it.issue();
    expect(await it.end(lease)).toMatchObject({ outcome: 'revoked_unverified', probe: null });
    expect(it.server.live()).toBe(0);
  });

  test('an introspection that is refused to this client proves nothing', async () => {
    const it = await world();
    const lease = await it.issue();
    it.server.rewrite('introspect', () => ({ active: false, error: 'x' }));
    it.server.answerWith('introspect', 403);
    expect((await it.end(lease)).outcome).toBe('revoked_unverified');
  });

  test('one that is not this provider’s to end is refused', async () => {
    const it = await world();
    const lease = await it.issue();
    const copy = { ...lease };
    expect(() => oauth2.faultOf?.(copy, it.request())).toThrow('is not held here');
    expect(PUBLIC.auth.type).toBe('none');
  });
});

test('the preview says what would be sent, and no secret', async () => {
  const client = secretClient('post', 'client-secret');
  const it = await world({}, client);
  const preview = oauth2.preview(it.request({ scope: SCOPE, tokenLife: 3600 }));
  expect(preview).toMatchObject({
    issuer: it.server.issuer,
    client_auth: 'secret-file',
    source: 'token-env:CI_TOKEN',
    longest_life_seconds: 3600,
    form: { scope: SCOPE.join(' '), audience: 'artifacts' },
  });
  expectNowhere(['client-secret', ...it.server.secrets()], { texts: [JSON.stringify(preview)] });
  expect(it.server.requests).toEqual([]);
});

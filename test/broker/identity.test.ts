/** Claims of a CI system's token as verified facts: only with a signature that holds, by the issuer that the map trusts. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readIdentity } from '../../src/broker/identity/read-identity.ts';
import type { Source } from '../../src/policy/sources/index.ts';
import type { Identity } from '../../src/request/verified.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { type OidcServer, startOidcServer } from '../issuers/oidc/server.ts';

async function start(path = ''): Promise<OidcServer> {
  const server = await startOidcServer(path);
  afterTest(() => server.stop());
  return server;
}

/** As the map of a GitHub Enterprise Server would have it: the issuer is named. */
const gitHub = (issuer: string): Source => ({
  type: 'github-actions',
  audience: 'sts.amazonaws.com',
  issuer,
});

async function ask(
  server: OidcServer,
  source = gitHub(server.issuer),
  env = server.jobEnv,
): Promise<Identity> {
  const context = brokerContext(env);
  const identity = await readIdentity([source], context);
  expectNowhere(server.secrets(), { texts: [inspect(identity)] });
  return identity;
}

function failureOf(identity: Identity): string {
  return 'failure' in identity ? identity.failure : 'no failure';
}

test("a job's token is asked for, for capwrap alone, and its claims are facts", async () => {
  const server = await start('/enterprise');
  const context = brokerContext(server.jobEnv);
  expect(await readIdentity([gitHub(server.issuer)], context)).toEqual({
    from: `OIDC token of ${server.issuer}`,
    claims: {
      repo: 'acme/web-app',
      branch: 'main',
      commit: 'a'.repeat(40),
      environment: 'preview',
      actor: 'octocat',
    },
  });
  expect(server.requests.map(({ route, search }) => [route, search])).toEqual([
    ['id_token', '?api-version=2.0&audience=capwrap'],
    ['discovery', ''],
    ['keys', ''],
  ]);
  const values = context.registered.map(({ value }) => value);
  expect(values).toEqual(server.secrets());
  const others = server.requests.filter(({ route }) => route !== 'id_token');
  for (const { headers } of others) expect(headers.authorization).toBeUndefined();
});

describe('a GitLab job shows the token that the map names', () => {
  const source = (server: OidcServer): Source => ({
    type: 'token-env',
    variable: 'ID_TOKEN',
    audience: 'https://vault.example',
    issuer: server.issuer,
  });
  const gitLab = {
    sub: 'project_path:acme/group/app:ref_type:branch:ref:main',
    project_path: 'acme/group/app',
    repository: undefined,
    ref: 'main',
    ref_type: 'branch',
    ref_path: 'refs/heads/main',
    user_login: 'jane',
    actor: undefined,
  };

  test('and its claims have other names', async () => {
    const server = await start();
    const ID_TOKEN = await server.sign('https://vault.example', gitLab);
    expect(await ask(server, source(server), { ID_TOKEN })).toMatchObject({
      claims: { repo: 'acme/group/app', branch: 'main', commit: 'a'.repeat(40), actor: 'jane' },
    });
  });

  test.each<[string, Record<string, unknown>, string | undefined]>([
    ['a branch without a path', { ref_path: undefined }, 'main'],
    ['a tag', { ref_path: undefined, ref_type: 'tag' }, undefined],
    ['a merge request', { ref_path: 'refs/merge-requests/7/head' }, undefined],
  ])('%s', async (_what, changes, branch) => {
    const server = await start();
    const ID_TOKEN = await server.sign('https://vault.example', { ...gitLab, ...changes });
    const identity = await ask(server, source(server), { ID_TOKEN });
    expect('claims' in identity && identity.claims.branch).toBe(branch);
  });

  test.each(['issuer', 'audience'] as const)('but not without its %s in the map', async (missing) => {
    const server = await start();
    const ID_TOKEN = await server.sign('https://vault.example', gitLab);
    const { issuer, ...rest } = source(server) as Extract<Source, { type: 'token-env' }>;
    const changed = missing === 'issuer' ? rest : { ...rest, audience: null, issuer: issuer ?? '' };
    const identity = await ask(server, changed, { ID_TOKEN });
    expect(failureOf(identity)).toBe(`source "token-env:ID_TOKEN" names no ${missing} in the map`);
    expect(server.requests).toEqual([]);
  });
});

describe('claims that are no facts', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['the merge commit of a pull request', { ref: 'refs/pull/7/merge' }, { branch: undefined }],
    ['a tag', { ref: 'refs/tags/v1', ref_type: 'tag' }, { branch: undefined }],
    ['no environment', { environment: undefined }, { environment: undefined }],
    ['a line break in a name', { actor: 'octocat\nroot' }, { actor: undefined }],
    ['a list', { repository: ['acme/web-app'] }, { repo: undefined }],
    ['no hash', { sha: 'HEAD' }, { commit: undefined }],
  ])('%s', async (_what, claims, expected) => {
    const server = await start();
    Object.assign(server.claims, claims);
    const identity = await ask(server);
    if (!('claims' in identity)) throw new Error(identity.failure);
    for (const [name, value] of Object.entries(expected))
      expect(identity.claims[name as keyof typeof identity.claims]).toBe(value);
    expect(Object.keys(identity.claims)).toHaveLength(4);
  });
});

describe('a token that does not hold proves nothing', () => {
  const ROWS: [string, (server: OidcServer) => void, RegExp][] = [
    [
      'a forged signature',
      (server) => {
        server.forge = true;
      },
      /signature that does not hold/,
    ],
    [
      'another issuer',
      (server) => {
        server.claims['iss'] = 'https://other.example';
      },
      /is of another issuer/,
    ],
    [
      'another audience',
      (server) => {
        server.claims['aud'] = 'x';
      },
      /for audience "x"/,
    ],
    [
      'no subject',
      (server) => {
        server.claims['sub'] = undefined;
      },
      /no usable "sub" claim/,
    ],
    [
      'no time of issue',
      (server) => {
        server.claims['iat'] = undefined;
      },
      /lacks a claim/,
    ],
    [
      'an old one',
      (server) => {
        server.claims['exp'] = 1_700_000_000;
      },
      /expired/,
    ],
    [
      'no such key',
      (server) => {
        server.publish.keys = { keys: [] };
      },
      /no key that its issuer publishes/,
    ],
    [
      'no keys',
      (server) => {
        server.publish.keys = { keys: null };
      },
      /publishes no keys/,
    ],
    [
      'keys of another issuer',
      (server) => {
        server.publish.document = { issuer: 'https://other.example' };
      },
      /keys of another issuer/,
    ],
    [
      'keys over http',
      (server) => {
        server.publish.document = { jwks_uri: 'http://keys.example/' };
      },
      /is not https/,
    ],
    [
      'no address of keys',
      (server) => {
        server.publish.document = { jwks_uri: 7 };
      },
      /no usable jwks_uri/,
    ],
  ];
  test.each(ROWS)('%s', async (_what, change, words) => {
    const server = await start();
    change(server);
    expect(failureOf(await ask(server))).toMatch(words);
  });

  test.each(['html', 'huge', 'redirect', 'truncated', 'refused', 'server_error'] as const)(
    'where the keys can not be had: %s',
    async (fault) => {
      for (const route of ['id_token', 'discovery', 'keys']) {
        const server = await start();
        server.fault({ route, fault });
        expect(failureOf(await ask(server))).toContain(server.host);
        expect(server.elsewhere).toEqual([]);
      }
    },
  );

  test('a symmetric key, or none, is no signature', async () => {
    const server = await start();
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const [, claims = ''] = (await server.sign('capwrap')).split('.');
    const source: Source = { type: 'token-env', variable: 'T', audience: 'capwrap', issuer: server.issuer };
    for (const alg of ['none', 'HS256']) {
      const token = server.keep(`${encode({ alg, kid: 'ci-1' })}.${claims}.c2ln`);
      expect(failureOf(await ask(server, source, { T: token }))).toMatch(
        /is signed in a way that is not accepted/,
      );
    }
  });
});

test('outside of a job, and with an issuer that only a variable names, there is nothing', async () => {
  const server = await start();
  expect(failureOf(await readIdentity([], brokerContext()))).toContain('needs a GitHub Actions job');
  // Whoever sets the variables can't choose whose signature counts: GitHub's keys are asked for. The signal of the token's
  // claims is not needed to see that.
  const identity = await ask(server, {
    type: 'github-actions',
    audience: null,
    issuer: 'http://127.0.0.1:9/',
  });
  expect(failureOf(identity)).toContain('"127.0.0.1:9"');
  expect(server.requests.map(({ route }) => route)).toEqual(['id_token']);
});

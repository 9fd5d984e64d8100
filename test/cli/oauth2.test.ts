/** Runs with a token of an OAuth 2.0 server, through the built CLI: the example, and what verified facts decide. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { afterTest } from '../helpers/after-test.ts';
import { ROOT } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { createWorkspace, LOCAL_MAP } from '../helpers/workspace.ts';
import { clientKeys, type Oauth2Options, startOauth2Server } from '../issuers/oauth2/server.ts';
import { startOidcServer } from '../issuers/oidc/server.ts';

const EXAMPLE = readFileSync(join(ROOT, 'examples', 'oauth2.capabilities.yaml'), 'utf8');
const FETCH = './examples/scripts/fetch-artifacts.sh';

/** The example, with loopback servers in place of the token service, the artifact proxy and GitHub. */
async function setUp(options: Partial<Oauth2Options> = {}, change: (map: string) => string = (map) => map) {
  const ci = await startOidcServer();
  const { privateKey, jwks } = await clientKeys();
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const server = await startOauth2Server({
    clients: [{ id: 'capwrap', method: 'private_key_jwt', jwks, scope: ['artifacts:read'] }],
    subjects: { issuer: ci.issuer, jwks: ci.jwks },
    ...options,
  });
  afterTest(() => Promise.all([server.stop(), ci.stop()]).then(() => {}));
  const workspace = await createWorkspace(LOCAL_MAP);
  const { folder, stateDir } = workspace;
  cpSync(join(ROOT, 'examples', 'scripts'), join(folder, 'examples', 'scripts'), { recursive: true });
  // As a job checks a commit out: no branch.
  writeFileSync(join(folder, '.git', 'HEAD'), `${'a'.repeat(40)}\n`);
  writeFileSync(join(folder, 'client.pem'), pem, { mode: 0o600 });
  const map = EXAMPLE.replaceAll('https://id.example.com', server.issuer)
    .replaceAll(/https:\/\/artifacts\.example\.com\b/g, server.url)
    .replace('type: github-actions,', `type: github-actions, issuer: "${ci.issuer}",`);
  await workspace.setMap(change(map));
  const pemLine = pem.split('\n')[1] ?? '';
  return {
    ci,
    server,
    workspace,
    run: (capability: string, env = ci.jobEnv) => workspace.run(capability, [FETCH, 'build.txt'], { env }),
    expectNoLeak: (...texts: readonly string[]) =>
      expectNowhere([...server.secrets(), ...ci.secrets(), pemLine], { texts, folders: [stateDir] }),
  };
}

test('the example: a job exchanges its token, and the facts that it proves are on record', async () => {
  const { ci, server, workspace, run, expectNoLeak } = await setUp();
  const result = await run('read-artifacts');
  expect(result.status, result.stderr).toBe(0);
  expect(result.stdout).toBe('/artifacts/build.txt for repo:acme/web-app:ref:refs/heads/main\n');
  expect(result.stderr).toMatch(/^broker\.revoke .*status=revoked_verified /m);
  expect(server.live()).toBe(0);
  const from = `OIDC token of ${ci.issuer}`;
  expect(workspace.records().at(-1)).toMatchObject({
    event: 'closed',
    provider: 'oauth2',
    principal: 'repo:acme/web-app:ref:refs/heads/main',
    source: 'github-actions',
    branch: 'main',
    facts: {
      repo: { value: 'acme/web-app', source: 'verified', from },
      branch: { value: 'main', source: 'verified', from },
    },
    outcome: 'revoked_verified',
    revocation: {
      end: 'revocation answered 200',
      probe: `introspection: active false; GET at "${server.host}" answered 401 (invalid_token)`,
    },
  });
  // One token for the facts, another for the exchange.
  const asked = ci.requests.filter(({ route }) => route === 'id_token').map(({ search }) => search);
  expect(asked).toEqual([
    '?api-version=2.0&audience=capwrap',
    `?api-version=2.0&audience=${encodeURIComponent(server.issuer)}`,
  ]);
  expect((await workspace.here(['audit', 'verify'])).status).toBe(0);
  expectNoLeak(result.stdout, result.stderr);
});

test('the example: a client of its own, whose tokens live longer than the grant', async () => {
  const { server, workspace, run, expectNoLeak } = await setUp({ life: 3600 });
  const result = await run('read-index', {});
  expect(result.status, result.stderr).toBe(0);
  expect(result.stdout).toBe('/artifacts/build.txt for capwrap\n');
  expect(server.live()).toBe(0);
  expect(workspace.records().at(-1)).toMatchObject({
    principal: 'capwrap',
    source: `private-key-jwt:${join(workspace.folder, 'client.pem')}`,
    long_lived_source: true,
    ttl_seconds: 600,
    outcome: 'revoked_verified',
  });
  expectNoLeak(result.stdout, result.stderr);
});

describe('where a rule demands verified facts', () => {
  test.each([
    [
      'outside of a job',
      {},
      /repo is only observed \(.*not verified: source "github-actions" needs a GitHub Actions job/,
    ],
    [
      'in a job of another repository',
      { repository: 'acme/other' },
      /repo is only observed \(.* says "acme\/other"\)/,
    ],
    ['in a job of another branch', { ref: 'refs/heads/feat/x' }, /branch is feat\/x, not main/],
    ['in a job of a tag', { ref: 'refs/tags/main' }, /branch is only claimed \(.* does not say it\)/],
  ])('nothing is issued %s, whatever variables say', async (what, claims, words) => {
    const { ci, server, run, workspace } = await setUp();
    Object.assign(ci.claims, claims);
    const variables = { CI: 'true', GITHUB_REPOSITORY: 'acme/web-app', GITHUB_REF: 'refs/heads/main' };
    const env: Record<string, string> =
      what === 'outside of a job' ? variables : { ...variables, ...ci.jobEnv };
    const result = await run('read-artifacts', env);
    expect(result.status).toBe(122);
    expect(result.stderr).toMatch(words);
    expect(server.requests).toEqual([]);
    const explained = await workspace.here(['explain', 'read-artifacts', '--', FETCH], { env });
    expect(explained.status).toBe(1);
  });

  test('explain and list ask as a run does, for a map that is trusted only', async () => {
    const { ci, workspace } = await setUp();
    const explain = () => workspace.here(['explain', 'read-artifacts', '--', FETCH], { env: ci.jobEnv });
    expect((await explain()).status).toBe(0);
    const listed = await workspace.here(['list', '--json'], { env: ci.jobEnv });
    expect(JSON.parse(listed.stdout).capabilities[0]).toMatchObject({ name: 'read-artifacts' });
    const asked = ci.requests.length;
    writeFileSync(workspace.mapFile, `${readFileSync(workspace.mapFile, 'utf8')}# changed\n`);
    const untrusted = await explain();
    expect(untrusted.stdout).toContain('the map is not trusted');
    expect(untrusted.status).toBe(1);
    expect(ci.requests).toHaveLength(asked);
  });
});

test('a token that may do more is not used, and says what to change', async () => {
  const { server, workspace, run, expectNoLeak } = await setUp();
  server.misbehave('wider_than_asked');
  const result = await run('read-artifacts');
  expect(result.status).toBe(123);
  expect(result.stdout).toBe('');
  expect(result.stderr).toContain('1 scope word more');
  expect(server.live()).toBe(0);
  expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', outcome: 'revoked_verified' });
  expectNoLeak(result.stderr);
});

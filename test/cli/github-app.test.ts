/** Runs with a token of a GitHub App, through the built CLI. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { afterTest } from '../helpers/after-test.ts';
import { ROOT } from '../helpers/cli.ts';
import { capwrapHere } from '../helpers/cli-here.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { createWorkspace, type Workspace } from '../helpers/workspace.ts';
import { APP_PEM, keyFile } from '../issuers/github-app/app.ts';
import { type GitHubServer, REFS, startGitHub } from '../issuers/github-app/server.ts';

const EXAMPLE = readFileSync(join(ROOT, 'examples', 'github-app.capabilities.yaml'), 'utf8');

/** The example, with the loopback server in GitHub's place. `change` edits the map. */
async function setUp(change: (map: string) => string = (map) => map) {
  const server = await startGitHub();
  afterTest(() => server.stop());
  const workspace = await createWorkspace('version: 1\ncapabilities: {}\n'.replace('{}', PLACEHOLDER));
  cpSync(join(ROOT, 'examples', 'scripts'), join(workspace.folder, 'scripts'), {
    recursive: true,
  });
  const map = EXAMPLE.replace('/etc/capwrap/docs-reader.pem', keyFile(workspace.folder))
    .replace('    repositories:', `    api_url: ${server.apiUrl}\n    repositories:`)
    .replace('https://github.com/acme', `${server.url}/acme`);
  await workspace.setMap(change(map));
  return { server, workspace };
}

const PLACEHOLDER = '{x: {provider: local-issuer, audience: a, scope: [s], rules: [{allow: {repo: a/b}}]}}';

function expectNoLeak(server: GitHubServer, { stateDir }: Workspace, ...texts: readonly string[]): void {
  expectNowhere([...server.secrets(), APP_PEM.split('\n')[3] ?? ''], { texts, folders: [stateDir] });
}

test('the example is valid, and nothing is found against it', async () => {
  const file = join(ROOT, 'examples', 'github-app.capabilities.yaml');
  const result = await capwrapHere(['check', file], { env: { HOME: '/nonexistent' } });
  expect(result.stdout).toMatch(/: 1 capability, 2 of 2 tests passed, 0 warnings, 0 notes/);
  expect(result.status).toBe(0);
});

test.skipIf(findTool('git') === null)(`the example runs${needs('git')}`, async () => {
  const { server, workspace } = await setUp();
  const result = await workspace.run('read-docs', ['./scripts/docs-head.sh']);
  expect(result.status, result.stderr).toBe(0);
  expect(result.stdout).toBe(REFS);
  expect(result.stderr).toMatch(
    /^broker\.issue .*provider=github-app scope=contents:read,metadata:read,acme\/docs /m,
  );
  expect(result.stderr).toMatch(/^broker\.revoke .*status=revoked_verified /m);
  expect(server.live()).toBe(0);
  const closed = workspace.records().at(-1);
  expect(closed).toMatchObject({
    event: 'closed',
    provider: 'github-app',
    principal: 'web-deployer[bot]',
    source: `private_key_file:${join(workspace.folder, 'app.pem')}`,
    long_lived_source: true,
    hashed_token: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
    delivery: ['git_credentials'],
    outcome: 'revoked_verified',
    revocation: { end: 'DELETE /installation/token answered 204', probe: 'GET /rate_limit answered 401' },
  });
  expect((await workspace.here(['audit', 'verify'])).status).toBe(0);
  expectNoLeak(server, workspace, result.stdout, result.stderr);
});

describe('the child', () => {
  const anyCommand = (map: string) => map.replace(/ +command: .*\n/, '').replace(/ {4}tests:[\s\S]*$/, '');

  test('has the token by its standard names, masked in its output and in its arguments nowhere', async () => {
    const { server, workspace } = await setUp(anyCommand);
    const script = workspace.script(
      'show.sh',
      'env | sort | grep -E "^(GH_|GITHUB_|GIT_)"; echo "one $GH_ENTERPRISE_TOKEN two" >&2; tr "\\0" " " < /proc/$$/cmdline',
    );
    const result = await workspace.run('read-docs', [script]);
    expect(result.status, result.stderr).toBe(0);
    const lines = result.stdout.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'GH_ENTERPRISE_TOKEN=[capwrap:token]',
        'GITHUB_ENTERPRISE_TOKEN=[capwrap:token]',
        `GH_HOST=${server.host}`,
        `GITHUB_API_URL=${server.apiUrl}`,
        'GIT_ASKPASS=',
        'GIT_CONFIG_COUNT=7',
        'GIT_TERMINAL_PROMPT=0',
      ]),
    );
    expect(result.stderr).toContain('one [capwrap:token] two');
    expectNoLeak(server, workspace, result.stdout, result.stderr);
  });

  test('gets it in a file where the map says so, and git reads it there', async () => {
    const { server, workspace } = await setUp((map) =>
      anyCommand(map).replace('    ttl:', '    files: { TOKEN_FILE: token }\n    ttl:'),
    );
    const script = workspace.script(
      'show.sh',
      'env | grep -c "^GH_TOKEN"; wc -c < "$TOKEN_FILE"; git ls-remote "$DOCS_URL" refs/heads/main',
    );
    const result = await workspace.run('read-docs', [script]);
    expect(result.stdout.trim().split(/\s+/).slice(0, 2)).toEqual(['0', String(server.lastToken().length)]);
    if (findTool('git') !== null) expect(result.stdout).toContain(REFS);
    expectNoLeak(server, workspace, result.stdout, result.stderr);
  });
});

test('a key from a program is recorded with it, from the grant on', async () => {
  const { server, workspace } = await setUp((map) =>
    map.replace(/private_key_file: .*/, 'private_key_command: [./print-key.sh]'),
  );
  workspace.script('print-key.sh', `cat '${join(workspace.folder, 'app.pem')}'`);
  const result = await workspace.run('read-docs', ['./scripts/docs-head.sh']);
  expect(result.status, result.stderr).toBe(0);
  const ofTheRun = workspace.records().filter(({ lease_id }) => lease_id !== undefined);
  expect(ofTheRun.map(({ event, second_process }) => [event, second_process])).toEqual([
    ['granted', true],
    ['issued', true],
    ['closed', true],
  ]);
  expect(workspace.records().at(-1)).toMatchObject({
    source: `private_key_command:${join(workspace.folder, 'print-key.sh')}`,
  });
  expectNoLeak(server, workspace, result.stdout, result.stderr);
});

test('a refusal names the host and what to do; there is no child', async () => {
  const { server, workspace } = await setUp((map) => map.replace('[acme/docs]', '[acme/other]'));
  const result = await workspace.run('read-docs', ['./scripts/docs-head.sh']);
  expect(result.status).toBe(123);
  expect(result.stdout).toBe('');
  expect(result.stderr).toContain(`capwrap: error: "${server.host}" refused with 404 (Not Found)`);
  expect(result.stderr).toContain('capwrap: hint: install the app on "acme/other"');
  expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', outcome: 'not_issued' });
  expectNoLeak(server, workspace, result.stderr);
});

test('explain shows what would be asked for, and asks nobody', async () => {
  const { server, workspace } = await setUp();
  const result = await workspace.here(['explain', 'read-docs', '--', './scripts/docs-head.sh']);
  expect(result.status, result.stderr).toBe(0);
  expect(server.requests).toEqual([]);
});

/** Provider `gcp` through the built CLI: the example's map, gcloud, and client libraries as the child. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { afterTest } from '../helpers/after-test.ts';
import { ROOT } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { createWorkspace, LOCAL_MAP, localWorkspace } from '../helpers/workspace.ts';
import { ACCOUNT, AUDIENCE, STORAGE_SCOPE } from '../issuers/gcp/checks.ts';
import type { GcpServer } from '../issuers/gcp/server.ts';
import { gcpSetup } from '../issuers/gcp/setup.ts';

const EXAMPLE = readFileSync(join(ROOT, 'examples', 'gcp.capabilities.yaml'), 'utf8');
const gcloud = findTool('gcloud');

/** The example against the test server, in a job of CI. `env` is set for the child by the map. */
async function job(env: (server: GcpServer) => Readonly<Record<string, string>> = () => ({})) {
  const { server, proof } = await gcpSetup();
  afterTest(() => server.stop());
  const asked: string[] = [];
  const token = await proof();
  const github = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams.get('audience') ?? '');
    response.end(JSON.stringify({ count: 1, value: token }));
  });
  const url = await listen(github);
  const endpoints = `sts_endpoint: ${server.url}\n    iam_endpoint: ${server.url}`;
  const set = JSON.stringify({ STORAGE: server.url, ...env(server) });
  const workspace = await createWorkspace(
    EXAMPLE.replaceAll(
      'source: { type',
      `${endpoints}\n    env: { set: ${set}, pass: [PATH] }\n    source: { type`,
    ),
  );
  const variables = {
    ...{
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'acme/web-app',
      GITHUB_REF: 'refs/heads/main',
    },
    ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token-of-the-job',
  };
  const run = (capability: string, command: string) =>
    workspace.run(capability, [command], { env: variables });
  const expectNoLeak = (...texts: readonly string[]) =>
    expectNowhere([...server.secrets(), variables.ACTIONS_ID_TOKEN_REQUEST_TOKEN], {
      texts,
      folders: [workspace.stateDir],
    });
  return { server, workspace, run, asked, expectNoLeak };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(() => void server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

test("the example's upload works within its bucket, and the record says that it expires", async () => {
  const { server, workspace, run, asked, expectNoLeak } = await job();
  const script = workspace.script(
    'upload-previews.sh',
    `exec ${process.execPath} -e '
const { CLOUDSDK_AUTH_ACCESS_TOKEN: token, STORAGE, ...env } = process.env;
const list = async (bucket) =>
  (await fetch(STORAGE + "/storage/v1/b/" + bucket + "/o", { headers: { authorization: "Bearer " + token } })).status;
const google = Object.keys(env).filter((name) => /^(GOOGLE|GCE|CLOUDSDK|NO_GCE|METADATA)/.test(name)).sort();
(async () => console.log(token, JSON.stringify([await list("acme-previews"), await list("acme-private"), google, env.CLOUDSDK_CORE_PROJECT])))();
'`,
  );
  const result = await run('upload-previews', script);
  expect(result.status, result.stderr).toBe(0);
  const [shown = '', json = ''] = result.stdout.trim().split(/ (.*)/s);
  expect(shown).not.toContain('ya29');
  expect(JSON.parse(json)).toEqual([
    200,
    403,
    [
      ...['CLOUDSDK_CONFIG', 'CLOUDSDK_CORE_CHECK_GCE_METADATA', 'CLOUDSDK_CORE_PROJECT'],
      ...[
        'GOOGLE_APPLICATION_CREDENTIALS',
        'GOOGLE_CLOUD_PROJECT',
        'GOOGLE_OAUTH_ACCESS_TOKEN',
        'NO_GCE_CHECK',
      ],
    ],
    'acme-web',
  ]);
  expect(asked).toEqual([`https:${AUDIENCE}`]);
  expect(server.requests.map(({ route }) => route)).toEqual([
    'token',
    'generate',
    'token',
    'objects',
    'objects',
  ]);
  const closed = workspace.records().at(-1);
  expect(closed).toMatchObject({
    event: 'closed',
    provider: 'gcp',
    principal: ACCOUNT,
    source: 'github-actions',
    scope: ['devstorage.read_write', 'inRole:roles/storage.objectUser'],
    outcome: 'expires',
    revocation: { outcome: 'expires', end: null, probe: null, error: null },
  });
  expect(result.stderr).not.toMatch(/revoked/);
  expectNoLeak(result.stdout, result.stderr);
});

test("the example's client library gets its token from the metadata endpoint, which is gone with the child", async () => {
  const { server, workspace, run, expectNoLeak } = await job();
  const script = workspace.script(
    'report-usage.sh',
    `exec ${process.execPath} -e '
const { GCE_METADATA_IP, STORAGE, ...env } = process.env;
const ask = (path) =>
  fetch("http://" + GCE_METADATA_IP + "/computeMetadata/v1/" + path, { headers: { "metadata-flavor": "Google" } });
(async () => {
  const { access_token, expires_in } = await (await ask("instance/service-accounts/default/token")).json();
  const url = STORAGE + "/storage/v1/b/acme-previews/o";
  const { status } = await fetch(url, { headers: { authorization: "Bearer " + access_token } });
  const email = await (await ask("instance/service-accounts/default/email")).text();
  const there = ["GOOGLE_APPLICATION_CREDENTIALS", "NO_GCE_CHECK", "CLOUDSDK_AUTH_ACCESS_TOKEN"].filter((name) => name in env);
  console.log(JSON.stringify([status, email, expires_in > 800 && expires_in <= 900, there, GCE_METADATA_IP]));
})();
'`,
  );
  const result = await run('report-usage', script);
  expect(result.status, result.stderr).toBe(0);
  const [status, email, life, there, host] = JSON.parse(result.stdout);
  expect([status, email, life, there]).toEqual([200, ACCOUNT, true, []]);
  await expect(fetch(`http://${host}/`)).rejects.toThrow();
  expect(workspace.records().at(-1)).toMatchObject({ outcome: 'expires', delivery: ['metadata_endpoint'] });
  expect(server.requests.map(({ route }) => route)).toEqual(['token', 'generate', 'objects']);
  expectNoLeak(result.stdout, result.stderr);
});

test('a refusal of Google ends the run before the child, and says until when what was issued lives', async () => {
  const { server, workspace, run, expectNoLeak } = await job();
  server.account(ACCOUNT).disabled = true;
  const result = await run('upload-previews', workspace.script('upload-previews.sh', 'touch started'));
  expect(result.status).toBe(123);
  expect(result.stderr).toContain('refused with 400 (FAILED_PRECONDITION)');
  expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', outcome: 'expires' });
  expectNoLeak(result.stdout, result.stderr);
});

test('explain shows what would be sent, and sends nothing', async () => {
  const { server, workspace } = await job();
  workspace.script('report-usage.sh', '');
  const result = await workspace.here(['explain', 'report-usage', '--json', '--', './report-usage.sh'], {
    env: { CI: 'true' },
  });
  expect(result.status, result.stderr).toBe(0);
  expect(result.stdout).toContain(STORAGE_SCOPE.replace('read_write', 'read_only'));
  expect(result.stdout).toContain(
    `${server.url}/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
  );
  expect(server.requests).toHaveLength(0);
});

test.skipIf(gcloud === null)(
  `gcloud as the child speaks with the lease${needs('gcloud')}`,
  { timeout: 60_000 },
  async () => {
    const { server, workspace, run, expectNoLeak } = await job(({ url }) => ({
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${url}/storage/v1/`,
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    }));
    const script = workspace.script('upload-previews.sh', `exec ${gcloud} storage ls gs://acme-previews`);
    const result = await run('upload-previews', script);
    const listed = server.requests.filter(({ path }) => path.startsWith('/storage/'));
    expect(listed.length, result.stderr).toBeGreaterThan(0);
    for (const { headers } of listed) {
      const token = server.find((headers.authorization ?? '').replace('Bearer ', ''));
      expect(token).toMatchObject({ principal: ACCOUNT });
      expect(token?.boundary).toHaveLength(1);
    }
    expectNoLeak(result.stdout, result.stderr);
  },
);

test.skipIf(gcloud === null)(
  `gcloud as the child of any capability does not ask the machine's metadata server${needs('gcloud')}`,
  { timeout: 60_000 },
  async () => {
    const asked: (string | undefined)[] = [];
    const machine = createServer((request, response) => {
      asked.push(request.url);
      response.setHeader('metadata-flavor', 'Google');
      response.end(
        request.url?.endsWith('numeric-project-id') ? '123456789012' : 'standing@x.iam.gserviceaccount.com',
      );
    });
    const host = (await listen(machine)).replace('http://', '');
    const workspace = await localWorkspace(
      `${LOCAL_MAP}    home: private\n    env: {pass: [PATH], set: {GCE_METADATA_ROOT: '${host}'}}\n`,
    );
    const result = await workspace.run('local', [gcloud ?? '', 'auth', 'list', '--format=value(account)']);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout.trim()).toBe('');
    expect(asked).toEqual([]);
  },
);

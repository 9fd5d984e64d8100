/** Nothing of the caller steers the exchange: not its variables, not its files, not its other sessions. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { awsSts } from '../../src/broker/providers/aws-sts/index.ts';
import { brokerContext, errorOf, issueRequest, LEASE_ID, variablesOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

const original = { ...process.env };
afterEach(() => {
  sandbox.faults.clear();
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, original);
});

/** A home directory whose AWS files block whoever opens them. */
function blockingHome(): Record<string, string> {
  const home = tempDir();
  mkdirSync(join(home, '.aws'));
  for (const name of ['config', 'credentials']) execaSync('mkfifo', [join(home, '.aws', name)]);
  return { HOME: home };
}

/** Variables that would send an SDK elsewhere. Most of them also keep it from opening its files. */
function poisonedVariables(): Record<string, string> {
  const home = tempDir();
  writeFileSync(join(home, 'token'), 'not a token');
  return {
    HOME: home,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1',
    AWS_PROFILE: 'poison',
    AWS_REGION: 'eu-poison-1',
    AWS_DEFAULT_REGION: 'eu-poison-1',
    AWS_MAX_ATTEMPTS: '7',
    AWS_RETRY_MODE: 'adaptive',
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_SDK_UA_APP_ID: 'poison',
    AWS_WEB_IDENTITY_TOKEN_FILE: join(home, 'token'),
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/poison',
    AWS_ROLE_SESSION_NAME: 'poison',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/',
    AWS_CA_BUNDLE: join(home, 'token'),
    HTTP_PROXY: 'http://127.0.0.1:1',
    HTTPS_PROXY: 'http://127.0.0.1:1',
    http_proxy: 'http://127.0.0.1:1',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  };
}

test.each([
  { what: 'variables', poison: poisonedVariables },
  { what: 'files', poison: blockingHome },
])(
  'poisoned $what change nothing, in the caller’s environment or in the process’s own',
  async ({ poison }) => {
    const poisoned = poison();
    Object.assign(process.env, poisoned);
    const before = sandbox.requests.length;
    const context = brokerContext({ ...poisoned, ...variablesOf(sandbox.credentials.base) });
    const lease = await awsSts.issue(issueRequest({ endpoint: sandbox.url }), context);
    expect(lease.principal).toBe(`arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${LEASE_ID}`);
    expect(lease.values['region']?.value).toBe('us-east-1');
    expect(
      sandbox.requests.slice(before).map(({ region, accessKeyId }) => ({ region, accessKeyId })),
    ).toEqual([{ region: 'us-east-1', accessKeyId: sandbox.credentials.base.accessKeyId }]);
  },
);

test('a refusal that an SDK would retry is not retried, whatever the variables say', async () => {
  Object.assign(process.env, poisonedVariables());
  sandbox.faults.push({
    kind: 'error',
    status: 503,
    code: 'ServiceUnavailable',
    times: Number.POSITIVE_INFINITY,
  });
  const before = sandbox.requests.length;
  const error = await errorOf(() =>
    awsSts.issue(
      issueRequest({ endpoint: sandbox.url }),
      brokerContext(variablesOf(sandbox.credentials.base)),
    ),
  );
  expect(error.code).toBe('ERR_PROVIDER_UNAVAILABLE');
  expect(sandbox.requests.length - before).toBe(1);
});

test('each run obtains a session of its own', async () => {
  const context = brokerContext(variablesOf(sandbox.credentials.base));
  const first = await awsSts.issue(issueRequest({ endpoint: sandbox.url }), context);
  const second = await awsSts.issue(issueRequest({ endpoint: sandbox.url }), context);
  expect(second.facts['access_key_id']).not.toBe(first.facts['access_key_id']);
});

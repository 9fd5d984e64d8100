/** The AWS CLI as the child, against an emulator that knows nothing of capwrap. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findTool, needs } from '../helpers/tools.ts';
import { createWorkspace } from '../helpers/workspace.ts';

const moto = findTool('moto_server');
const aws = findTool('aws');

describe.skipIf(moto === null || aws === null)(
  `the AWS CLI as the child${needs('moto_server', 'aws')}`,
  () => {
    let emulator: ChildProcess;
    let url: string;

    beforeAll(async () => {
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      emulator = spawn(moto ?? '', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
      await reachable(url);
      await fetch(`${url}/acme-previews`, { method: 'PUT', headers: { authorization: fakeAuthorization() } });
    }, 60_000);

    afterAll(() => {
      emulator?.kill();
    });

    test('speaks as the role and the lease, and copies a file', { timeout: 60_000 }, async () => {
      const workspace = await createWorkspace('version: 1\ncapabilities: {}\n'.replace('{}', placeholder()));
      writeFileSync(join(workspace.folder, 'config'), '', { mode: 0o600 });
      writeFileSync(
        join(workspace.folder, 'credentials'),
        '[agent-base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = emulator-accepts-anything\n',
        { mode: 0o600 },
      );
      writeFileSync(join(workspace.folder, 'page.html'), '<h1>preview</h1>\n');
      await workspace.setMap(emulatorMap(url, workspace.folder));

      const identity = await workspace.run('emulator', [
        aws ?? '',
        'sts',
        'get-caller-identity',
        '--output',
        'json',
      ]);
      expect(identity.status, identity.stderr).toBe(0);
      const lease = workspace.records().at(-1)?.['lease_id'];
      expect(JSON.parse(identity.stdout).Arn).toBe(
        `arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${lease}`,
      );

      const copy = await workspace.run('emulator', [
        aws ?? '',
        's3',
        'cp',
        'page.html',
        's3://acme-previews/page.html',
      ]);
      expect(copy.status, copy.stderr).toBe(0);
      const listing = await workspace.run('emulator', [aws ?? '', 's3', 'ls', 's3://acme-previews/']);
      expect(listing.stdout).toContain('page.html');
    });
  },
);

/** A map must hold a capability; this one is replaced before it is used. */
function placeholder(): string {
  return '{x: {provider: local-issuer, audience: x, scope: [x], rules: [{allow: {repo: x/y}}]}}';
}

function emulatorMap(url: string, folder: string): string {
  return `version: 1
capabilities:
  emulator:
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/preview-deployer
    region: us-east-1
    endpoint: ${url}
    source: {type: profile, profile: agent-base, config_file: ${folder}/config, credentials_file: ${folder}/credentials, long_lived: allow}
    scope: [{actions: [s3:PutObject], resources: ['arn:aws:s3:::acme-previews/*']}]
    rules: [{allow: {repo: acme/web-app}}]
    home: private
    env: {set: {AWS_ENDPOINT_URL: '${url}'}}
`;
}

/** The emulator reads the service out of the signature's scope and checks nothing else. */
function fakeAuthorization(): string {
  return 'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x';
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

async function reachable(url: string): Promise<void> {
  const end = Date.now() + 45_000;
  while (Date.now() < end) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer`);
}

/** The sandbox as a program, and the AWS CLI as its client. */
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeConfigFiles } from '../../examples/sandbox/config-files.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { Credential } from '../../examples/sandbox/state.ts';
import { bundleTo } from '../helpers/bundle.ts';
import { tempDir } from '../helpers/cli.ts';
import { EXAMPLE_SCOPE, lease } from './leases.ts';

describe('the program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'capwrap-test-'));
  const program = join(folder, 'sandbox.mjs');
  beforeAll(async () => {
    await bundleTo(program, 'examples/sandbox/main.ts');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('says that it is not AWS, writes its credentials privately, and ends by TERM', async () => {
    const directory = join(tempDir(), 'aws');
    const child = execa(process.execPath, [program, '--write-config', directory], {
      extendEnv: false,
      env: {},
      reject: false,
    });
    try {
      let seen = '';
      child.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString();
      });
      await expect.poll(() => seen, { timeout: 10_000 }).toContain('stop it with');
      expect(seen).toContain('It is not AWS');
      const url = /^url +(http:\/\/127\.0\.0\.1:\d+)$/m.exec(seen)?.[1] ?? '';
      expect((await fetch(url)).headers.get('x-capwrap-sandbox')).toBe('not-aws');

      const credentials = readFileSync(join(directory, 'credentials'), 'utf8');
      expect(credentials).toMatch(/^\[agent-base\]\naws_access_key_id = ASIA/);
      expect(statSync(join(directory, 'credentials')).mode & 0o777).toBe(0o600);
      expect(statSync(directory).mode & 0o777).toBe(0o700);
      for (const [, secret] of credentials.matchAll(/(?:secret_access_key|session_token) = (.+)/g)) {
        expect(secret).toMatch(/.{40}/);
        expect(seen).not.toContain(secret);
      }
    } finally {
      child.kill('SIGTERM');
    }
    expect((await child).exitCode).toBe(0);
  });

  test.each([[['--port', 'x']], [['--nonsense']], [['--port', '99999']]])('refuses %j', async (args) => {
    const { exitCode, stderr } = await execa(process.execPath, [program, ...args], { reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^sandbox: error: .+\nusage: sandbox/);
  });

  test('never writes credentials through a link', async () => {
    const sandbox = await startSandbox();
    const directory = tempDir();
    const elsewhere = join(tempDir(), 'victim');
    writeFileSync(elsewhere, 'untouched');
    symlinkSync(elsewhere, join(directory, 'credentials'));
    writeConfigFiles(directory, sandbox.credentials, 'us-east-1');
    await sandbox.stop();
    expect(readFileSync(elsewhere, 'utf8')).toBe('untouched');
  });
});

const cli = await execa('aws', ['--version'], { reject: false });
const missing = cli.failed ? 'skipped: the AWS CLI (aws) is not on this machine' : null;

describe.skipIf(missing !== null)(`the AWS CLI${missing === null ? '' : ` (${missing})`}`, () => {
  let sandbox: Sandbox;
  let session: Credential;
  beforeAll(async () => {
    sandbox = await startSandbox();
    session = await lease(sandbox, [
      ...EXAMPLE_SCOPE,
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::acme-previews/*'] },
    ]);
  });
  afterAll(() => sandbox.stop());

  async function aws(directory: string, args: readonly string[]) {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken ?? '',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    return execa('aws', ['--endpoint-url', sandbox.url, ...args], {
      cwd: directory,
      env,
      extendEnv: false,
      reject: false,
    });
  }

  test('asks who it is', async () => {
    const { stdout } = await aws(tempDir(), [
      'sts',
      'get-caller-identity',
      '--query',
      'Arn',
      '--output',
      'text',
    ]);
    expect(stdout).toBe('arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-1');
  });

  test('copies a file up and down', async () => {
    const directory = tempDir();
    writeFileSync(join(directory, 'page.html'), '<h1>hello</h1>');
    const target = 's3://acme-previews/feat x/page.html';
    expect(await aws(directory, ['s3', 'cp', 'page.html', target])).toMatchObject({ exitCode: 0 });
    expect(await aws(directory, ['s3', 'cp', target, 'copy.html'])).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(directory, 'copy.html'), 'utf8')).toBe('<h1>hello</h1>');
  });

  test('is refused where its session policy ends', async () => {
    const directory = tempDir();
    writeFileSync(join(directory, 'page.html'), 'x');
    const { exitCode, stderr } = await aws(directory, [
      's3',
      'cp',
      'page.html',
      's3://acme-production/page.html',
    ]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('because no session policy allows the s3:PutObject action');
  });

  test('invalidates a distribution', async () => {
    const { exitCode } = await aws(tempDir(), [
      'cloudfront',
      'create-invalidation',
      '--distribution-id',
      'E1EXAMPLE',
      '--paths',
      '/*',
    ]);
    expect(exitCode).toBe(0);
    expect(sandbox.invalidations).toMatchObject([{ paths: ['/*'] }]);
  });
});

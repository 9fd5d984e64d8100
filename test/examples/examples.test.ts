/** Every file in `examples/` that people copy is run, or validated where it runs elsewhere. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { previewDeployer } from '../../examples/sandbox/accounts.ts';
import { BIN, ROOT } from '../helpers/cli.ts';
import { capwrapHere } from '../helpers/cli-here.ts';
import { exampleWorkspace } from '../helpers/example-workspace.ts';
import { findTool, needs } from '../helpers/tools.ts';

test.each(['capabilities.yaml', 'examples/github-actions.capabilities.yaml'])('%s is valid', async (file) => {
  const result = await capwrapHere(['check', join(ROOT, file)], { env: { HOME: '/nonexistent' } });
  expect(result.stdout).toMatch(/(\d+) of \1 tests passed/);
  expect(result.status, result.stdout).toBe(0);
});

test('the publish script uploads the site and invalidates the CDN', async () => {
  const workspace = await exampleWorkspace();
  const result = await workspace.cli([
    'run',
    '-c',
    'publish-preview-build',
    '-j',
    'test',
    '--environment',
    'preview',
    '--',
    './examples/scripts/publish-preview.sh',
  ]);
  expect(result.status, result.stderr).toBe(0);
  expect([...workspace.sandbox.objects().keys()]).toEqual(['acme-previews/preview/index.html']);
  expect(workspace.sandbox.invalidations).toHaveLength(1);
});

test.skipIf(findTool('make') === null)(
  `make -j4 publishes side by side, each with a credential of its own${needs('make')}`,
  async () => {
    const workspace = await exampleWorkspace();
    const result = await execa('make', ['-j4', '-f', 'examples/Makefile', 'previews', `CAPWRAP=${BIN}`], {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
      extendEnv: false,
      reject: false,
    });
    expect(result.exitCode, result.stderr).toBe(0);
    expect([...workspace.sandbox.objects().keys()].sort()).toEqual(
      ['docs', 'home', 'pricing'].map((page) => `acme-previews/preview/${page}/index.html`),
    );
    expect(new Set(workspace.sandbox.issuedSessions.map(({ accessKeyId }) => accessKeyId)).size).toBe(3);
    expect((await workspace.here(['audit', 'verify'])).status).toBe(0);
  },
);

test("the agent's shell function passes words and status through, and says what a refusal means", async () => {
  const workspace = await exampleWorkspace();
  const call = (line: string) =>
    execa('/bin/sh', ['-c', `. ./examples/agent-tool.sh; export CAPWRAP_ENVIRONMENT=preview; ${line}`], {
      cwd: workspace.folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        CAPWRAP: BIN,
        ...workspace.env,
      },
      extendEnv: false,
      reject: false,
    });
  const fine = await call(
    'with_capability publish-preview-build "a reason" -- ./examples/scripts/publish-preview.sh "preview/a b"',
  );
  expect(fine.exitCode, fine.stderr).toBe(0);
  expect([...workspace.sandbox.objects().keys()]).toEqual(['acme-previews/preview/a b/index.html']);
  expect(fine.stderr).not.toContain('policy.check');

  const denied = await call('with_capability publish-preview-build "a reason" -- /bin/true');
  expect(denied.exitCode).toBe(122);
  expect(denied.stderr).toContain('with_capability: denied');
  expect((await call('with_capability publish-preview-build')).exitCode).toBe(120);
});

test("the workflow's commands work with a job's OIDC token", async () => {
  const workflow = parse(readFileSync(join(ROOT, 'examples', 'github-actions.yml'), 'utf8'));
  expect(workflow.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
  const commands: string[] = workflow.jobs.publish.steps
    .map((step: { run?: string }) => step.run)
    .filter(Boolean);
  const run = commands.find((command) => command.includes('capwrap run')) ?? '';

  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const issuer = 'https://token.actions.githubusercontent.com';
  const token = await new SignJWT({ sub: 'repo:acme/web-app:pull_request', repository: 'acme/web-app' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(issuer)
    .setAudience('sts.amazonaws.com')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ count: 1, value: token }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const role = previewDeployer({ arn: 'arn:aws:iam::123456789012:role/preview-deployer-ci' });
    const webIdentity = {
      issuer,
      audience: 'sts.amazonaws.com',
      subject: 'repo:acme/web-app:*',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] },
    };
    const workspace = await exampleWorkspace('examples/github-actions.capabilities.yaml', {
      roles: [previewDeployer(), { ...role, trust: { ...role.trust, webIdentity } }],
    });
    const file = 'examples/github-actions.capabilities.yaml';
    const text = readFileSync(workspace.mapFile, 'utf8').replace(
      'home: private',
      `home: private\n    env: { set: { AWS_ENDPOINT_URL: '${workspace.sandbox.url}' } }`,
    );
    await execa('/bin/cp', [workspace.mapFile, join(workspace.folder, file)]);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(workspace.folder, file), text);
    const { createHash } = await import('node:crypto');
    const digest = createHash('sha256').update(text).digest('hex');
    const trusted = await workspace.cli(['trust', '--sha256', digest, file]);
    expect(trusted.status, trusted.stderr).toBe(0);

    const result = await execa('/bin/sh', ['-c', run.replace('npx --no-install capwrap', `"${BIN}"`)], {
      cwd: workspace.folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        ...workspace.env,
        CI: 'true',
        GITHUB_ACTIONS: 'true',
        GITHUB_REPOSITORY: 'acme/web-app',
        GITHUB_REF: 'refs/pull/7/merge',
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_HEAD_REF: 'feat/x',
        ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token-of-the-job',
      },
      extendEnv: false,
      reject: false,
    });
    expect(result.exitCode, result.stderr).toBe(0);
    expect(asked).toEqual(['/token?api-version=2.0&audience=sts.amazonaws.com']);
    expect([...workspace.sandbox.objects().keys()]).toEqual(['acme-previews/preview/index.html']);
    workspace.expectNoLeak(result.stdout, result.stderr);
  } finally {
    server.close();
  }
});

test('the demo proves each of its steps', { timeout: 60_000 }, async () => {
  const result = await execa(process.execPath, [join(ROOT, 'build', 'demo.js')], {
    cwd: ROOT,
    reject: false,
  });
  expect(result.stdout).toMatch(/8 steps proved/);
  expect(result.exitCode, result.stderr).toBe(0);
});

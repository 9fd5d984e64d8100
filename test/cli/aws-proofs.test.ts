/** Proofs of aws-sts that take more than a file: a code from the terminal, and a machine's or a pod's own role. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultUser, previewDeployer, WORKSTATION } from '../../examples/sandbox/accounts.ts';
import { writeConfigFiles } from '../../examples/sandbox/config-files.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { afterTest } from '../helpers/after-test.ts';
import { BIN, tempDir } from '../helpers/cli.ts';
import { NO_TERMINALS, onTerminal, type Step } from '../helpers/on-terminal.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { createWorkspace } from '../helpers/workspace.ts';
import { startMetadata } from '../issuers/aws-metadata/server.ts';

const SERIAL = 'arn:aws:iam::123456789012:mfa/agent';

function mapOf(sandbox: Sandbox, lines: string): string {
  return `version: 1
capabilities:
  preview:
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/preview-deployer
    region: us-east-1
    endpoint: ${sandbox.url}
    scope: [{actions: [s3:PutObject], resources: ['arn:aws:s3:::acme-previews/*']}]
    rules: [{allow: {repo: acme/web-app}}]
    home: private
${lines}`;
}

async function mfaWorkspace() {
  const role = previewDeployer();
  const sandbox = await startSandbox({
    user: { ...defaultUser(), mfa: { serial: SERIAL, codes: ['123456', '654321'] } },
    roles: [{ ...role, trust: { ...role.trust, mfa: true } }],
  });
  afterTest(() => sandbox.stop());
  const aws = writeConfigFiles(join(tempDir(), 'aws'), sandbox.credentials, 'us-east-1');
  const source = `{type: profile, profile: agent-base, config_file: ${aws.configFile}, credentials_file: ${aws.credentialsFile}}`;
  const workspace = await createWorkspace(
    mapOf(sandbox, `    source: ${source}\n    mfa_serial: ${SERIAL}\n`),
  );
  const onTty = (steps: readonly Step[]) => {
    const variables = Object.entries({ PATH: process.env['PATH'], ...workspace.env }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const run = [BIN, 'run', '-c', 'preview', '--', '/bin/echo', 'ran'];
    return onTerminal(['env', '-i', ...variables, ...run], steps, { cwd: workspace.folder });
  };
  return { sandbox, workspace, onTty };
}

test.skipIf(NO_TERMINALS !== null)(
  `a code is asked for on the terminal, again where it is none, and kept nowhere${NO_TERMINALS ? ` (skipped: ${NO_TERMINALS})` : ''}`,
  async () => {
    const { sandbox, workspace, onTty } = await mfaWorkspace();
    const { status, screen } = await onTty([
      { wait: `code of MFA device ${SERIAL}: `, type: 'yes\n' },
      { wait: `six digits of MFA device ${SERIAL}: `, type: '123 456\n' },
    ]);
    expect(status, screen).toBe(0);
    expect(screen).toContain('\r\nran\r\n');
    expect(
      sandbox.requests.filter(({ action }) => action === 'AssumeRole').map(({ status }) => status),
    ).toEqual([200]);
    const kept = JSON.stringify(workspace.records());
    expect(kept.replaceAll('123456789012', '')).not.toContain('123456');

    const again = await onTty([{ wait: `code of MFA device ${SERIAL}: `, type: '123456\n' }]);
    expect(again.status).toBe(123);
    expect(again.screen).toContain(`code of MFA device "${SERIAL}" is not accepted by STS`);
    expect(again.screen).toContain("wait for the device's next code");
  },
);

test('without a terminal nothing is asked and nothing is sent', async () => {
  const { sandbox, workspace } = await mfaWorkspace();
  const result = await workspace.run('preview', ['/bin/echo', 'ran']);
  expect(result).toMatchObject({ status: 123, stdout: '' });
  expect(result.stderr).toMatch(/needs a code of MFA device "\S+", and there is no terminal to ask on$/m);
  expect(result.stderr).toMatch(/^capwrap: hint: run it from a terminal/m);
  expect(sandbox.requests).toEqual([]);
});

test.each([
  ['instance', (url: string) => `{type: instance, endpoint: '${url}'}`, {}],
  [
    'container',
    (url: string) => `{type: container, endpoint: '${url}'}`,
    { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/1' },
  ],
] as const)('the role of the %s assumes another, for an hour at most', async (type, source, env) => {
  const role = previewDeployer();
  const sandbox = await startSandbox({
    roles: [{ ...role, maxSessionDuration: 43_200, trust: { ...role.trust, principals: [WORKSTATION] } }],
  });
  afterTest(() => sandbox.stop());
  const { accessKeyId, secretAccessKey, sessionToken } = sandbox.credentials.roleSession;
  const metadata = await startMetadata({
    keys: { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken },
  });
  afterTest(() => metadata.stop());
  const workspace = await createWorkspace(
    mapOf(sandbox, `    source: ${source(metadata.url)}\n    max_ttl: 1h\n`),
  );
  const script = workspace.script('show.sh', 'env | grep -c "^AWS_SESSION_TOKEN=\\|^AWS_CONTAINER_"');
  const result = await workspace.run('preview', [script], { env });
  expect(result.status, result.stderr).toBe(0);
  expect(result.stdout).toBe('1\n');
  expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', source: type, outcome: 'expires' });
  expectNowhere([...sandbox.secrets(), ...metadata.secrets()], {
    texts: [result.stdout, result.stderr],
    folders: [workspace.stateDir],
  });

  const map = mapOf(sandbox, `    source: ${source(metadata.url)}\n`).replace(
    'version: 1\n',
    'version: 1\ndefaults: {ttl: 2h}\n',
  );
  const before = metadata.requests.length + sandbox.requests.length;
  await workspace.setMap(map);
  const longer = await workspace.run('preview', [script], { env });
  expect(longer.status).toBe(123);
  expect(longer.stderr).toMatch(
    /is a role already, and STS gives a role that assumes another 1h at most, not 2h$/m,
  );
  expect(metadata.requests.length + sandbox.requests.length).toBe(before);
});

/** How a lease reaches the child beside variables: files and the AWS credentials endpoint, through the built program. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.ts';
import { until } from '../helpers/terminal.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { awsWorkspace, localWorkspace } from '../helpers/workspace.ts';

const FILES_MAP = `version: 1
capabilities:
  local:
    provider: local-issuer
    audience: test
    scope: ["test:read"]
    files: {TOKEN_FILE: token, JTI_FILE: jti}
    kill_after: 1s
    rules: [{allow: {repo: acme/web-app}}]
`;

const SHOW =
  'stat -c "%a %n" "$TOKEN_FILE"; printf "%s\\n" "$TOKEN_FILE" > place; cat "$TOKEN_FILE" > token; env | cut -d= -f1';

describe('files', () => {
  test('hold the values, have their paths in variables, and are gone with the lease', async () => {
    const workspace = await localWorkspace(FILES_MAP);
    const result = await workspace.run('local', ['sh', '-c', `${SHOW}; cat "$TOKEN_FILE"; cat "$JTI_FILE"`]);
    expect(result.status, result.stderr).toBe(0);
    const place = readFileSync(join(workspace.folder, 'place'), 'utf8').trim();
    const token = readFileSync(join(workspace.folder, 'token'), 'utf8');
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(result.stdout).toContain(`600 ${place}\n`);
    expect(result.stdout, 'what is in the file is masked as well').toContain('[capwrap:token]');
    expect(result.stdout).not.toContain(token);
    expect(result.stdout.split('\n')).not.toContain('CAPWRAP_TOKEN');
    expect(existsSync(dirname(place))).toBe(false);
    const [issued, closed] = workspace.records().slice(-2);
    const delivery = place.startsWith('/dev/shm/') ? ['file_memory'] : ['file_state_dir'];
    expect([issued?.['delivery'], closed?.['delivery']]).toEqual([delivery, delivery]);
    expect(issued?.['handle']).toEqual({ jti: issued?.['lease_id'], exp: expect.stringMatching(/^\d+$/) });
  });

  test('are gone after a signal', async () => {
    const workspace = await localWorkspace(FILES_MAP);
    const running = start(workspace, 'printf "%s\\n" "$TOKEN_FILE" > place; sleep 60');
    const place = await placeOf(workspace.folder);
    running.kill('SIGTERM');
    await running;
    expect(existsSync(dirname(place))).toBe(false);
  });

  test('that a killed run has left are removed at the next start, and only those', async () => {
    const workspace = await localWorkspace(FILES_MAP);
    const killed = start(workspace, 'printf "%s\\n" "$TOKEN_FILE" > place; sleep 60');
    const left = await placeOf(workspace.folder);
    killed.kill('SIGKILL');
    await killed;
    expect(existsSync(left)).toBe(true);

    writeFileSync(join(workspace.folder, 'place'), '');
    const live = start(
      workspace,
      'printf "%s\\n" "$TOKEN_FILE" > place; read line; cat "$TOKEN_FILE" > again',
    );
    const used = await placeOf(workspace.folder);
    expect(existsSync(dirname(left))).toBe(false);
    const next = await workspace.run('local', ['true']);
    expect(next.status, next.stderr).toBe(0);
    expect(existsSync(used), 'a live run’s files stay').toBe(true);
    live.stdin.end('\n');
    await live;
    expect(readFileSync(join(workspace.folder, 'again'), 'utf8')).toMatch(/^ey/);
    expect(existsSync(dirname(used))).toBe(false);
  });
});

function start(workspace: { folder: string; env: Readonly<Record<string, string>> }, script: string) {
  return execa(join(ROOT, 'bin', 'capwrap.js'), ['run', '-c', 'local', '--', 'sh', '-c', script], {
    cwd: workspace.folder,
    env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
    extendEnv: false,
    reject: false,
    stdin: 'pipe',
  });
}

async function placeOf(folder: string): Promise<string> {
  const file = join(folder, 'place');
  const read = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await until('the child has its file', () => read().endsWith('\n'));
  return read().trim();
}

describe('the credentials endpoint', () => {
  const require = createRequire(import.meta.url);
  const stsClient = require.resolve('@aws-sdk/client-sts');

  test('serves the SDK, and no key is in the environment', async () => {
    const workspace = await awsWorkspace('    delivery: credentials-endpoint\n');
    writeFileSync(
      join(workspace.folder, 'who.cjs'),
      `const { STSClient, GetCallerIdentityCommand } = require(${JSON.stringify(stsClient)});
       const client = new STSClient({ endpoint: process.env.AWS_ENDPOINT_URL });
       client.send(new GetCallerIdentityCommand({})).then(
         ({ Arn }) => {
           console.log(Arn);
           console.log(Object.keys(process.env).filter((name) => name.startsWith('AWS_')).sort().join(' '));
           console.log(process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN);
           require('node:fs').writeFileSync('uri', process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI);
         },
         (error) => { console.error(error); process.exit(1); });`,
    );
    const result = await workspace.run('preview', [process.execPath, 'who.cjs']);
    expect(result.status, result.stderr).toBe(0);
    const [arn, names = '', token] = result.stdout.split('\n');
    const closed = workspace.records().at(-1);
    expect(arn).toBe(`arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${closed?.['lease_id']}`);
    expect(names.split(' ')).toEqual([
      'AWS_CONFIG_FILE',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN',
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'AWS_DEFAULT_REGION',
      'AWS_EC2_METADATA_DISABLED',
      'AWS_ENDPOINT_URL',
      'AWS_REGION',
      'AWS_SHARED_CREDENTIALS_FILE',
    ]);
    expect(token).toBe('[capwrap:credentials_endpoint_token]');
    expect(closed).toMatchObject({ delivery: ['credentials_endpoint'], outcome: 'expires' });
    await expect(fetch(readFileSync(join(workspace.folder, 'uri'), 'utf8'))).rejects.toThrow();
    workspace.expectNoLeak(result.stdout, result.stderr);
  });

  const aws = findTool('aws');
  test.skipIf(aws === null)(`serves the AWS CLI${needs('aws')}`, async () => {
    const workspace = await awsWorkspace('    delivery: credentials-endpoint\n');
    const command = [aws ?? '', 'sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'];
    const result = await workspace.run('preview', command);
    expect(result.status, result.stderr).toBe(0);
    const lease = workspace.records().at(-1)?.['lease_id'];
    expect(result.stdout.trim()).toBe(
      `arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${lease}`,
    );
  });

  test('goes with keys in no variable and no file', async () => {
    const workspace = await awsWorkspace('    delivery: credentials-endpoint\n');
    const map = readFileSync(workspace.mapFile, 'utf8');
    for (const extra of ['inject: {MY_KEY: secret_access_key}', 'files: {MY_KEY: session_token}']) {
      writeFileSync(workspace.mapFile, `${map}    ${extra}\n`);
      const check = await workspace.here(['check', workspace.mapFile]);
      expect(check.status).toBe(1);
      expect(check.stdout + check.stderr).toMatch(/"MY_KEY" would have \w+ beside the credentials endpoint/);
    }
  });
});

/** The example of provider `command`, through the built CLI, against the server that its program asks. */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { afterTest } from '../helpers/after-test.ts';
import { BIN, ROOT } from '../helpers/cli.ts';
import { POISON } from '../helpers/poison.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { until } from '../helpers/terminal.ts';
import { createWorkspace } from '../helpers/workspace.ts';
import { startBuildCache } from '../issuers/command/build-cache.ts';

const EXAMPLES = join(ROOT, 'examples');

async function cacheWorkspace() {
  const server = await startBuildCache();
  afterTest(() => server.stop());
  const workspace = await createWorkspace('version: 1\ncapabilities: {}\n'.replace('{}', MINIMAL));
  cpSync(join(EXAMPLES, 'command'), join(workspace.folder, 'command'), { recursive: true });
  const keyFile = join(workspace.folder, 'agent.key');
  writeFileSync(keyFile, `${server.key}\n`, { mode: 0o600 });
  await workspace.setMap(
    readFileSync(join(EXAMPLES, 'command.capabilities.yaml'), 'utf8')
      .replace('https://cache.example.com', server.url)
      .replace('/etc/build-cache/agent.key', keyFile)
      .replace('/usr/local/bin:/usr/bin:/bin', `${dirname(process.execPath)}:/usr/bin:/bin`),
  );
  const noLeak = (...texts: readonly string[]) =>
    expectNowhere(server.secrets(), { texts, folders: [workspace.stateDir] });
  return { server, workspace, noLeak };
}

/** Replaced at once. */
const MINIMAL = '{a: {provider: local-issuer, audience: a, scope: [a], rules: [{allow: {repo: acme/x}}]}}';

test('the credential reaches the command alone, is masked, and is ended and seen dead', async () => {
  const { server, workspace, noLeak } = await cacheWorkspace();
  const script = workspace.script(
    'build.sh',
    `echo "token=$BUILD_CACHE_TOKEN"; env | grep -c '^BUILD_CACHE_URL=\\|^BUILD_CACHE_KEY_FILE='`,
  );
  const { stdout, stderr, status } = await workspace.run('fill-build-cache', [script], { env: POISON });
  expect(status, stderr).toBe(1); // that of grep, which found nothing
  expect(stdout).toBe('token=[capwrap:token]\n0\n');
  expect(stderr).toMatch(/^broker\.issue +lease_id=\S+ provider=command scope=cache:read,cache:write /m);
  expect(stderr).toMatch(/^broker\.revoke +lease_id=\S+ status=revoked_verified /m);
  expect(server.live()).toBe(0);
  expect(server.requests.map(({ route }) => route)).toEqual(['open', 'look', 'close', 'look']);

  const records = workspace.records().filter(({ capability }) => capability === 'fill-build-cache');
  expect(records.map(({ event, second_process }) => [event, second_process])).toEqual([
    ['granted', true],
    ['issued', true],
    ['closed', true],
  ]);
  expect(records[1]).toMatchObject({
    provider: 'command',
    principal: 'agent',
    scope: ['cache:read', 'cache:write'],
    handle: { id: 's-1', capwrap_lease_id: records[1]?.['lease_id'] },
  });
  noLeak(stdout, stderr);
});

test('a refusal starts no command, and its words stay with the program', async () => {
  const { server, workspace, noLeak } = await cacheWorkspace();
  server.fault({ route: 'open', fault: 'refused' });
  const result = await workspace.run('fill-build-cache', ['/bin/echo', 'ran']);
  expect(result).toMatchObject({ status: 123, stdout: '' });
  expect(result.stderr).toMatch(/^capwrap: error: "\S+\/command\/build-cache\.mjs" ended with status 77$/m);
  expect(result.stderr).toMatch(/^capwrap: hint: its own messages are not shown/m);
  const closed = workspace.records().at(-1);
  expect(closed).toMatchObject({ event: 'closed', outcome: 'not_issued', second_process: true });
  noLeak(result.stderr);
});

test('explain says what would be run, and runs nothing', async () => {
  const { server, workspace } = await cacheWorkspace();
  const { stdout, status } = await workspace.here(['explain', 'fill-build-cache', '--', '/bin/true']);
  expect(status, stdout).toBe(0);
  expect(stdout).toContain(join(workspace.folder, 'command', 'build-cache.mjs'));
  expect(server.requests).toEqual([]);
});

test('the map of the example passes its own tests', async () => {
  const { workspace } = await cacheWorkspace();
  const { stdout, status } = await workspace.here(['check', join(EXAMPLES, 'command.capabilities.yaml')]);
  expect(status, stdout).toBe(0);
  expect(stdout).toContain('2 of 2 tests passed');
});

test('what a run that was killed has left is ended by its handle, with nothing of the credential', async () => {
  const { server, workspace, noLeak } = await cacheWorkspace();
  const up = join(workspace.folder, 'up');
  const running = execa(BIN, ['run', '-c', 'fill-build-cache', '--', 'sh', '-c', 'touch up; exec sleep 60'], {
    cwd: workspace.folder,
    env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
    extendEnv: false,
    reject: false,
  });
  await until('the command is up', () => existsSync(up));
  running.kill('SIGKILL');
  await running;
  expect(server.live()).toBe(1);
  const { status, stdout, stderr } = await workspace.cli(['leases', 'reap']);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^[0-9a-f]{16} {2}revoked_unverified: "\S+\/build-cache\.mjs" ended with status 0/);
  expect(server.live()).toBe(0);
  noLeak(stdout, stderr);
});

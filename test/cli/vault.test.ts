/** The example's run on the built CLI, with the loopback server in Vault's place; and what a killed run leaves. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { afterTest } from '../helpers/after-test.ts';
import { BIN, ROOT } from '../helpers/cli.ts';
import { capwrapHere } from '../helpers/cli-here.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { until } from '../helpers/terminal.ts';
import { createWorkspace } from '../helpers/workspace.ts';
import { secretFile } from '../issuers/vault/config.ts';
import { startVault } from '../issuers/vault/server.ts';

const EXAMPLE = join(ROOT, 'examples', 'vault.capabilities.yaml');

async function world(change: (map: string) => string = (map) => map) {
  const server = await startVault();
  afterTest(() => server.stop());
  const map = readFileSync(EXAMPLE, 'utf8')
    .replace('https://vault.example.com:8200', server.url)
    .replace('/etc/capwrap/vault-secret-id', secretFile(`${server.secretId(5)}\n`));
  const workspace = await createWorkspace(change(map));
  mkdirSync(join(workspace.folder, 'examples'));
  cpSync(join(ROOT, 'examples', 'scripts'), join(workspace.folder, 'examples', 'scripts'), {
    recursive: true,
  });
  // In psql's place: what it was started with.
  workspace.script('psql', 'echo "$PGUSER@$PGHOST/$PGDATABASE $PGPASSWORD"');
  return { server, workspace };
}

const inFolder = (map: string) => map.replace('env: { set: {', 'env: { pass: [PATH], set: {');

test('the example is valid, and its tests pass', async () => {
  const result = await capwrapHere(['check', EXAMPLE], { env: { HOME: '/nonexistent' } });
  expect(result.status, result.stdout).toBe(0);
  expect(result.stdout).toMatch(/2 of 2 tests passed/);
});

test('the example runs, and user, token and login end with it', async () => {
  const { server, workspace } = await world(inFolder);
  const command = [
    'run',
    '-c',
    'query-staging',
    '-j',
    'a report',
    '--',
    './examples/scripts/query-staging.sh',
  ];
  const PATH = `${workspace.folder}:${process.env['PATH']}`;
  const result = await workspace.cli(command, { env: { PATH } });
  expect(result.status, result.stderr).toBe(0);
  expect(result.stdout).toMatch(
    /^v-approle-readonly-[0-9a-f]{12}@staging-db\.example\.com\/app \[capwrap:password\]\n$/,
  );
  expect(result.stderr).toMatch(/broker\.revoke .* status=revoked_verified /);

  expect(server.live()).toBe(0);
  const issued = workspace.records().find(({ event }) => event === 'issued');
  expect(issued).toMatchObject({
    provider: 'vault',
    scope: ['database/creds/readonly'],
    source: expect.stringMatching(/^approle:\//),
    principal: expect.stringMatching(/^v-approle-readonly-/),
    handle: { kind: 'lease', lease_id: expect.stringMatching(/^database\/creds\/readonly\//) },
  });
  expect(workspace.records().at(-1)).toMatchObject({
    event: 'closed',
    outcome: 'revoked_verified',
    revocation: { end: 'sys/leases/revoke answered 204; auth/token/revoke-self answered 204' },
  });
  expectNowhere(server.secrets(), { texts: [result.stdout, result.stderr], folders: [workspace.stateDir] });
});

test('what a killed run leaves is reaped by its handle', async () => {
  const { server, workspace } = await world((map) => inFolder(map).replace(/, command: [^}]*/, ' '));
  const ready = join(workspace.folder, 'ready');
  const sleeper = workspace.script(
    'sleeper.sh',
    `echo $$ > '${ready}.tmp'; mv '${ready}.tmp' '${ready}'; exec sleep 600`,
  );
  const child = spawn(BIN, ['run', '-c', 'query-staging', '-j', 'x', '--', sleeper], {
    cwd: workspace.folder,
    env: { PATH: process.env['PATH'], ...workspace.env },
    stdio: 'ignore',
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await until('the child is up', () => existsSync(ready));
  const pid = Number(readFileSync(ready, 'utf8'));
  afterTest(() => kill(pid));
  child.kill('SIGKILL');
  await gone;
  expect(server.live()).toBe(3); // user, token, login

  const result = await workspace.cli(['leases', 'reap']);
  expect(result.status, result.stdout + result.stderr).toBe(0);
  expect(server.live()).toBe(0);
  expect(workspace.records().at(-1)).toMatchObject({ event: 'lease_ended', outcome: 'revoked_verified' });
  expect((await workspace.here(['audit', 'verify'])).status).toBe(0);
  expectNowhere(server.secrets(), { texts: [result.stdout, result.stderr], folders: [workspace.stateDir] });
});

test('a refusal is one line and a hint, and nothing is left', async () => {
  const { server, workspace } = await world((map) =>
    map.replace('policies: [readonly]', 'policies: [admin]'),
  );
  const result = await workspace.cli([
    'run',
    '-c',
    'query-staging',
    '-j',
    'x',
    '--',
    './examples/scripts/query-staging.sh',
  ]);
  expect(result.status).toBe(123);
  expect(result.stderr).toMatch(/refused with 400 \(child policies must be subset of parent\)/);
  expect(result.stderr).toMatch(/the login must have each of the policies that the map names/);
  expect(server.live()).toBe(0);
});

test('explain says what would be sent', async () => {
  const { server, workspace } = await world();
  const args = ['explain', 'query-staging', '--json', '-j', 'x', '--', './examples/scripts/query-staging.sh'];
  const result = await workspace.cli(args);
  expect(result.stdout).toContain('"database/creds/readonly"');
  expect(result.stdout).toContain('"explicit_max_ttl":');
  expect(server.requests).toEqual([]);
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

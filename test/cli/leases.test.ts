/** `capwrap leases`, `end` and `reap` through the built program: runs that live, that are killed, and what is left of them. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.ts';
import { until } from '../helpers/terminal.ts';
import { awsWorkspace, LOCAL_MAP, localWorkspace, type Workspace } from '../helpers/workspace.ts';

const AUDIENCE = ['--audience', 'test', '--scope', 'test:read'];

/** A run that stays until it is ended; resolves once its child is there. */
async function stay(workspace: Workspace, capability = 'local') {
  const file = join(workspace.folder, 'up');
  rmSync(file, { force: true });
  const script = 'printf %s "$CAPWRAP_TOKEN$TOKEN" > token; touch up; exec sleep 60';
  const running = execa(
    join(ROOT, 'bin', 'capwrap.js'),
    ['run', '-c', capability, '--', 'sh', '-c', script],
    {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
      extendEnv: false,
      reject: false,
    },
  );
  await until('the child is up', () => existsSync(file));
  const leaseId = String(workspace.records().at(-1)?.['lease_id']);
  return { running, leaseId };
}

/** A lease whose run was killed. */
async function orphan(workspace: Workspace, capability?: string): Promise<string> {
  const { running, leaseId } = await stay(workspace, capability);
  running.kill('SIGKILL');
  await running;
  return leaseId;
}

async function listed(workspace: Workspace): Promise<Record<string, unknown>[]> {
  const { status, stdout, stderr } = await workspace.here(['leases', '--json']);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout).leases;
}

const revoked = (workspace: Workspace): string[] =>
  JSON.parse(readFileSync(join(workspace.stateDir, 'issuer', 'revoked.json'), 'utf8')).revoked.map(
    ({ jti }: { jti: string }) => jti,
  );

describe('a run that was killed', () => {
  test('is shown, and reaped: its token is revoked, and the log is whole', async () => {
    const workspace = await localWorkspace();
    const leaseId = await orphan(workspace);
    expect(await listed(workspace)).toMatchObject([
      {
        lease_id: leaseId,
        capability: 'local',
        provider: 'local-issuer',
        wrapper: 'dead',
        ends_by: 'handle',
        issued: true,
      },
    ]);
    const shown = await workspace.cli(['leases']);
    expect(shown.stdout).toMatch(
      new RegExp(`^${leaseId}  local +local-issuer .* died  capwrap leases end`, 'm'),
    );
    expect(shown.stderr).toContain('capwrap leases reap');
    expect(revoked(workspace)).toEqual([]);

    const reap = await workspace.cli(['leases', 'reap']);
    expect(reap.status, reap.stderr).toBe(0);
    expect(reap.stdout).toBe(`${leaseId}  revoked_unverified: added to the revocation list\n`);
    expect(revoked(workspace)).toEqual([leaseId]);
    const token = readFileSync(join(workspace.folder, 'token'), 'utf8');
    const verify = await workspace.cli(['issuer', 'verify', ...AUDIENCE], { input: token });
    expect(verify.status).toBe(1);
    expect(verify.stdout + verify.stderr).toContain('revoked');
    expect(workspace.records().at(-1)).toMatchObject({
      event: 'lease_ended',
      lease_id: leaseId,
      capability: 'local',
      reason: 'wrapper_died',
      outcome: 'revoked_unverified',
      revocation: { end: 'added to the revocation list', error: null },
    });
    const [chain, story] = [
      await workspace.cli(['audit', 'verify']),
      await workspace.cli(['audit', 'show', leaseId]),
    ];
    expect(chain.status, chain.stderr).toBe(0);
    expect(story.stdout).toContain('that it is dead was not verified');

    // Once is enough.
    expect(await listed(workspace)).toEqual([]);
    const again = await workspace.cli(['leases', 'reap']);
    expect([again.status, again.stdout]).toEqual([0, '']);
    const end = await workspace.cli(['leases', 'end', leaseId]);
    expect([end.status, end.stdout]).toEqual([0, `${leaseId}  has ended: see capwrap audit show\n`]);
  });

  test('is ended by the start of its id, with its map gone: the embedded issuer is here', async () => {
    const workspace = await localWorkspace();
    const leaseId = await orphan(workspace);
    rmSync(workspace.mapFile);
    const end = await workspace.cli(['leases', 'end', leaseId.slice(0, 8), '--json']);
    expect(end.status, end.stderr).toBe(0);
    expect(JSON.parse(end.stdout)).toMatchObject({
      lease_id: leaseId,
      result: 'ended',
      outcome: 'revoked_unverified',
    });
    expect(workspace.records().at(-1)).toMatchObject({ event: 'lease_ended', reason: 'asked' });
  });

  test('stays open where ending it fails, until it does not', async () => {
    const workspace = await localWorkspace();
    const leaseId = await orphan(workspace);
    const lock = join(workspace.stateDir, 'issuer', 'issuer.lock');
    writeFileSync(lock, '');
    const failed = await workspace.cli(['leases', 'reap']);
    expect(failed.status).toBe(1);
    expect(failed.stdout).toContain(`${leaseId}  revoke_failed: not added to the revocation list`);
    expect(await listed(workspace)).toMatchObject([{ lease_id: leaseId, end_failed: true }]);
    rmSync(lock);
    const reap = await workspace.cli(['leases', 'reap']);
    expect(reap.status, reap.stdout).toBe(0);
    expect(await listed(workspace)).toEqual([]);
    const chain = await workspace.here(['audit', 'verify']);
    expect(chain.status).toBe(0);
  });

  test('with a session of AWS goes on until it expires, and nothing else is claimed', async () => {
    const workspace = await awsWorkspace();
    const leaseId = await orphan(workspace, 'preview');
    expect(await listed(workspace)).toMatchObject([
      { lease_id: leaseId, ends_by: 'expiry', wrapper: 'dead' },
    ]);
    const before = workspace.records().length;
    const reap = await workspace.cli(['leases', 'reap']);
    expect(reap.status).toBe(0);
    expect(reap.stdout).toMatch(
      new RegExp(`^${leaseId}  still open: only its expiry ends it, at 20\\S+Z\\n$`),
    );
    const end = await workspace.cli(['leases', 'end', leaseId]);
    expect(end.status, 'it did not end').toBe(1);
    expect(workspace.records().length, 'nothing was observed, so nothing is recorded').toBe(before);
    workspace.expectNoLeak(reap.stdout, reap.stderr, end.stdout, end.stderr);
  });
});

describe('a run that lives', () => {
  test('is not reaped, and ends with its lease', async () => {
    const workspace = await localWorkspace();
    const { running, leaseId } = await stay(workspace);
    try {
      expect(await listed(workspace)).toMatchObject([
        { lease_id: leaseId, wrapper: 'alive', pid: running.pid, ends_by: 'run' },
      ]);
      const reap = await workspace.cli(['leases', 'reap']);
      expect([reap.status, reap.stdout]).toEqual([0, '']);
      expect(revoked(workspace)).toEqual([]);
      const end = await workspace.cli(['leases', 'end', leaseId]);
      expect(end.status, end.stderr).toBe(0);
      expect(end.stdout).toBe(`${leaseId}  ended with its run: revoked_verified\n`);
    } finally {
      running.kill('SIGKILL');
    }
    await running;
    expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', outcome: 'revoked_verified' });
    expect(await listed(workspace)).toEqual([]);
  });

  test('is ended by force where its child does not listen', async () => {
    const workspace = await localWorkspace();
    const script = "trap '' TERM INT; touch up; while :; do sleep 1; done";
    const running = execa(join(ROOT, 'bin', 'capwrap.js'), ['run', '-c', 'local', '--', 'sh', '-c', script], {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
      extendEnv: false,
      reject: false,
    });
    await until('the child is up', () => existsSync(join(workspace.folder, 'up')));
    const leaseId = String(workspace.records().at(-1)?.['lease_id']);
    const end = await workspace.cli(['leases', 'end', leaseId]);
    expect(end.status, end.stderr).toBe(0);
    await running;
    expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', end_reason: 'repeated_signal' });
  });
});

test('without a lease there is nothing to say, and nonsense is refused', async () => {
  const workspace = await localWorkspace(LOCAL_MAP);
  expect(await workspace.cli(['leases'])).toMatchObject({ status: 0, stdout: '' });
  expect(await listed(workspace)).toEqual([]);
  for (const id of ['', 'ffff', '../..', 'abc', '0123456789abcdef']) {
    const end = await workspace.here(['leases', 'end', id]);
    expect(end.status, id).toBe(120);
  }
  expect((await workspace.here(['leases', 'nonsense'])).status).toBe(120);
});

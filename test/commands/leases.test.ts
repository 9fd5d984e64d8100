/** What lets a lease be ended after its run: the map's config, the record's handle, the time; and how hostile records are shown. */
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { formatHolder, newHolder } from '../../src/base/lock-holder.ts';
import { leases } from '../../src/commands/leases.ts';
import { configOf } from '../../src/commands/leases-config.ts';
import { leasesReap } from '../../src/commands/leases-reap.ts';
import { GRANTED, ISSUED_RECORD, recordsOf, seal, writeLog } from '../audit/samples.ts';
import { commandContext } from '../broker/local-issuer-support.ts';
import { tempDir } from '../helpers/cli.ts';
import { createWorkspace, type Workspace } from '../helpers/workspace.ts';

const DEAD = formatHolder({ ...newHolder(), pid: 1, start: '0' });
const MAP = (audience: string, rest = '') => `version: 1
capabilities:
  local:
    provider: local-issuer
    audience: ${audience}
    scope: ["test:read"]
    rules: [{allow: {repo: acme/web-app}}]
${rest}`;

describe('the config for an end', () => {
  async function scene(): Promise<{ workspace: Workspace; find(): ReturnType<typeof configOf> }> {
    const workspace = await createWorkspace(MAP('one'));
    const sha256 = createHash('sha256').update(MAP('one')).digest('hex');
    const granted = { map_path: workspace.mapFile, map_sha256: sha256, capability: 'local' };
    const { context } = commandContext(workspace.stateDir);
    const ambient = { ...context.ambient, env: { ...workspace.env }, cwd: workspace.folder };
    return { workspace, find: () => configOf({ ...context, ambient }, workspace.stateDir, granted) };
  }
  const untrust = (workspace: Workspace) =>
    workspace
      .cli(['untrust', workspace.mapFile])
      .then(({ status, stderr }) => expect(status, stderr).toBe(0));

  test('is that of the map, as it stands there, trusted', async () => {
    const { find } = await scene();
    expect(await find()).toMatchObject({ config: { provider: 'local-issuer', audience: 'one' } });
  });

  test('is that of the version then, where the file has gone or changed and that version is trusted still', async () => {
    const { workspace, find } = await scene();
    await workspace.setMap(MAP('two'));
    expect(await find()).toMatchObject({ config: { audience: 'one' } });
    writeFileSync(workspace.mapFile, 'rubbish');
    expect(await find()).toMatchObject({ config: { audience: 'one' } });
  });

  test('is none where nothing of it is trusted any more', async () => {
    const { workspace, find } = await scene();
    await untrust(workspace);
    expect(await find()).toEqual({ config: null, why: 'its map is not trusted any more' });
  });

  test('may come from another trusted version only where that asks the same of the issuer', async () => {
    const { workspace, find } = await scene();
    await untrust(workspace);
    await workspace.setMap(MAP('one', '    ttl: 5m\n'));
    expect(await find()).toMatchObject({ config: { audience: 'one' } });
    await untrust(workspace);
    await workspace.setMap(MAP('two'));
    expect(await find()).toMatchObject({ config: null, why: expect.stringContaining('changed since') });
  });

  test('is none where the version is neither there nor kept, or its copy was altered', async () => {
    const { workspace, find } = await scene();
    const sha256 = createHash('sha256').update(MAP('one')).digest('hex');
    writeFileSync(workspace.mapFile, MAP('two'));
    writeFileSync(join(workspace.stateDir, 'maps', `${sha256}.yaml`), MAP('three'), { mode: 0o600 });
    expect(await find()).toMatchObject({ config: null, why: expect.stringContaining('neither') });
    rmSync(join(workspace.stateDir, 'maps'), { recursive: true });
    expect(await find()).toMatchObject({ config: null, why: expect.stringContaining('neither') });
  });
});

describe('reap', () => {
  const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;
  const time = (ms: number) => new Date(ms).toISOString();
  const GONE = { ...GRANTED, owner: DEAD } as AuditFields;

  async function reap(records: readonly AuditFields[], start: number) {
    const stateDir = tempDir();
    const path = writeLog(stateDir, seal(records, start));
    const { context, out, err } = commandContext(stateDir);
    const status = await leasesReap(context, {});
    return { status, out: out.join(''), err: err.join('\n'), records: recordsOf(path).slice(records.length) };
  }

  test('says of an expiry that has passed that it has, once it has', async () => {
    const issued = (expires: number) => ({ ...ISSUED_RECORD, expires_at: time(expires) }) as AuditFields;
    const over = await reap([GONE, issued(minutesAgo(1))], minutesAgo(16));
    expect(over.records).toMatchObject([
      { event: 'lease_ended', outcome: 'expired', reason: 'wrapper_died' },
    ]);
    const ahead = await reap([GONE, issued(minutesAgo(-5))], minutesAgo(10));
    expect([ahead.status, ahead.records]).toEqual([0, []]);
    expect(ahead.out).toContain('only its expiry ends it');
  });

  test('of a grant without a credential on record: open as long as one may live, then closed without a claim', async () => {
    const granted = (deadline: number) => ({ ...GONE, deadline: time(deadline) }) as AuditFields;
    const early = await reap([granted(minutesAgo(-5))], minutesAgo(1));
    expect([early.status, early.records]).toEqual([0, []]);
    expect(early.out).toMatch(/no credential is recorded; one may live until 20/);
    // STS gives no session under 15 minutes, however short the grant.
    expect((await reap([granted(minutesAgo(9))], minutesAgo(10))).records).toEqual([]);
    const late = await reap([granted(minutesAgo(9))], minutesAgo(30));
    expect(late.records).toMatchObject([{ event: 'lease_ended', reason: 'no_issue_recorded' }]);
    expect(late.records[0]).not.toHaveProperty('outcome');
  });

  test('of a grant whose issuer may have given more: open as long as the map lets that live', async () => {
    const map = `version: 1
capabilities:
  read:
    provider: oauth2
    token_endpoint: https://id.example.com/token
    grant: client-credentials
    client_id: capwrap
    client_auth: {type: secret-file, path: secret}
    scope: [read]
    token_life: 8h
    rules: [{allow: {repo: acme/web-app}}]
`;
    const { mapFile, stateDir, folder, env } = await createWorkspace(map);
    const granted = {
      ...GONE,
      provider: 'oauth2',
      capability: 'read',
      map_path: mapFile,
      map_sha256: createHash('sha256').update(map).digest('hex'),
      deadline: time(minutesAgo(45)),
    } as AuditFields;
    const reapLater = async (minutes: number) => {
      const path = writeLog(stateDir, seal([granted], minutesAgo(minutes)));
      const { context, out } = commandContext(stateDir);
      const ambient = { ...context.ambient, env: { ...env }, cwd: folder };
      expect(await leasesReap({ ...context, ambient }, {})).toBe(0);
      return { out: out.join(''), records: recordsOf(path).slice(1) };
    };
    const early = await reapLater(60);
    expect(early.out).toMatch(/no credential is recorded; one may live until 20/);
    expect(early.records).toEqual([]);
    expect((await reapLater(9 * 60)).records).toMatchObject([{ reason: 'no_issue_recorded' }]);
    writeFileSync(mapFile, '');
    rmSync(join(stateDir, 'maps'), { recursive: true });
    const unknown = await reapLater(9 * 60);
    expect(unknown.out).toContain('how long one may live is not known: the version of its map is neither');
    expect(unknown.records).toEqual([]);
  });

  test('a record that was made useless keeps no other lease from being closed', async () => {
    const useless = { ...GONE, lease_id: '0000000000000000', deadline: 'never' } as AuditFields;
    const unknown = { ...GONE, lease_id: '0000000000000001', provider: 'no-such' } as unknown as AuditFields;
    const issued = { ...ISSUED_RECORD, expires_at: time(minutesAgo(1)) } as AuditFields;
    const { status, out, records } = await reap([useless, unknown, GONE, issued], minutesAgo(600));
    expect(status).toBe(0);
    expect(out).toMatch(/is not known: its record has no times\n.*is not known: its provider is unknown/);
    expect(records).toMatchObject([{ event: 'lease_ended', lease_id: GONE.lease_id, outcome: 'expired' }]);
  });

  test('leaves alone what it can’t judge', async () => {
    const elsewhere = formatHolder({ ...newHolder(), space: 'elsewhere-0' });
    const records = [{ ...GRANTED, owner: elsewhere } as AuditFields, ISSUED_RECORD];
    const { status, out, err, records: written } = await reap(records, minutesAgo(600));
    expect([status, out, written]).toEqual([0, '', []]);
    expect(err).toMatch(/left alone, because their runs can't be judged from here: 1/);
  });

  test('a provider that is unknown, and a handle that was cut, end nothing', async () => {
    const expires_at = time(minutesAgo(-5));
    const unknown = { provider: 'no-such' } as const;
    const strange = await reap(
      [
        { ...GONE, ...unknown },
        { ...ISSUED_RECORD, ...unknown, expires_at },
      ],
      minutesAgo(1),
    );
    expect(strange.out).toContain('only its expiry ends it');
    const local = { provider: 'local-issuer' } as const;
    const handle = { jti: 'x'.repeat(600), exp: '1' };
    const cut = await reap(
      [
        { ...GONE, ...local },
        { ...ISSUED_RECORD, ...local, handle, expires_at },
      ],
      minutesAgo(1),
    );
    expect(cut.out).toContain('only its expiry ends it');
    expect([...strange.records, ...cut.records]).toEqual([]);
  });
});

test('what a record holds can’t steer a terminal', async () => {
  const stateDir = tempDir();
  const evil = 'x\u001b[31m\u202e\ny';
  writeLog(
    stateDir,
    seal([{ ...GRANTED, capability: evil, provider: evil, owner: DEAD } as AuditFields], Date.now()),
  );
  for (const json of [false, true]) {
    const { context, out, err } = commandContext(stateDir, json);
    expect(await leases(context, {})).toBe(0);
    const text = [...out, ...err].join('');
    expect(text).toMatch(/x\\u(?:001b|\{1b\})/);
    expect(text).not.toMatch(/[\u001b\u202e]/);
  }
});

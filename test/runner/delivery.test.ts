/** Files and endpoints together: both are there before the child, and both are gone after it or after a failure. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Lease, LocalEndpoints } from '../../src/broker/provider.ts';
import { DELIVERY_KINDS, deliver } from '../../src/runner/delivery.ts';
import { tempDir } from '../helpers/cli.ts';

const LEASE: Lease = {
  leaseId: randomBytes(8).toString('hex'),
  provider: 'local-issuer',
  values: { token: { value: 'tok-123', secret: true } },
  defaultInject: {},
  expiresAt: new Date('2030-01-01T00:15:00Z'),
  principal: 'someone',
  scope: [],
  facts: {},
  handle: null,
  warnings: [],
};

function give(
  endpoints: Lease['endpoints'] | null,
  files: Record<string, string> = { F: 'token' },
  runtimeDir = '',
) {
  return deliver({
    lease: endpoints ? { ...LEASE, endpoints } : LEASE,
    files,
    callerEnv: { XDG_RUNTIME_DIR: runtimeDir },
    isolation: { dir: tempDir() },
    uid: process.getuid?.() ?? -1,
    endpoint: { deadline: new Date(), now: () => new Date(), registerSecret: () => {} },
  });
}

test('both are delivered, named for the record, and closed as often as one likes', async () => {
  let closed = 0;
  const endpoints: LocalEndpoints = {
    kind: 'credentials_endpoint',
    variables: { URI: 'http://127.0.0.1:1' },
    close: async () => void closed++,
  };
  const delivery = await give(async () => endpoints);
  const path = delivery.fileVariables['F'] ?? '';
  expect(existsSync(path)).toBe(true);
  expect(delivery.kinds).toEqual([expect.stringMatching(/^file_/), 'credentials_endpoint']);
  for (const kind of delivery.kinds) expect(DELIVERY_KINDS).toContain(kind);
  await delivery.close();
  await delivery.close();
  expect([existsSync(path), closed]).toEqual([false, 2]);
});

test('an endpoint that does not start takes the files away', async () => {
  const runtimeDir = tempDir();
  let there = 0;
  const failing = give(
    async () => {
      there = leftIn(runtimeDir);
      throw new Error('no port');
    },
    { F: 'token' },
    runtimeDir,
  );
  await expect(failing).rejects.toThrow('no port');
  expect([there, leftIn(runtimeDir)]).toEqual([1, 0]);
});

/** Folders of this lease, wherever they can be. */
function leftIn(runtimeDir: string): number {
  const names = [runtimeDir, '/dev/shm'].filter(existsSync).flatMap((dir) => readdirSync(dir));
  return names.filter((name) => name.includes(LEASE.leaseId)).length;
}

test('variables alone need neither', async () => {
  const delivery = await give(null, {});
  expect(delivery).toMatchObject({ fileVariables: {}, endpoints: null, kinds: [] });
  await delivery.close();
});

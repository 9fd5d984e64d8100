/** Several processes at once: none may lose what another wrote. */
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readRevocationList } from '../../src/broker/providers/local-issuer/files.ts';
import { bundle } from '../helpers/bundle.ts';
import { freshIssuer, UID } from './local-issuer-support.ts';

const PROCESSES = 4;
const EACH = 8;

test('revocations of several processes all end up on the list', async () => {
  const { stateDir, files } = await freshIssuer();
  const program = await bundle(`
    import { endLease } from './src/broker/end-lease.ts';
    import { localIssuer } from './src/broker/providers/local-issuer/index.ts';
    const [stateDir, name, count] = process.argv.slice(2);
    const context = { env: {}, stateDir, signal: new AbortController().signal, now: () => new Date(), registerSecret() {} };
    const config = { provider: 'local-issuer', audience: 'a', scope: ['r'], subject: null };
    await Promise.all(Array.from({ length: Number(count) }, async (_, index) => {
      const lease = await localIssuer.issue({
        leaseId: name + '-' + index, capability: { name: 'c', config }, ttl: 300,
        deadline: new Date(Date.now() + 300_000), approval: 'none', actor: 'a', taskId: 't',
      }, context);
      console.log((await endLease(localIssuer, lease, context)).outcome);
    }));
  `);
  const names = Array.from({ length: PROCESSES }, (_, index) => `p${index}`);
  const runs = await Promise.all(
    names.map((name) => execa(process.execPath, [program, stateDir, name, String(EACH)])),
  );
  const outcomes = runs.flatMap(({ stdout }) => stdout.split('\n'));
  expect(outcomes).toEqual(Array.from({ length: PROCESSES * EACH }, () => 'revoked_verified'));
  expect(runs.map(({ stderr }) => stderr)).toEqual(names.map(() => '')); // no warning of Node's either
  const wanted = names.flatMap((name) => Array.from({ length: EACH }, (_, index) => `${name}-${index}`));
  expect(
    readRevocationList(files)
      ?.revoked.map(({ jti }) => jti)
      .sort(),
  ).toEqual(wanted.sort());
});

test('of several processes that present one token, exactly one is the first', async () => {
  const { files } = await freshIssuer();
  const program = await bundle(`
    import { noteSeen } from './src/broker/providers/local-issuer/seen-ledger.ts';
    const [path, uid, jti] = process.argv.slice(2);
    const token = { iss: 'https://issuer.test', jti, exp: Math.floor(Date.now() / 1000) + 300 };
    console.log(await noteSeen(path, Number(uid), token, new Date()));
  `);
  const runs = await Promise.all(
    Array.from({ length: 5 }, () => execa(process.execPath, [program, files.seen, String(UID), 'id-1'])),
  );
  expect(runs.map(({ stdout }) => stdout).sort()).toEqual(['false', 'true', 'true', 'true', 'true']);
});

import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import { issuerFiles, readRevocationList } from '../../src/broker/providers/local-issuer/files.ts';
import { localIssuer } from '../../src/broker/providers/local-issuer/index.ts';
import { initIssuer } from '../../src/broker/providers/local-issuer/keys.ts';
import { verifyToken } from '../../src/broker/providers/local-issuer/verify-token.ts';
import { CapwrapError } from '../../src/errors.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import {
  brokerContext,
  CONFIG,
  expectation,
  freshIssuer,
  issue,
  issueRequest,
  jsonPart,
  NOW,
  remove,
  secretsOf,
  tokenOf,
  UID,
} from './local-issuer-support.ts';

const LATER = (seconds: number) => () => new Date(NOW.getTime() + seconds * 1000);

describe('issue', () => {
  test('the token says who, for what, for whom, until when', async () => {
    const { stateDir, files } = await freshIssuer();
    const { context, secrets } = brokerContext(stateDir);
    const request = issueRequest();
    const lease = await localIssuer.issue(request, context);
    const token = tokenOf(lease);
    const start = Math.floor(NOW.getTime() / 1000);
    expect(jsonPart(token, 0)).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: lease.facts['kid'] });
    expect(jsonPart(token, 1)).toEqual({
      iss: 'https://issuer.test',
      sub: 'capability:read-ci-artifacts',
      aud: 'artifact-proxy',
      iat: start,
      exp: start + 300,
      jti: request.leaseId,
      scope: 'artifacts:read artifacts:list',
      client_id: 'capwrap',
      act: { sub: 'agent-7' },
      capwrap_task: 'task-1',
    });
    expect(await verifyToken(token, expectation(files))).toMatchObject({ status: 'valid' });
    expect(lease).toMatchObject({
      leaseId: request.leaseId,
      provider: 'local-issuer',
      defaultInject: { CAPWRAP_TOKEN: 'token' },
      principal: 'capability:read-ci-artifacts',
      scope: CONFIG.scope,
      warnings: [],
    });
    expect(lease.expiresAt.getTime()).toBe((start + 300) * 1000);
    expect(lease.expiresAt.getTime()).toBeLessThanOrEqual(request.deadline.getTime());
    expect(Object.entries(lease.values).map(([name, { secret }]) => [name, secret])).toEqual([
      ['token', true],
      ['jti', false],
      ['expires_at', false],
    ]);
    expect(secrets['token']).toBe(token);
    expectNowhere(secretsOf(files, lease), { texts: [JSON.stringify({ ...lease, values: null })] });
    expectNowhere([token], { folders: [stateDir] });
  });

  test("the map's subject wins over the capability's name", async () => {
    const { stateDir } = await freshIssuer();
    const request = issueRequest({}, { ...CONFIG, subject: 'build-reader' });
    const lease = await localIssuer.issue(request, brokerContext(stateDir).context);
    expect(lease.principal).toBe('build-reader');
    expect(jsonPart(tokenOf(lease), 1)['sub']).toBe('build-reader');
  });

  test('a task id that would swell the token is left out, and said', async () => {
    const { stateDir } = await freshIssuer();
    const lease = await issue(stateDir, { taskId: 't'.repeat(100_000) });
    expect(tokenOf(lease).length).toBeLessThan(1000);
    expect(lease.warnings).toEqual(['the task id is too long for a token and was left out of it']);
  });

  test.each([
    { missing: 'everything', files: ['key', 'jwks', 'revoked', 'name'] },
    { missing: 'the key', files: ['key'] },
    { missing: 'the published keys', files: ['jwks'] },
    { missing: 'the revocation list', files: ['revoked'] },
    { missing: 'the name', files: ['name'] },
  ] as const)('nothing is issued without $missing', async ({ files: gone }) => {
    const { stateDir, files } = await freshIssuer();
    remove(...gone.map((name) => files[name]));
    await expect(issue(stateDir)).rejects.toMatchObject({
      code: 'ERR_ISSUER_NOT_READY',
      message: '"local-issuer" has no key, or a part of its state is missing',
      hint: 'capwrap issuer init',
    });
  });

  test('nothing is issued on a machine where the issuer was never made', async () => {
    await expect(issue(tempDir())).rejects.toMatchObject({ code: 'ERR_ISSUER_NOT_READY' });
  });

  test('nothing is signed with a key that is not published', async () => {
    const { stateDir, files } = await freshIssuer();
    const other = await freshIssuer();
    copyFileSync(other.files.key, files.key);
    await expect(issue(stateDir)).rejects.toMatchObject({
      code: 'ERR_ISSUER_NOT_READY',
      message: '"local-issuer" has a key or a name that is not published',
    });
  });

  test.each([0o640, 0o604, 0o660])('a key file of mode %o is refused', async (mode) => {
    const { stateDir, files } = await freshIssuer();
    chmodSync(files.key, mode);
    await expect(issue(stateDir)).rejects.toMatchObject({
      code: 'ERR_STATE_UNSAFE',
      message: `"${files.key}" can be read or written by others`,
    });
  });

  test('a damaged key file is refused, and its content is not quoted', async () => {
    const { stateDir, files } = await freshIssuer();
    const [d = ''] = secretsOf(files);
    writeFileSync(files.key, JSON.stringify({ d, kty: 'OKP' }));
    const error = await issue(stateDir).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CapwrapError);
    expect(error).toMatchObject({ code: 'ERR_STATE_UNSAFE' });
    expectNowhere([d], { texts: [String(error), JSON.stringify(error), (error as CapwrapError).hint ?? ''] });
  });

  test('a life beyond that of a retired key is refused', async () => {
    const { stateDir } = await freshIssuer();
    const ttl = 24 * 3600 + 1;
    const deadline = LATER(ttl)();
    await expect(issue(stateDir, { ttl, deadline })).rejects.toMatchObject({
      code: 'ERR_PROVIDER_EXPIRY',
      message: `"ttl" of 86401 s is over the local issuer's 24 h`,
      hint: 'in capability "read-ci-artifacts": max_ttl: 24h',
    });
  });
});

test('the preview is what the token will say, without a key or a state', () => {
  const request = issueRequest();
  expect(localIssuer.preview(request)).toMatchObject({
    algorithm: 'EdDSA',
    sub: 'capability:read-ci-artifacts',
    aud: 'artifact-proxy',
    scope: 'artifacts:read artifacts:list',
    exp: Math.floor(request.deadline.getTime() / 1000),
    act: { sub: 'agent-7' },
  });
});

describe('end', () => {
  test('a token that was good is refused as revoked, and the list says since when', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    const other = await issue(stateDir);
    expect(await endLease(localIssuer, lease, brokerContext(stateDir, LATER(10)).context)).toEqual({
      outcome: 'revoked_verified',
      end: 'added to the revocation list',
      probe: 'refused: revoked',
      error: null,
    });
    const start = Math.floor(NOW.getTime() / 1000);
    expect(readRevocationList(files)).toEqual({
      version: 1,
      issuer: 'https://issuer.test',
      updated_at: start + 10,
      revoked: [{ jti: lease.leaseId, revoked_at: start + 10, exp: start + 300 }],
    });
    expect(await verifyToken(tokenOf(other), expectation(files))).toMatchObject({ status: 'valid' });
  });

  test('a second end changes nothing and says so', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    await endLease(localIssuer, lease, brokerContext(stateDir).context);
    const before = readRevocationList(files);
    expect(await endLease(localIssuer, lease, brokerContext(stateDir, LATER(20)).context)).toMatchObject({
      outcome: 'revoked_verified',
      end: 'was ended already',
    });
    expect(readRevocationList(files)).toEqual(before);
  });

  test('a token past its end is expired; within the leeway of a service it is still revoked', async () => {
    const { stateDir } = await freshIssuer();
    const [over, within] = [await issue(stateDir), await issue(stateDir)];
    expect(await endLease(localIssuer, over, brokerContext(stateDir, LATER(306)).context)).toEqual({
      outcome: 'expired',
      end: null,
      probe: 'refused: expired',
      error: null,
    });
    expect((await endLease(localIssuer, within, brokerContext(stateDir, LATER(302)).context)).outcome).toBe(
      'revoked_verified',
    );
  });

  test('the list forgets a token only once no service can take it any more', async () => {
    const { stateDir, files } = await freshIssuer();
    const first = await issue(stateDir);
    await endLease(localIssuer, first, brokerContext(stateDir).context);
    const endOfAnother = async (seconds: number) => {
      const deadline = new Date(LATER(seconds + 60)());
      const lease = await issue(stateDir, { deadline });
      await endLease(localIssuer, lease, brokerContext(stateDir, LATER(seconds)).context);
      return readRevocationList(files)?.revoked.map(({ jti }) => jti);
    };
    expect(await endOfAnother(599)).toContain(first.leaseId);
    expect(await endOfAnother(601)).not.toContain(first.leaseId);
  });

  test.each([
    { name: 'damaged', spoil: (path: string) => writeFileSync(path, '{"version":1}') },
    { name: 'missing', spoil: (path: string) => remove(path) },
    { name: 'open to others', spoil: (path: string) => chmodSync(path, 0o666) },
  ])('a list that is $name makes the end a failure, told and not thrown', async ({ spoil }) => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    spoil(files.revoked);
    const revocation = await endLease(localIssuer, lease, brokerContext(stateDir).context);
    expect(revocation).toMatchObject({ outcome: 'revoke_failed', end: 'not added to the revocation list' });
    expect(revocation.error).toMatch(/local-issuer|revoked\.json/);
    expectNowhere(secretsOf(files, lease), { texts: [JSON.stringify(revocation)] });
  });

  test('where a service would have refused the token anyway, nothing is claimed to be verified', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    await initIssuer(files, { issuer: 'https://renamed.test', rotate: false }, NOW);
    expect(await endLease(localIssuer, lease, brokerContext(stateDir).context)).toEqual({
      outcome: 'revoked_unverified',
      end: 'added to the revocation list',
      probe: 'refused: wrong_issuer; before: refused: wrong_issuer',
      error: null,
    });
  });

  test('without the published keys the probe can tell nothing', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    remove(files.jwks);
    expect(await endLease(localIssuer, lease, brokerContext(stateDir).context)).toMatchObject({
      outcome: 'revoked_unverified',
      probe: "the issuer's files can't be read; before: the issuer's files can't be read",
    });
    expect(readRevocationList(files)?.revoked.map(({ jti }) => jti)).toEqual([lease.leaseId]);
  });

  test('a state folder that is gone is told, not thrown', async () => {
    const { stateDir } = await freshIssuer();
    const lease = await issue(stateDir);
    const elsewhere = brokerContext(issuerFiles(tempDir(), UID).dir).context;
    expect((await endLease(localIssuer, lease, elsewhere)).outcome).toBe('revoke_failed');
  });
});

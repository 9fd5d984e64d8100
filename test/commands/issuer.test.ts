/** `capwrap issuer init`, `jwks` and `verify`, called as the command line calls them. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import { localIssuer } from '../../src/broker/providers/local-issuer/index.ts';
import { issuerInit, issuerJwks, issuerVerify } from '../../src/commands/issuer.ts';
import { readToken } from '../../src/commands/issuer-token-input.ts';
import type { IssuerVerifyOptions } from '../../src/commands/issuer-verify.ts';
import {
  brokerContext,
  commandContext,
  freshIssuer,
  issueNow,
  secretsOf,
  tokenOf,
} from '../broker/local-issuer-support.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';

const DEMANDS = { audience: 'artifact-proxy', scope: ['artifacts:read'] };

function tokenFile(token: string): string {
  const path = join(tempDir(), 'token.jwt');
  writeFileSync(path, `${token}\n`);
  return path;
}

/** One `issuer verify`: its status, its facts, and what it said beside them. */
async function verify(stateDir: string, token: string, options: IssuerVerifyOptions = DEMANDS) {
  const { context, out, err } = commandContext(stateDir, true);
  const status = await issuerVerify(context, { ...options, file: tokenFile(token) });
  expect(out).toHaveLength(1);
  expectNowhere([token, token.slice(-86)], { texts: [...out, ...err] });
  const { event, ...facts } = JSON.parse(out[0] ?? '');
  expect(event).toBe('issuer.verify');
  return { status, facts, err };
}

describe('init and jwks', () => {
  test('init says what there is now; jwks prints the public keys alone', async () => {
    const stateDir = tempDir();
    const { context, out } = commandContext(stateDir);
    expect(await issuerInit(context, { issuer: 'https://issuer.test' })).toBe(0);
    expect(await issuerInit(context, { rotate: true })).toBe(0);
    expect(await issuerJwks(context, {})).toBe(0);
    expect(out[0]).toMatch(
      /^issuer\.init issuer=https:\/\/issuer\.test kid=[\w-]{43} key=created retired_keys=0\n$/,
    );
    expect(out[1]).toMatch(
      /^issuer\.init issuer=https:\/\/issuer\.test kid=[\w-]{43} key=rotated retired_keys=1\n$/,
    );
    const { keys } = JSON.parse(out[2] ?? '');
    expect(keys.map((key: object) => Object.keys(key).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
      ['alg', 'crv', 'exp', 'kid', 'kty', 'use', 'x'],
    ]);
    const { d } = JSON.parse(readFileSync(join(stateDir, 'issuer', 'key.json'), 'utf8'));
    expectNowhere([d], { texts: out });
  });

  test('a lost list is told to a person', async () => {
    const { stateDir, files } = await freshIssuer();
    writeFileSync(files.revoked, '');
    const { context, err } = commandContext(stateDir, true);
    await expect(issuerInit(context, {})).rejects.toMatchObject({ code: 'ERR_STATE_UNSAFE' });
    rmSync(files.revoked);
    expect(await issuerInit(context, {})).toBe(0);
    expect(err).toEqual([
      'capwrap: warning: the revocation list was gone, so every key of before was withdrawn',
    ]);
  });

  test.each([
    '',
    'issuer',
    'https://issuer.test/?a',
    'https://user@issuer.test',
    'https://a b',
    'https://a\u202eb',
  ])('%j is refused as the name of an issuer', async (issuer) => {
    const stateDir = tempDir();
    await expect(issuerInit(commandContext(stateDir).context, { issuer })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      hint: 'capwrap issuer init --issuer https://issuer.example.com',
    });
    expect(existsSync(join(stateDir, 'issuer'))).toBe(false);
  });

  test('jwks without an issuer names the command that makes one', async () => {
    await expect(issuerJwks(commandContext(tempDir()).context, {})).rejects.toMatchObject({
      code: 'ERR_ISSUER_NOT_READY',
      hint: 'capwrap issuer init',
    });
  });
});

describe('verify', () => {
  test('a good token is valid once, and reuse from then on', async () => {
    const { stateDir } = await freshIssuer();
    const lease = await issueNow(stateDir);
    const jti = lease.leaseId;
    expect(await verify(stateDir, tokenOf(lease))).toMatchObject({
      status: 0,
      facts: { status: 'valid', reason: null, jti, reuse: 'none' },
    });
    expect(await verify(stateDir, tokenOf(lease))).toMatchObject({
      status: 1,
      facts: { status: 'refused', reason: 'reused', jti, reuse: 'seen_before' },
    });
    expect(await verify(stateDir, tokenOf(lease), { ...DEMANDS, multiUse: true })).toMatchObject({
      status: 0,
      facts: { status: 'valid', reason: null, jti, reuse: 'seen_before' },
    });
  });

  test('a revoked token is refused, and its use after the end is told', async () => {
    const { stateDir } = await freshIssuer();
    const lease = await issueNow(stateDir);
    await endLease(localIssuer, lease, brokerContext(stateDir, () => new Date()).context);
    expect(await verify(stateDir, tokenOf(lease), { ...DEMANDS, multiUse: true })).toMatchObject({
      status: 1,
      facts: { status: 'refused', reason: 'revoked', jti: lease.leaseId, reuse: 'after_end' },
    });
  });

  test('an expired token likewise', async () => {
    const { stateDir } = await freshIssuer();
    const lease = await issueNow(stateDir, -60);
    expect(await verify(stateDir, tokenOf(lease))).toMatchObject({
      status: 1,
      facts: { status: 'refused', reason: 'expired', jti: lease.leaseId, reuse: 'after_end' },
    });
  });

  test('a token that was refused is not used up', async () => {
    const { stateDir } = await freshIssuer();
    const lease = await issueNow(stateDir);
    const wrong = await verify(stateDir, tokenOf(lease), { ...DEMANDS, audience: 'other' });
    expect(wrong).toMatchObject({ status: 1, facts: { reason: 'wrong_audience', reuse: 'unchecked' } });
    expect(await verify(stateDir, tokenOf(lease))).toMatchObject({ status: 0, facts: { reuse: 'none' } });
  });

  test('without a ledger, and without an audience, the line says what was not checked', async () => {
    const { stateDir } = await freshIssuer();
    const lease = await issueNow(stateDir);
    const { context, out } = commandContext(stateDir);
    expect(await issuerVerify(context, { file: tokenFile(tokenOf(lease)), seen: false })).toBe(0);
    expect(out).toEqual([
      `issuer.verify status=valid reason=none jti=${lease.leaseId} reuse=unchecked audience=unchecked\n`,
    ]);
  });

  test("a ledger of the caller's own is used in place of the default", async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issueNow(stateDir);
    const seen = join(tempDir(), 'seen.json');
    expect((await verify(stateDir, tokenOf(lease), { ...DEMANDS, seen })).facts.reuse).toBe('none');
    expect((await verify(stateDir, tokenOf(lease), { ...DEMANDS, seen })).facts.reuse).toBe('seen_before');
    expect(existsSync(files.seen)).toBe(false);
    expectNowhere(secretsOf(files, lease), { texts: [readFileSync(seen, 'latin1')] });
  });

  test.each([
    { name: 'damaged', content: '[]', mode: 0o600 },
    { name: 'open to others', content: '{"version":1,"seen":[]}', mode: 0o644 },
  ])('a ledger that is $name lets no token pass', async ({ content, mode }) => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issueNow(stateDir);
    writeFileSync(files.seen, content);
    chmodSync(files.seen, mode);
    await expect(verify(stateDir, tokenOf(lease))).rejects.toMatchObject({ code: 'ERR_STATE_UNSAFE' });
  });

  test.each([
    { file: 'jwks', reason: 'keys_unreadable' },
    { file: 'revoked', reason: 'revocation_list_unreadable' },
  ] as const)('a $file file that is damaged or missing refuses every token', async ({ file, reason }) => {
    const { stateDir, files } = await freshIssuer();
    const token = tokenOf(await issueNow(stateDir));
    writeFileSync(files[file], '{"version":1,"keys":[]');
    const damaged = await verify(stateDir, token);
    expect(damaged).toMatchObject({
      status: 1,
      facts: { status: 'refused', reason, jti: null, reuse: 'unchecked' },
    });
    expect(damaged.err).toEqual([expect.stringContaining(`"${files[file]}" is damaged`)]);
    rmSync(files[file]);
    expect((await verify(stateDir, token)).facts.reason).toBe(reason);
  });

  test('published copies serve as well as the files here, if both are of the issuer that is meant', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issueNow(stateDir);
    const copies = { jwks: join(tempDir(), 'jwks.json'), revoked: join(tempDir(), 'revoked.json') };
    writeFileSync(copies.jwks, readFileSync(files.jwks));
    writeFileSync(copies.revoked, readFileSync(files.revoked));
    const service = tempDir(); // another machine: no issuer of its own
    const options = { ...DEMANDS, ...copies, issuer: 'https://issuer.test' };
    expect(await verify(service, tokenOf(lease), options)).toMatchObject({
      status: 0,
      facts: { reuse: 'none' },
    });
    const other = await verify(service, tokenOf(lease), { ...options, issuer: 'https://other.test' });
    expect(other).toMatchObject({ status: 1, facts: { reason: 'revocation_list_unreadable' } });
    expect(other.err).toEqual(['capwrap: warning: the revocation list is that of "https://issuer.test"']);
    await expect(verify(service, tokenOf(lease), { ...DEMANDS, ...copies })).rejects.toMatchObject({
      code: 'ERR_ISSUER_NOT_READY',
    });
  });

  test.each([
    {
      options: { jwks: 'jwks.json' },
      message: '"--jwks" and "--revoked" belong together: both of one issuer',
    },
    {
      options: { jwks: 'http://issuer.test/a', revoked: 'b' },
      message: '"http://issuer.test/a" is neither https nor http on this machine',
    },
    {
      options: { jwks: 'https://u:p@issuer.test/a', revoked: 'b' },
      message: '"--jwks" and "--revoked" take no URL with a user name or password',
    },
    {
      options: { jwks: 'ftp://127.0.0.1/a', revoked: 'b' },
      message: '"ftp://127.0.0.1/a" is neither https nor http on this machine',
    },
  ])('$options is a mistake: $message', async ({ options, message }) => {
    const { stateDir } = await freshIssuer();
    const token = tokenOf(await issueNow(stateDir));
    await expect(verify(stateDir, token, options)).rejects.toMatchObject({ code: 'ERR_USAGE', message });
  });
});

describe('the token to check', () => {
  test('comes from standard input in any pieces', async () => {
    expect(await readToken('-', Readable.from([Buffer.from(' eyJ'), Buffer.from('a.b.c\r\n')]))).toBe(
      'eyJa.b.c',
    );
  });

  test.each([
    {
      name: 'a token in place of a file',
      place: 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl',
      code: /takes a file, not a token/,
    },
    {
      name: 'the same with its scheme',
      place: 'Bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln',
      code: /takes a file, not a token/,
    },
    {
      name: 'a file that is not there',
      place: '/nowhere/token',
      code: /^"\/nowhere\/token" can't be read \(ENOENT\)$/,
    },
    { name: 'a folder', place: '/', code: /^"\/" can't be read \(EISDIR\)$/ },
    { name: 'nothing', place: '/dev/null', code: /^"\/dev\/null" holds nothing$/ },
    { name: 'without an end', place: '/dev/zero', code: /^"\/dev\/zero" holds more than a token$/ },
  ])('$name is refused without showing it', async ({ place, code }) => {
    const error = await readToken(place).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringMatching(code),
      hint: 'capwrap issuer verify < token.jwt',
    });
    expectNowhere(['eyJhbGciOiJFZERTQSJ9'], { texts: [String(error)] });
  });

  test('is not asked for on a terminal', async () => {
    const terminal = Object.assign(Readable.from([]), { isTTY: true });
    await expect(readToken('-', terminal)).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

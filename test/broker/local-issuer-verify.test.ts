/** Tokens that a service must refuse, each with the one reason. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { type IssuerFiles, readKey, required } from '../../src/broker/providers/local-issuer/files.ts';
import { type Expectation, verifyToken } from '../../src/broker/providers/local-issuer/verify-token.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { expectation, freshIssuer, issue, NOW, tokenOf } from './local-issuer-support.ts';

const SECONDS = Math.floor(NOW.getTime() / 1000);
const CLAIMS = {
  iss: 'https://issuer.test',
  sub: 's',
  aud: 'artifact-proxy',
  iat: SECONDS,
  exp: SECONDS + 300,
  jti: 'id-1',
  scope: 'artifacts:read',
};

interface Forged {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  /** Signs with this in place of the issuer's key. */
  readonly key?: (files: IssuerFiles) => KeyObject | Uint8Array;
}

async function forge(files: IssuerFiles, { header = {}, claims = {}, key }: Forged): Promise<string> {
  const own = required(readKey(files));
  const jwt = new SignJWT({ ...CLAIMS, ...claims });
  return jwt
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: own.kid, ...header })
    .sign(key ? key(files) : createPrivateKey({ key: { ...own }, format: 'jwk' }));
}

const publicPem = (files: IssuerFiles) =>
  createPublicKey({ key: { ...required(readKey(files)) }, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });

const REFUSED: readonly ({ name: string; reason: string; expected?: Partial<Expectation> } & Forged)[] = [
  {
    name: 'HS256 with the public key as its secret',
    reason: 'wrong_algorithm',
    header: { alg: 'HS256' },
    key: (files) => Buffer.from(publicPem(files)),
  },
  {
    name: 'HS256 with the raw public key as its secret',
    reason: 'wrong_algorithm',
    header: { alg: 'HS256' },
    key: (files) => Buffer.from(required(readKey(files)).x, 'base64url'),
  },
  {
    name: 'another signature algorithm',
    reason: 'wrong_algorithm',
    header: { alg: 'ES256' },
    key: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  },
  {
    name: 'the name of the algorithm in another form',
    reason: 'wrong_algorithm',
    header: { alg: 'Ed25519' },
  },
  {
    name: 'another key under the right kid',
    reason: 'bad_signature',
    key: () => generateKeyPairSync('ed25519').privateKey,
  },
  { name: 'a kid that is not published', reason: 'unknown_key', header: { kid: 'other' } },
  { name: 'no kid', reason: 'unknown_key', header: { kid: undefined } },
  { name: 'a kid that is a path', reason: 'unknown_key', header: { kid: '../../key.json' } },
  {
    name: 'a key that the token brings along',
    reason: 'unknown_key',
    header: { kid: 'x', jwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } },
  },
  { name: 'a token of another kind', reason: 'wrong_type', header: { typ: 'JWT' } },
  { name: 'no type', reason: 'wrong_type', header: { typ: undefined } },
  { name: 'another issuer', reason: 'wrong_issuer', claims: { iss: 'https://issuer.test/' } },
  { name: 'a service for another audience', reason: 'wrong_audience', expected: { audience: 'other' } },
  {
    name: 'an audience that only begins alike',
    reason: 'wrong_audience',
    claims: { aud: 'artifact-proxy2' },
  },
  {
    name: 'the moment past exp and leeway',
    reason: 'expired',
    expected: { now: new Date((SECONDS + 305) * 1000) },
  },
  { name: 'a time before nbf', reason: 'not_yet_valid', claims: { nbf: SECONDS + 6 } },
  { name: 'no exp', reason: 'malformed', claims: { exp: undefined } },
  { name: 'exp as text', reason: 'malformed', claims: { exp: String(SECONDS + 300) } },
  { name: 'no jti', reason: 'malformed', claims: { jti: undefined } },
  { name: 'a jti that is no text', reason: 'malformed', claims: { jti: 7 } },
  { name: 'a jti with a line break', reason: 'malformed', claims: { jti: 'a\nb' } },
  { name: 'several audiences', reason: 'malformed', claims: { aud: ['artifact-proxy', 'other'] } },
  { name: 'scope as a list', reason: 'malformed', claims: { scope: ['artifacts:read'] } },
  {
    name: 'a scope that is not held',
    reason: 'scope_missing',
    expected: { scope: ['artifacts:read', 'artifacts:write'] },
  },
  { name: 'a scope that only begins alike', reason: 'scope_missing', claims: { scope: 'artifacts:reader' } },
  { name: 'an extension that must be understood', reason: 'malformed', header: { crit: ['exp'], exp: 1 } },
  {
    name: 'a listed id',
    reason: 'revoked',
    expected: {
      list: {
        version: 1,
        issuer: CLAIMS.iss,
        updated_at: 1,
        revoked: [{ jti: 'id-1', revoked_at: 1, exp: 1 }],
      },
    },
  },
];

describe('a token is refused for', () => {
  test.each(REFUSED)('$name: $reason', async ({ reason, expected, ...forged }) => {
    const { files } = await freshIssuer();
    // `crit` can't be signed for without naming it as understood; the header is replaced afterwards instead.
    const token = forged.header?.['crit']
      ? withHeader(await forge(files, {}), forged.header)
      : await forge(files, forged);
    expect(await verifyToken(token, expectation(files, expected))).toMatchObject({
      status: 'refused',
      reason,
    });
  });

  test('alg none, with and without a signature', async () => {
    const { files } = await freshIssuer();
    const token = await forge(files, {});
    for (const alg of ['none', 'None', 'NONE', '']) {
      const naked = withHeader(token, { alg });
      for (const forged of [naked, `${naked.split('.').slice(0, 2).join('.')}.`]) {
        expect(await verifyToken(forged, expectation(files))).toMatchObject({
          status: 'refused',
          reason: alg === '' ? 'malformed' : 'wrong_algorithm',
        });
      }
    }
  });

  test('any other bytes: whatever one character is changed to, and any text at all', async () => {
    const { stateDir, files } = await freshIssuer();
    const expected = expectation(files);
    const token = tokenOf(await issue(stateDir));
    const decoded = (text: string) =>
      text
        .split('.')
        .map((part) => Buffer.from(part, 'base64url').toString('hex'))
        .join();
    const alphabet = [...'ABCDabcd0189-_.=~é'];
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...alphabet), async (at, char) => {
        const changed = token.slice(0, at) + char + token.slice(at + 1);
        fc.pre(decoded(changed) !== decoded(token));
        expect((await verifyToken(changed, expected)).status).toBe('refused');
      }),
      { numRuns: 200 },
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: anyCharacter }), async (text) => {
        expect(await verifyToken(text, expected)).toEqual({
          status: 'refused',
          reason: 'malformed',
          claims: null,
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('a token is taken', () => {
  test.each([
    { name: 'without a demand for an audience', claims: { aud: 'anything' }, expected: { audience: null } },
    { name: 'a moment before exp and leeway are over', expected: { now: new Date((SECONDS + 304) * 1000) } },
    { name: 'a moment before nbf', claims: { nbf: SECONDS + 5 } },
    { name: 'with more scopes than demanded', claims: { scope: 'a artifacts:read b' } },
  ] as const)(
    '$name',
    async ({ claims = {}, expected = {} }: Forged & { expected?: Partial<Expectation> }) => {
      const { files } = await freshIssuer();
      const verdict = await verifyToken(await forge(files, { claims }), expectation(files, expected));
      expect(verdict).toMatchObject({ status: 'valid', claims: { jti: 'id-1' } });
    },
  );
});

test('the id of a token is told only once its signature held', async () => {
  const { files } = await freshIssuer();
  const late = { now: new Date((SECONDS + 1000) * 1000) };
  const own = await verifyToken(await forge(files, {}), expectation(files, late));
  const foreign = await verifyToken(
    await forge(files, { key: () => generateKeyPairSync('ed25519').privateKey }),
    expectation(files, late),
  );
  expect(own).toMatchObject({ reason: 'expired', claims: { jti: 'id-1' } });
  expect(foreign).toMatchObject({ reason: 'bad_signature', claims: null });
});

function withHeader(token: string, change: Record<string, unknown>): string {
  const [head = '', ...rest] = token.split('.');
  const header = { ...JSON.parse(Buffer.from(head, 'base64url').toString()), ...change };
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
}

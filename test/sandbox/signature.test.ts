import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { element, FORM, form, type RawRequest, type SignOptions, send, sign } from './requests.ts';
import { attempt, type Case, mismatch, TAMPERED } from './tampering.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

const MINUTE = 60_000;
const IDENTITY: Partial<RawRequest> = {
  headers: FORM,
  body: form({ Action: 'GetCallerIdentity', Version: '2011-06-15' }),
};
const MALFORMED = [
  '',
  'Bearer x',
  'AWS4-ECDSA-P256-SHA256 Credential=A/20261123/sts/aws4_request, SignedHeaders=host, Signature=00',
];

const STS: readonly Case[] = [
  ...TAMPERED,
  {
    name: 'the body is another one',
    body: form({ Action: 'GetCallerIdentity', Version: '2011-06-15', DurationSeconds: '900' }),
    ...mismatch,
  },
  {
    name: 'the body is another one, with no digest header',
    options: { digest: false },
    body: form({ Action: 'GetCallerIdentity', Version: '2011-06-15', DurationSeconds: '900' }),
    ...mismatch,
  },
  {
    name: 'the time is another one',
    minutesAgo: 3,
    headers: { 'x-amz-date': stamp(0) },
    ...mismatch,
  },
  {
    name: 'an x-amz header is not signed',
    headers: { 'x-amz-new': '1' },
    ...mismatch,
    message: /were not signed: x-amz-new/,
  },
  {
    name: 'it was signed six minutes ago',
    minutesAgo: 6,
    ...mismatch,
    message: /^Signature expired: .* - 5 min\.\)$/,
  },
  {
    name: 'it is signed for in six minutes',
    minutesAgo: -6,
    ...mismatch,
    message: /^Signature not yet current: .* \+ 5 min\.\)$/,
  },
  {
    name: 'the day of the scope is another one',
    authorization: (h) => h.replace(/\/\d{8}\//, '/20200101/'),
    ...mismatch,
    message: /^Date in Credential scope/,
  },
  {
    name: 'the scope names another service',
    options: { service: 'iam' },
    ...mismatch,
    message: /correct service: 'sts'/,
  },
  {
    name: 'the token is unknown',
    options: { sessionToken: 'other' },
    status: 403,
    code: 'InvalidClientTokenId',
  },
  {
    name: 'the token is missing',
    options: { sessionToken: null },
    status: 403,
    code: 'InvalidClientTokenId',
  },
  {
    name: 'the key is unknown',
    authorization: (h) => h.replace(/ASIA\w+/, 'ASIAAAAAAAAAAAAAAAAA'),
    status: 403,
    code: 'InvalidClientTokenId',
  },
  {
    name: 'nothing is signed',
    headers: { authorization: null },
    status: 403,
    code: 'MissingAuthenticationToken',
  },
  ...MALFORMED.map((header) => ({
    name: `the authorization header is ${header.slice(0, 40)}`,
    headers: { authorization: header },
    status: 400,
    code: 'IncompleteSignature',
  })),
  {
    name: 'there are two authorization headers',
    authorization: (header) => [header, header],
    status: 400,
    code: 'IncompleteSignature',
  },
  {
    name: 'the signed headers are not sorted',
    authorization: (h) => h.replace(/SignedHeaders=([^;]+);([^;]+)/, 'SignedHeaders=$2;$1'),
    status: 400,
    code: 'IncompleteSignature',
  },
  {
    name: 'the time is missing',
    headers: { 'x-amz-date': null },
    status: 400,
    code: 'IncompleteSignature',
  },
  {
    name: 'the time is no time',
    headers: { 'x-amz-date': '20260230T000000Z' },
    status: 400,
    code: 'IncompleteSignature',
  },
  {
    name: 'it is presigned',
    query: { 'X-Amz-Signature': '0'.repeat(64) },
    status: 501,
    code: 'NotImplemented',
  },
];

function stamp(minutesAgo: number): string {
  return new Date(Date.now() - minutesAgo * MINUTE).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

describe('STS refuses a request when', () => {
  test.each(STS)('$name', async (one) => {
    const reply = await attempt(sandbox, one, IDENTITY, 'sts');
    expect(reply).toMatchObject({ status: one.status, code: one.code });
    if (one.message) expect(reply.message).toMatch(one.message);
  });

  test('the calling session has expired', async () => {
    const reply = await send(sandbox, await sign(sandbox, sandbox.credentials.expired, IDENTITY));
    expect(reply).toMatchObject({ status: 403, code: 'ExpiredToken' });
  });
});

describe('a signature is accepted', () => {
  test.each([
    ['with the digest in a header', {}],
    ['without it', { digest: false }],
    ['four minutes late', { date: new Date(Date.now() - 4 * MINUTE) }],
    ['four minutes early', { date: new Date(Date.now() + 4 * MINUTE) }],
    ['in any region', { region: 'eu-central-1' }],
  ] satisfies [string, SignOptions][])('%s', async (_, options) => {
    const reply = await send(sandbox, await sign(sandbox, sandbox.credentials.base, IDENTITY, options));
    expect(reply.status).toBe(200);
  });

  test('from a long-lived key, which has no token', async () => {
    const reply = await send(sandbox, await sign(sandbox, sandbox.credentials.longLived, IDENTITY));
    expect(element(reply.body, 'Arn')).toBe('arn:aws:iam::123456789012:user/agent-base');
  });

  test("by the server's own clock", async () => {
    sandbox.clockOffset = 3600;
    try {
      const now = await send(sandbox, await sign(sandbox, sandbox.credentials.base, IDENTITY));
      expect(now.status).toBe(200);
      expect(Date.parse(String(now.headers['date'])) - Date.now()).toBeGreaterThan(59 * MINUTE);
      const options = { date: new Date() };
      const late = await send(sandbox, await sign(sandbox, sandbox.credentials.base, IDENTITY, options));
      expect(late).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    } finally {
      sandbox.clockOffset = 0;
    }
  });
});

test('every answer says that it is not AWS', async () => {
  for (const path of ['/', '/acme-previews/x', '/2020-05-31/distribution/E1EXAMPLE/invalidation', '/%zz']) {
    const reply = await send(sandbox, { method: 'POST', path, query: {}, headers: {}, body: '' });
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.headers['x-capwrap-sandbox']).toBe('not-aws');
  }
});

test('no log entry holds a secret', () => {
  const log = JSON.stringify(sandbox.requests);
  expect(sandbox.requests.length).toBeGreaterThan(40);
  expect(sandbox.secrets()).toHaveLength(7);
  for (const secret of sandbox.secrets()) expect(log).not.toContain(secret);
});

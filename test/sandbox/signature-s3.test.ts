import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { element, type RawRequest, send, sign } from './requests.ts';
import { attempt, type Case, TAMPERED } from './tampering.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

/** Denied by policy once the signature is accepted, which is what tells the two apart. */
const UPLOAD: Partial<RawRequest> = {
  method: 'PUT',
  path: '/acme-previews/a%20b%2Bc',
  headers: { 'content-type': 'text/plain' },
  body: 'hello',
};

const S3: readonly Case[] = [
  ...TAMPERED,
  {
    name: 'nothing was altered',
    status: 403,
    code: 'AccessDenied',
    message: /not authorized to perform: s3:PutObject/,
  },
  {
    name: 'it was signed fourteen minutes ago',
    minutesAgo: 14,
    status: 403,
    code: 'AccessDenied',
    message: /not authorized/,
  },
  { name: 'it was signed sixteen minutes ago', minutesAgo: 16, status: 403, code: 'RequestTimeTooSkewed' },
  { name: 'it is signed for in sixteen minutes', minutesAgo: -16, status: 403, code: 'RequestTimeTooSkewed' },
  {
    name: 'the body is another one',
    body: 'jello',
    status: 400,
    code: 'XAmzContentSHA256Mismatch',
  },
  { name: 'there is no digest', options: { digest: false }, status: 400, code: 'InvalidRequest' },
  {
    name: 'the digest is no digest',
    headers: { 'x-amz-content-sha256': 'none' },
    status: 400,
    code: 'InvalidArgument',
  },
  {
    name: 'the chunks are signed',
    headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' },
    status: 501,
    code: 'NotImplemented',
  },
  {
    name: 'an x-amz header is not signed',
    headers: { 'x-amz-acl': 'public-read' },
    status: 403,
    code: 'AccessDenied',
    message: /were not signed/,
  },
  { name: 'the token is unknown', options: { sessionToken: 'other' }, status: 400, code: 'InvalidToken' },
  {
    name: 'the key is unknown',
    authorization: (h) => h.replace(/ASIA\w+/, 'ASIAAAAAAAAAAAAAAAAA'),
    status: 403,
    code: 'InvalidAccessKeyId',
  },
  {
    name: 'nothing is signed',
    headers: { authorization: null },
    status: 403,
    code: 'AccessDenied',
    message: /^Access Denied$/,
  },
  {
    name: 'the header is malformed',
    headers: { authorization: 'x' },
    status: 400,
    code: 'AuthorizationHeaderMalformed',
  },
  {
    name: 'the scope is of another region',
    options: { region: 'eu-west-1' },
    status: 400,
    code: 'AuthorizationHeaderMalformed',
    message: /expecting 'us-east-1'/,
  },
];

describe('S3 refuses a request when', () => {
  test.each(S3)('$name', async (one) => {
    const reply = await attempt(sandbox, one, UPLOAD, 's3');
    expect(reply).toMatchObject({ status: one.status, code: one.code });
    if (one.message) expect(reply.message).toMatch(one.message);
  });

  test('the session has expired, and sends the token back as AWS does', async () => {
    const { expired } = sandbox.credentials;
    const reply = await send(sandbox, await sign(sandbox, expired, UPLOAD, { service: 's3' }));
    expect(reply).toMatchObject({ status: 400, code: 'ExpiredToken' });
    expect(element(reply.body, 'Token-0')).toBe(expired.sessionToken);
  });
});

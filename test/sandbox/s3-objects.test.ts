import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { Credential } from '../../examples/sandbox/state.ts';
import { lease } from './leases.ts';
import { element, type RawReply, type RawRequest, send, sign } from './requests.ts';

let sandbox: Sandbox;
/** The role as it is: any S3 action. */
let wide: Credential;
beforeAll(async () => {
  sandbox = await startSandbox();
  wide = await lease(sandbox, null);
});
afterAll(() => sandbox.stop());

async function call(credential: Credential, request: Partial<RawRequest>): Promise<RawReply> {
  return send(sandbox, await sign(sandbox, credential, request, { service: 's3' }));
}
const put = (credential: Credential, path: string, more: Partial<RawRequest> = {}) =>
  call(credential, { method: 'PUT', path, body: 'hello', ...more });

describe('an object', () => {
  test('comes back as it was stored', async () => {
    const headers = { 'content-type': 'text/html', 'cache-control': 'no-store', 'x-amz-meta-build': '7' };
    const stored = await put(wide, '/acme-previews/page%20%C3%A9.html', { headers });
    const etag = `"${createHash('md5').update('hello').digest('hex')}"`;
    expect(stored.headers['etag']).toBe(etag);
    const reply = await call(wide, { method: 'GET', path: '/acme-previews/page%20%C3%A9.html' });
    expect(reply).toMatchObject({ status: 200, body: 'hello', headers: { ...headers, etag } });
    const head = await call(wide, { method: 'HEAD', path: '/acme-previews/page%20%C3%A9.html' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '5', etag } });
  });

  test('is gone after it was deleted, and deleting it again is no error', async () => {
    await put(wide, '/acme-previews/gone');
    for (const status of [204, 204]) {
      expect(await call(wide, { method: 'DELETE', path: '/acme-previews/gone' })).toMatchObject({ status });
    }
    const reply = await call(wide, { method: 'GET', path: '/acme-previews/gone' });
    expect(reply).toMatchObject({ status: 404, code: 'NoSuchKey' });
    const head = await call(wide, { method: 'HEAD', path: '/acme-previews/gone' });
    expect(head).toMatchObject({ status: 404, body: '' });
  });

  test('that does not exist is not told apart by one who may not list', async () => {
    const reader = await lease(sandbox, [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }]);
    const reply = await call(reader, { method: 'GET', path: '/acme-previews/none' });
    expect(reply).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(reply.message).toMatch(/perform: s3:ListBucket on resource: "arn:aws:s3:::acme-previews" because/);
  });

  test('a condition on it is honoured', async () => {
    await put(wide, '/acme-previews/once');
    const again = await put(wide, '/acme-previews/once', { headers: { 'if-none-match': '*' } });
    expect(again).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    const changed = await call(wide, {
      method: 'GET',
      path: '/acme-previews/once',
      headers: { 'if-match': '"x"' },
    });
    expect(changed).toMatchObject({ status: 412, code: 'PreconditionFailed' });
  });
});

const CRC32 = (() => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32('hello'));
  return bytes.toString('base64');
})();
const SHA256 = createHash('sha256').update('hello').digest('base64');

/** An upload in chunks with a trailer. */
function chunked(body: string, more: Record<string, string> = {}): Partial<RawRequest> {
  return {
    body,
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '5',
      'x-amz-trailer': 'x-amz-checksum-crc32',
      ...more,
    },
  };
}
const GOOD = `3\r\nhel\r\n2\r\nlo\r\n0\r\nx-amz-checksum-crc32:${CRC32}\r\n\r\n`;

describe('the body of an upload', () => {
  test.each<[string, Partial<RawRequest>]>([
    ['with a CRC32', { headers: { 'x-amz-checksum-crc32': CRC32 } }],
    ['with a SHA-256', { headers: { 'x-amz-checksum-sha256': SHA256 } }],
    ['with an MD5', { headers: { 'content-md5': createHash('md5').update('hello').digest('base64') } }],
    ['unsigned', { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }],
    ['in chunks', chunked(GOOD)],
    ['in chunks and gzip', chunked(GOOD, { 'content-encoding': 'gzip, aws-chunked' })],
  ])('is accepted %s', async (_, request) => {
    expect(await put(wide, '/acme-previews/body', request)).toMatchObject({ status: 200 });
    const stored = sandbox.objects().get('acme-previews/body');
    expect(stored?.body.toString()).toBe('hello');
    expect(stored?.headers['content-encoding'] ?? '').not.toContain('aws-chunked');
  });

  test.each<[string, Partial<RawRequest>, number, string]>([
    ['with a wrong CRC32', { headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }, 400, 'BadDigest'],
    ['with a wrong SHA-256', { headers: { 'x-amz-checksum-sha256': CRC32 } }, 400, 'BadDigest'],
    ['with a wrong MD5', { headers: { 'content-md5': SHA256 } }, 400, 'BadDigest'],
    [
      'with a promised checksum that is missing',
      { headers: { 'x-amz-sdk-checksum-algorithm': 'CRC32' } },
      400,
      'InvalidRequest',
    ],
    [
      'with a checksum that the sandbox does not know',
      { headers: { 'x-amz-checksum-crc64nvme': 'x' } },
      501,
      'NotImplemented',
    ],
    [
      'in chunks without the digest for them',
      chunked(GOOD, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }),
      400,
      'InvalidRequest',
    ],
    ['framed but not said to be', chunked(GOOD, { 'content-encoding': 'gzip' }), 400, 'InvalidRequest'],
    [
      'in chunks of another length',
      chunked(GOOD, { 'x-amz-decoded-content-length': '6' }),
      400,
      'IncompleteBody',
    ],
    ['in chunks that are cut off', chunked(GOOD.slice(0, 12)), 400, 'IncompleteBody'],
    ['in chunks with a wrong trailer', chunked(GOOD.replace(CRC32, 'AAAAAA==')), 400, 'BadDigest'],
    ['in chunks without the trailer', chunked('5\r\nhello\r\n0\r\n\r\n'), 400, 'MalformedTrailerError'],
  ])('is refused %s', async (_, request, status, code) => {
    expect(await put(wide, '/acme-previews/bad', request)).toMatchObject({ status, code });
    expect(sandbox.objects().has('acme-previews/bad')).toBe(false);
  });
});

describe('what the sandbox does not have is refused, never ignored', () => {
  test.each<[string, Partial<RawRequest>, number, string]>([
    [
      'an ACL',
      { method: 'PUT', path: '/acme-previews/x', headers: { 'x-amz-acl': 'public-read' } },
      501,
      'NotImplemented',
    ],
    [
      'encryption',
      { method: 'PUT', path: '/acme-previews/x', headers: { 'x-amz-server-side-encryption': 'AES256' } },
      501,
      'NotImplemented',
    ],
    [
      'a range',
      { method: 'GET', path: '/acme-previews/x', headers: { range: 'bytes=0-1' } },
      501,
      'NotImplemented',
    ],
    [
      'a sub-resource',
      { method: 'GET', path: '/acme-previews/x', query: { acl: '' } },
      501,
      'NotImplemented',
    ],
    [
      'a multipart upload',
      { method: 'POST', path: '/acme-previews/x', query: { uploads: '' } },
      501,
      'NotImplemented',
    ],
    ['making a bucket', { method: 'PUT', path: '/new-bucket' }, 501, 'NotImplemented'],
    ['listing buckets', { method: 'GET', path: '/' }, 501, 'NotImplemented'],
    ['an unknown bucket', { method: 'PUT', path: '/nowhere/x' }, 404, 'NoSuchBucket'],
    [
      'a key that is too long',
      { method: 'PUT', path: `/acme-previews/${'k'.repeat(1025)}` },
      400,
      'KeyTooLongError',
    ],
    [
      'a parameter of the language',
      { method: 'GET', path: '/acme-previews/x', query: { toString: '' } },
      501,
      'NotImplemented',
    ],
  ])('%s', async (_, request, status, code) => {
    expect(await call(wide, request)).toMatchObject({ status, code });
  });
});

describe('a listing', () => {
  const list = (query: Record<string, string>) =>
    call(wide, { method: 'GET', path: '/acme-production', query: { 'list-type': '2', ...query } });
  const keys = (reply: RawReply) => [...reply.body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key);
  const prefixes = (reply: RawReply) =>
    [...reply.body.matchAll(/<CommonPrefixes><Prefix>([^<]*)</g)].map(([, prefix]) => prefix);

  beforeAll(async () => {
    for (const key of ['b', 'a/1', 'a/2', 'a/b/3', 'z%20%3C']) await put(wide, `/acme-production/${key}`);
  });

  test('has all keys in order', async () => {
    expect(keys(await list({}))).toEqual(['a/1', 'a/2', 'a/b/3', 'b', 'z &#x3c;']);
  });

  test('can be encoded', async () => {
    expect(keys(await list({ prefix: 'z', 'encoding-type': 'url' }))).toEqual(['z%20%3C']);
  });

  test('folds what lies below a delimiter', async () => {
    const top = await list({ delimiter: '/' });
    expect([keys(top), prefixes(top)]).toEqual([['b', 'z &#x3c;'], ['a/']]);
    const below = await list({ delimiter: '/', prefix: 'a/' });
    expect([keys(below), prefixes(below)]).toEqual([['a/1', 'a/2'], ['a/b/']]);
  });

  test('comes in pages', async () => {
    const seen: (string | undefined)[] = [];
    let token: string | null = '';
    while (token !== null) {
      const reply: RawReply = await list({
        'max-keys': '2',
        ...(token ? { 'continuation-token': token } : {}),
      });
      seen.push(...keys(reply));
      token = element(reply.body, 'NextContinuationToken');
      expect(element(reply.body, 'IsTruncated')).toBe(String(token !== null));
    }
    expect(seen).toHaveLength(5);
  });

  test('refuses a count that is none', async () => {
    expect(await list({ 'max-keys': 'x' })).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });
});

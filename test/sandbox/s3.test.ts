import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { Credential } from '../../examples/sandbox/state.ts';
import { EXAMPLE_SCOPE, lease } from './leases.ts';
import { element, type RawReply, type RawRequest, send, sign } from './requests.ts';

let sandbox: Sandbox;
/** Narrowed to the example map's scope. */
let narrow: Credential;
beforeAll(async () => {
  sandbox = await startSandbox();
  narrow = await lease(sandbox, EXAMPLE_SCOPE);
});
afterAll(() => sandbox.stop());

async function call(credential: Credential, request: Partial<RawRequest>): Promise<RawReply> {
  return send(sandbox, await sign(sandbox, credential, request, { service: 's3' }));
}
const put = (credential: Credential, path: string, more: Partial<RawRequest> = {}) =>
  call(credential, { method: 'PUT', path, body: 'hello', ...more });

const SESSION = 'arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-1';

describe('a narrowed session', () => {
  test('may do what its policy says', async () => {
    expect(await put(narrow, '/acme-previews/feat-x/index.html')).toMatchObject({ status: 200 });
    expect(sandbox.objects().get('acme-previews/feat-x/index.html')?.body.toString()).toBe('hello');
  });

  test.each<[string, Partial<RawRequest>, string, string]>([
    ['another bucket', { method: 'PUT', path: '/acme-production/x' }, 's3:PutObject', 'acme-production/x'],
    ['reading', { method: 'GET', path: '/acme-previews/x' }, 's3:GetObject', 'acme-previews/x'],
    ['deleting', { method: 'DELETE', path: '/acme-previews/x' }, 's3:DeleteObject', 'acme-previews/x'],
    [
      'listing',
      { method: 'GET', path: '/acme-previews', query: { 'list-type': '2' } },
      's3:ListBucket',
      'acme-previews',
    ],
  ])('may not do what it does not: %s', async (_, request, action, resource) => {
    const reply = await call(narrow, request);
    expect(reply).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(reply.message).toBe(
      `User: ${SESSION} is not authorized to perform: ${action} on resource: "arn:aws:s3:::${resource}" because no session policy allows the ${action} action`,
    );
    expect(element(reply.body, 'RequestId')).toBe(reply.headers['x-amz-request-id']);
    expect(element(reply.body, 'HostId')).toBe(reply.headers['x-amz-id-2']);
  });

  test('a path that climbs stays in the bucket that it starts with', async () => {
    expect(await put(narrow, '/acme-previews/../acme-production/x')).toMatchObject({ status: 200 });
    expect([...sandbox.objects().keys()]).toContain('acme-previews/../acme-production/x');
    expect(sandbox.objects().has('acme-production/x')).toBe(false);
  });

  test('a deny that is put on the role later ends its permissions', async () => {
    const role = sandbox.state.roles.get('arn:aws:iam::123456789012:role/preview-deployer');
    if (role === undefined) throw new Error('no role');
    const before = role.policy;
    const condition = { StringEquals: { 'aws:userid': narrow.principal.userId } };
    role.policy = {
      ...before,
      Statement: [...before.Statement, { Effect: 'Deny', Action: '*', Resource: '*', Condition: condition }],
    };
    try {
      const reply = await put(narrow, '/acme-previews/x');
      expect(reply.message).toMatch(/with an explicit deny in an identity-based policy$/);
    } finally {
      role.policy = before;
    }
    expect((await put(narrow, '/acme-previews/x')).status).toBe(200);
  });
});

describe('a deadline inside the session policy', () => {
  const denyFrom = (date: Date) =>
    lease(sandbox, [
      ...EXAMPLE_SCOPE,
      {
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { DateGreaterThanEquals: { 'aws:CurrentTime': date.toISOString() } },
      },
    ]);

  test("ends it before the session does, by the server's clock", async () => {
    const session = await denyFrom(new Date(Date.now() + 300_000));
    expect((await put(session, '/acme-previews/in-time')).status).toBe(200);
    sandbox.clockOffset = 301;
    try {
      const late = await put(session, '/acme-previews/too-late');
      expect(late).toMatchObject({ status: 403, code: 'AccessDenied' });
      expect(late.message).toMatch(/with an explicit deny in a session policy$/);
    } finally {
      sandbox.clockOffset = 0;
    }
    expect(sandbox.objects().has('acme-previews/too-late')).toBe(false);
  });

  test('which is over already, allows nothing', async () => {
    const session = await denyFrom(new Date(Date.now() - 1000));
    expect(await put(session, '/acme-previews/x')).toMatchObject({ code: 'AccessDenied' });
  });

  test('and the session itself ends at its expiry', async () => {
    const session = await lease(sandbox, EXAMPLE_SCOPE);
    sandbox.clockOffset = 899;
    try {
      expect((await put(session, '/acme-previews/x')).status).toBe(200);
      sandbox.clockOffset = 901;
      expect(await put(session, '/acme-previews/x')).toMatchObject({ status: 400, code: 'ExpiredToken' });
    } finally {
      sandbox.clockOffset = 0;
    }
  });
});

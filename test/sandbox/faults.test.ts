import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PREVIEW_DEPLOYER } from '../../examples/sandbox/accounts.ts';
import type { Fault } from '../../examples/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { element, type RawReply, sts } from './requests.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.faults.clear());
afterAll(() => sandbox.stop());

const identity = () => sts(sandbox, sandbox.credentials.base, { Action: 'GetCallerIdentity' });
const assume = () =>
  sts(sandbox, sandbox.credentials.base, {
    Action: 'AssumeRole',
    RoleArn: PREVIEW_DEPLOYER,
    RoleSessionName: 'agent-1',
  });

describe('a fault in place of the answer', () => {
  test.each<[Fault, Partial<RawReply>]>([
    [
      { kind: 'error', status: 400, code: 'Throttling' },
      { status: 400, code: 'Throttling', message: 'A queued fault.' },
    ],
    [
      { kind: 'error', status: 503, code: 'ServiceUnavailable', message: 'later' },
      { status: 503, message: 'later' },
    ],
    [
      { kind: 'body', status: 200, body: '{}', headers: { 'content-type': 'application/json' } },
      { status: 200, body: '{}' },
    ],
    [{ kind: 'html' }, { status: 503, code: null, body: expect.stringContaining('<html>') as never }],
    [
      { kind: 'huge', bytes: 3_000_000 },
      { status: 200, body: 'x'.repeat(3_000_000) },
    ],
    [
      { kind: 'redirect', to: 'http://127.0.0.1:9/' },
      { status: 307, headers: expect.objectContaining({ location: 'http://127.0.0.1:9/' }) as never },
    ],
  ])('%o', async (fault, expected) => {
    sandbox.faults.push(fault);
    const before = sandbox.issuedSessions.length;
    expect(await assume()).toMatchObject(expected);
    expect(sandbox.issuedSessions).toHaveLength(before);
    expect(sandbox.requests.at(-1)).toMatchObject({ action: 'AssumeRole', fault: fault.kind });
  });
});

describe('a fault in the connection', () => {
  test.each<[Fault, number]>([
    [{ kind: 'reset', when: 'before' }, 0],
    [{ kind: 'reset', when: 'after-effect' }, 1],
    [{ kind: 'truncated' }, 1],
  ])('%o', async (fault, sessions) => {
    sandbox.faults.push(fault);
    const before = sandbox.issuedSessions.length;
    await expect(assume()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.issuedSessions).toHaveLength(before + sessions);
  });

  test('a hanging answer ends with the sandbox', async () => {
    const other = await startSandbox();
    other.faults.push({ kind: 'hang' });
    const pending = sts(other, other.credentials.base, { Action: 'GetCallerIdentity' });
    const outcome = expect(pending).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => other.requests.length).toBe(1);
    await other.stop();
    await outcome;
  });

  test('a slow answer comes, unless the sandbox ends first', async () => {
    sandbox.faults.push({ kind: 'slow', delayMs: 60 });
    const start = performance.now();
    expect((await identity()).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(55);

    const other = await startSandbox();
    other.faults.push({ kind: 'slow', delayMs: 3_600_000 });
    const pending = sts(other, other.credentials.base, { Action: 'GetCallerIdentity' });
    const outcome = expect(pending).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => other.requests.length).toBe(1);
    await other.stop();
    await outcome;
  });
});

describe('a fault in what the answer says', () => {
  const EARLIER = '2020-01-01T00:00:00Z';
  test.each<[string, string | null]>([
    ['Expiration', EARLIER],
    ['Expiration', null],
    ['AccessKeyId', 'AKIAEXAMPLEEXAMPLE00'],
    ['Arn', 'arn:aws:sts::999999999999:assumed-role/other/agent-1'],
    ['SessionToken', null],
  ])('%s becomes %s', async (name, text) => {
    sandbox.faults.push({ kind: 'rewrite', elements: { [name]: text } });
    const reply = await assume();
    expect(reply.status).toBe(200);
    expect(element(reply.body, name)).toBe(text);
    expect(element((await assume()).body, name)).not.toBe(text);
  });

  test.each([null, 'Thu, 01 Jan 1970 00:00:00 GMT'])('the Date is %s', async (date) => {
    sandbox.faults.push({ kind: 'date', date });
    expect((await identity()).headers['date'] ?? null).toBe(date);
  });
});

describe('the queue', () => {
  const fault: Fault = { kind: 'error', status: 500, code: 'InternalFailure' };

  test('meets the calls that were named, as often as was said', async () => {
    sandbox.faults.push({ ...fault, service: 'sts', action: 'AssumeRole', times: 2 });
    const codes = [];
    for (const call of [identity, assume, identity, assume, assume]) codes.push((await call()).code);
    expect(codes).toEqual([null, 'InternalFailure', null, 'InternalFailure', null]);
    expect(sandbox.faults.size).toBe(0);
  });

  test('repeats one without an end until it is cleared', async () => {
    sandbox.faults.push({ ...fault, times: Number.POSITIVE_INFINITY });
    for (let call = 0; call < 5; call += 1) expect((await identity()).status).toBe(500);
    sandbox.faults.clear();
    expect((await identity()).status).toBe(200);
  });

  test('takes them in the order pushed', async () => {
    sandbox.faults.push({ ...fault, code: 'First' }, { ...fault, code: 'Second' });
    expect([(await identity()).code, (await identity()).code]).toEqual(['First', 'Second']);
  });
});

test('a client that retries gets through a fault', async () => {
  sandbox.faults.push({ kind: 'error', status: 500, code: 'InternalFailure' });
  const { accessKeyId, secretAccessKey } = sandbox.credentials.longLived;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new STSClient({ region: 'us-east-1', endpoint: sandbox.url, maxAttempts: 2, credentials });
  expect((await client.send(new GetCallerIdentityCommand({}))).$metadata.attempts).toBe(2);
});

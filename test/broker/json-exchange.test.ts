/** Calls of a provider's JSON API: what counts as an answer, what is said of the rest, and what may be asked again. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertEndpoint } from '../../src/broker/endpoint.ts';
import { ExchangeError, maybeIssued, statusError } from '../../src/broker/exchange-error.ts';
import { errorWords, registerSecrets, valueAt } from '../../src/broker/json-body.ts';
import { callJson, type JsonAnswer, type JsonCall } from '../../src/broker/json-exchange.ts';
import { retryAfter, withRetry } from '../../src/broker/retry.ts';
import { CapwrapError } from '../../src/errors.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { selfSigned } from '../helpers/certificate.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import type { Call, Reply } from '../issuers/call.ts';
import { reply } from '../issuers/call.ts';
import type { TransportFault } from '../issuers/faults.ts';
import { whileTimeFlies } from '../issuers/flying-time.ts';
import { type IssuerOptions, startIssuer, type TestIssuer } from '../issuers/kit.ts';

async function serve(
  handle: (call: Call) => Reply,
  options: Partial<IssuerOptions> = {},
): Promise<TestIssuer> {
  const route = (method: string) => ({ name: 'api', method, path: /\/.*/, handle });
  const server = await startIssuer({
    routes: () => ['GET', 'POST', 'PUT', 'DELETE'].map(route),
    ...options,
  });
  afterTest(() => server.stop());
  return server;
}

function ask(server: TestIssuer, changes: Partial<JsonCall> = {}) {
  const context = brokerContext();
  const url = new URL('/v1/thing?key=query-must-not-be-shown', server.url);
  return callJson({ url, method: 'GET', context, endpointKey: 'address', ...changes });
}

const answerOf = (text: string, status = 200) => serve(() => ({ status, text }));

test('an answer is a JSON object or nothing, whatever its status', async () => {
  const server = await serve((call) => reply(call.path === '/v1/thing' ? 404 : 204, { errors: [] }));
  server.clockOffset = -300;
  const answer = await ask(server);
  expect(answer).toMatchObject({ status: 404, body: { errors: [] }, who: server.host });
  expect(Math.round((Date.now() - Number(answer.date)) / 10_000)).toBe(30);
  expect(answer.skew).toBeGreaterThan(297);
  const nothing = await serve(() => ({ status: 204 }));
  expect((await ask(nothing, { method: 'DELETE' })).body).toBeNull();
});

test('an answer that need not be JSON counts by its status, and is read where it is', async () => {
  for (const [text, body] of [
    ['<html>', null],
    ['{"error":"x"}', { error: 'x' }],
    ['', null],
  ] as const) {
    const server = await answerOf(text, 400);
    expect(await ask(server, { answer: 'if_json' })).toMatchObject({ status: 400, body });
    expect(await ask(server, { answer: 'ignored' })).toMatchObject({ status: 400, body: null });
  }
});

test('a form and JSON go as what they are, with no more headers than needed', async () => {
  const server = await serve((call) => reply(200, { seen: call.headers['content-type'] ?? null }));
  const json = await ask(server, { method: 'PUT', json: { a: [1] }, headers: { 'x-vault-token': 't' } });
  const pairs = [
    ['audience', 'a&b'],
    ['audience', 'c d'],
  ] as const;
  await ask(server, { method: 'POST', form: pairs });
  await ask(server);
  expect(json.body).toEqual({ seen: 'application/json' });
  expect(server.requests.map(({ body }) => body)).toEqual(['{"a":[1]}', 'audience=a%26b&audience=c+d', '']);
  expect(server.requests[0]?.headers).toMatchObject({ 'x-vault-token': 't', accept: 'application/json' });
  expect(server.requests[2]?.headers['user-agent']).toMatch(/^capwrap\//);
  expect(server.requests[2]?.headers['content-type']).toBeUndefined();
});

test.each<[string, string, number, string, RegExp]>([
  [
    'a page',
    '<html>hotel-network</html>',
    200,
    'INVALID_RESPONSE',
    /answered 200 with something that is not/,
  ],
  ['a list', '["hotel-network"]', 200, 'INVALID_RESPONSE', /not a JSON object/],
  ['a text', '"hotel-network"', 200, 'INVALID_RESPONSE', /not a JSON object/],
  ['half an object', '{"token":"hotel-network', 200, 'INVALID_RESPONSE', /not a JSON object/],
  ['a page that was not found', 'hotel-network', 404, 'INVALID_RESPONSE', /answered 404 with something/],
  ['a page that refuses', 'hotel-network', 403, 'REFUSED', /answered 403$/],
  ['a gateway', 'hotel-network', 502, 'UNAVAILABLE', /answered 502$/],
  ['a gateway that limits', 'hotel-network', 429, 'UNAVAILABLE', /is throttling: it answered 429$/],
])('%s is no answer', async (_name, text, status, code, message) => {
  const server = await answerOf(text, status);
  const error = await errorOf(() => ask(server));
  expect(error).toMatchObject({ code: `ERR_PROVIDER_${code}`, message: expect.stringMatching(message) });
  expect(error.message.startsWith(`"${server.host}" `)).toBe(true);
  expectNowhere(['hotel-network', 'query-must-not-be-shown'], { texts: [inspect(error, { depth: 9 })] });
});

test('where the status is all that counts, any body will do, but no redirect', async () => {
  const server = await answerOf('whatever <>', 200);
  expect(await ask(server, { answer: 'ignored' })).toMatchObject({ status: 200, body: null });
  server.fault({ route: 'api', fault: 'redirect' });
  const error = await errorOf(() => ask(server, { answer: 'ignored' }));
  expect(error).toMatchObject({ code: 'ERR_PROVIDER_INVALID_RESPONSE', effect: 'unknown', status: 307 });
  expect(server.elsewhere).toEqual([]);
});

test.each<[TransportFault, string, 'none' | 'unknown']>([
  ['huge', 'ERR_PROVIDER_INVALID_RESPONSE', 'unknown'],
  ['truncated', 'ERR_PROVIDER_UNAVAILABLE', 'unknown'],
  ['reset_after_effect', 'ERR_PROVIDER_UNAVAILABLE', 'unknown'],
  ['hang', 'ERR_PROVIDER_TIMEOUT', 'unknown'],
])('%s: the request may have had its effect', async (fault, code, effect) => {
  const server = await serve(() => reply(200, {}));
  server.fault({ route: 'api', fault });
  const error = await errorOf(() => ask(server, { timeoutMs: 500 }));
  expect(error).toMatchObject({ code, effect, retryable: false });
  expect(server.requests.length).toBe(1);
});

test('a header that can not be sent is no reason to show it', async () => {
  const server = await serve(() => reply(200, {}));
  const error = await errorOf(() => ask(server, { headers: { authorization: 'Bearer top-secret\ntoken' } }));
  expect(error).toMatchObject({ code: 'ERR_PROVIDER_REFUSED', effect: 'none' });
  expectNowhere(['top-secret'], { texts: [inspect(error, { depth: 9 })] });
});

test('a client shows its certificate where it is given one', async () => {
  const [own, client] = [selfSigned(), selfSigned()];
  const tls = { ...own, requestCert: true, rejectUnauthorized: true, ca: client.cert };
  const server = await serve((call) => reply(200, { port: call.request.socket.remotePort }), { tls });
  const identity = { cert: client.cert, key: client.key };
  expect((await ask(server, { ca: own.cert, identity })).status).toBe(200);
  await expect(ask(server, { ca: own.cert })).rejects.toBeInstanceOf(ExchangeError);
});

test.each<[string, RegExp | null]>([
  ['https://vault.example:8200/v1', null],
  ['http://127.0.0.1:8200', null],
  ['http://[::1]:8200', null],
  ['http://vault.example', /^"address" is not https$/],
  ['http://127.0.0.1.example.com', /is not https/],
  ['ftp://127.0.0.1', /is not https/],
  ['https://user@vault.example', /holds a user name or password/],
  ['https://:top-secret@vault.example', /holds a user name or password/],
  ['https://vault.example/#x', /has a fragment/],
])('%s as an address', async (text, fault) => {
  const check = () => assertEndpoint(new URL(text), 'address');
  if (fault === null) return check();
  const error = await errorOf(check);
  expect(error).toMatchObject({ code: 'ERR_MAP_INVALID', message: expect.stringMatching(fault) });
  expectNowhere(['top-secret'], { texts: [inspect(error)] });
  const found = await errorOf(() => assertEndpoint(new URL(text), null));
  expect(found.code).toBe('ERR_PROVIDER_INVALID_RESPONSE');
});

describe('secrets', () => {
  test('are known to the masker before the answer is looked at, wherever they are', async () => {
    const body = {
      auth: { client_token: 'hvs.secret-1' },
      data: { user: 'secret-2', pass: 'secret-3\n' },
      n: 1,
    };
    const server = await serve(() => reply(400, body));
    const context = brokerContext();
    const secrets = {
      vault_token: ['auth', 'client_token'],
      data: ['data', '*'],
      none: ['n', 'x'],
      number: ['n'],
    };
    await ask(server, { context, secrets });
    expect(context.registered).toEqual([
      { name: 'vault_token', value: 'hvs.secret-1' },
      { name: 'user', value: 'secret-2' },
      { name: 'pass', value: 'secret-3' },
      { name: 'pass', value: 'secret-3\n' },
    ]);
  });

  test('no body makes it throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.constantFrom('a', '*', '__proto__', 'b')), (body, path) => {
        registerSecrets(body, { x: path }, brokerContext());
        valueAt(body, ...path);
        errorWords(body, ['a', 'no such'], path);
      }),
      { numRuns: 300 },
    );
  });
});

test.each<[unknown, readonly string[], readonly string[] | undefined, string | null]>([
  [{ error: 'invalid_grant' }, ['invalid_request', 'invalid_grant'], undefined, 'invalid_grant'],
  [{ error: 'invalid_grant; token=abc' }, ['invalid_grant'], undefined, null],
  [
    { error: { status: 'PERMISSION_DENIED' } },
    ['PERMISSION_DENIED'],
    ['error', 'status'],
    'PERMISSION_DENIED',
  ],
  [{ errors: ['1 error: permission denied\n'] }, ['permission denied'], ['errors'], 'permission denied'],
  [{ errors: [] }, ['permission denied'], ['errors'], null],
  [null, ['invalid_grant'], undefined, null],
])('of %j only known words are said', (body, known, path, word) => {
  expect(errorWords(body, known, path)).toBe(word);
});

test('a status that was not hoped for, in words', () => {
  const say = (status: number, said: string | null = null) => statusError({ status, who: 'host' }, said);
  expect(say(403, 'permission denied')).toMatchObject({
    code: 'ERR_PROVIDER_REFUSED',
    message: '"host" refused with 403 (permission denied)',
    effect: 'none',
  });
  expect(say(503)).toMatchObject({ code: 'ERR_PROVIDER_UNAVAILABLE', effect: 'unknown', retryable: false });
  expect(say(429)).toMatchObject({ code: 'ERR_PROVIDER_UNAVAILABLE', effect: 'none', retryable: true });
});

test('what may have been issued unseen is said, with its end', () => {
  const until = new Date('2026-01-01T00:00:00Z');
  const unseen = maybeIssued(statusError({ status: 500, who: 'host' }), 'a token', until);
  expect(unseen).toMatchObject({
    message:
      '"host" answered 500; a token may have been issued unseen and would expire by 2026-01-01T00:00:00.000Z',
    issuedUntil: until,
  });
  const refused = statusError({ status: 403, who: 'host' });
  expect(maybeIssued(refused, 'a token', until)).toBe(refused);
  const other = new CapwrapError('ERR_INTERNAL', 'x');
  expect(maybeIssued(other, 'a token', until)).toBe(other);
});

describe('asking again', () => {
  const answer = (status: number, headers: Record<string, string> = {}): Reply => reply(status, {}, headers);
  const rows: [string, readonly Reply[], number, number][] = [
    ['a limit', [answer(429), answer(200)], 200, 2],
    ['a limit with a time', [answer(429, { 'retry-after': '2' }), answer(200)], 200, 2],
    ['a limit for too long', [answer(429, { 'retry-after': '60' }), answer(200)], 429, 1],
    ['a sealed server', [answer(503), answer(503), answer(200)], 200, 3],
    ['a server that has not heard yet', [answer(412), answer(200)], 200, 2],
    ['a limit that stays', [answer(429), answer(429), answer(429), answer(200)], 429, 3],
    ['a failure', [answer(500), answer(200)], 500, 1],
    ['a bad gateway', [answer(502), answer(200)], 502, 1],
    ['a refusal', [answer(403), answer(200)], 403, 1],
    ['an empty 503, which any gateway may send', [{ status: 503 }, answer(200)], 503, 1],
  ];
  test.each(rows)('%s', async (_name, replies, status, requests) => {
    let at = 0;
    const server = await serve(() => replies[at++] ?? answer(500));
    const { end } = await whileTimeFlies(
      () => withRetry(() => ask(server), brokerContext()),
      () => 0,
    );
    expect(end).toMatchObject({ status: 'fulfilled', value: { status } });
    expect(server.requests.length).toBe(requests);
  });

  test('a page of a gateway, or a connection that was cut, is not asked for again', async () => {
    const server = await serve(() => reply(200, {}));
    for (const fault of ['reset_after_effect', 'truncated', 'html'] as const) {
      server.fault({ route: 'api', fault });
      await errorOf(() => withRetry(() => ask(server), brokerContext()));
    }
    expect(server.requests.length).toBe(3);
  });

  test('nobody listens: asked three times', async () => {
    const server = await startIssuer({ routes: () => [] });
    await server.stop();
    let calls = 0;
    const call = () => {
      calls += 1;
      return ask(server);
    };
    const error = await errorOf(() => withRetry(call, brokerContext(), { waitMs: 2_000 }));
    expect(error).toMatchObject({ code: 'ERR_PROVIDER_UNAVAILABLE', effect: 'none' });
    expect(calls).toBe(3);
  });

  test('an interruption ends the waiting', async () => {
    const controller = new AbortController();
    const server = await serve(() => reply(429, {}, { 'retry-after': '5' }));
    const context = brokerContext({}, { signal: controller.signal });
    const running = withRetry(
      async () => {
        const answer = await ask(server);
        setImmediate(() => controller.abort());
        return answer;
      },
      { signal: controller.signal },
    );
    const started = performance.now();
    await running;
    expect(performance.now() - started).toBeLessThan(4_900);
    expect(context.signal.aborted).toBe(true);
  });

  const at = new Date('2026-01-01T00:00:00Z');
  test.each<[string | undefined, Date | null, number | null]>([
    ['0', at, 0],
    ['120', at, 120],
    ['Thu, 01 Jan 2026 00:00:30 GMT', at, 30],
    ['Wed, 31 Dec 2025 00:00:00 GMT', at, 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', null, 20],
    ['soon', at, null],
    [undefined, at, null],
  ])('Retry-After: %s', (text, date, seconds) => {
    const headers: Record<string, string> = text === undefined ? {} : { 'retry-after': text };
    const answer = { headers, date, receivedAt: new Date(at.getTime() + 10_000) } as unknown as JsonAnswer;
    expect(retryAfter(answer)).toBe(seconds);
  });
});

/** Source `github-actions`: what GitHub's token service is asked, and what becomes of its answers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Source } from '../../src/policy/capability.ts';
import { brokerContext, errorOf, type TestIssuer, testIssuer } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';

let issuer: TestIssuer;
let token: string;
beforeAll(async () => {
  issuer = await testIssuer();
  token = await issuer.sign();
});

const REQUEST_TOKEN = 'request-token-0123456789';
const source: Source = { type: 'github-actions', audience: null };
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** GitHub's token service: what it was asked, and what it answers. */
async function service(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: { readonly url: string; readonly headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', headers: request.headers });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  const env = {
    GITHUB_ACTIONS: 'true',
    ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token/abc?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
  };
  return { asked, env };
}

test('asks for the audience of AWS, beside the query that is there', async () => {
  const { asked, env } = await service((_, response) =>
    response.end(JSON.stringify({ count: 1, value: token })),
  );
  const context = brokerContext(env);
  expect(await readSource(source, context)).toMatchObject({
    kind: 'token',
    token,
    label: 'github-actions',
  });
  expect(asked.map(({ url }) => url)).toEqual(['/token/abc?api-version=2.0&audience=sts.amazonaws.com']);
  expect(asked[0]?.headers).toMatchObject({
    authorization: `Bearer ${REQUEST_TOKEN}`,
    accept: 'application/json',
  });
  expect(context.registered).toEqual([
    { name: 'actions_id_token_request_token', value: REQUEST_TOKEN },
    { name: 'source_token', value: token },
  ]);
});

test('asks for the audience that the map names', async () => {
  const custom = await issuer.sign({ aud: 'https://x.example/?a=b&c' });
  const { asked, env } = await service((_, response) => response.end(JSON.stringify({ value: custom })));
  await readSource({ type: 'github-actions', audience: 'https://x.example/?a=b&c' }, brokerContext(env));
  expect(new URL(asked[0]?.url ?? '', 'http://x').searchParams.get('audience')).toBe(
    'https://x.example/?a=b&c',
  );
});

const answers: readonly {
  name: string;
  answer: (response: ServerResponse) => void;
  message: RegExp;
  code?: ErrorCode;
}[] = [
  {
    name: 'a refusal',
    answer: (response) => response.writeHead(403).end('secret reason'),
    message: /^source "github-actions" got no token: "127\.0\.0\.1:\d+" answered 403$/,
  },
  { name: 'a failure', answer: (response) => response.writeHead(500).end(), message: /answered 500$/ },
  {
    name: 'a redirect, which is not followed',
    answer: (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    message: /answered 302$/,
  },
  { name: 'a page', answer: (response) => response.end('<html>'), message: /holds none$/ },
  {
    name: 'an answer without the token',
    answer: (response) => response.end('{"count":0}'),
    message: /holds none$/,
  },
  { name: 'null', answer: (response) => response.end('null'), message: /holds none$/ },
  {
    name: 'a closed connection',
    answer: (response) => response.destroy(),
    message: /closed the connection before its answer was complete$/,
  },
  {
    name: 'too much',
    answer: (response) => response.end('x'.repeat(2 * 1024 * 1024)),
    message: /sent an answer of more than 1 MiB$/,
  },
  {
    name: 'another audience',
    answer: (response) =>
      void issuer.sign({ aud: 'other' }).then((value) => response.end(JSON.stringify({ value }))),
    message: /is for audience "other", not "sts\.amazonaws\.com"$/,
    code: 'ERR_SOURCE_INVALID',
  },
];
test.each(answers)('gets $name', async ({ answer, message, code = 'ERR_SOURCE_UNAVAILABLE' }) => {
  const { asked, env } = await service((_, response) => answer(response));
  const error = await errorOf(() => readSource(source, brokerContext(env)));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(asked.length).toBe(1);
  expectNowhere([REQUEST_TOKEN, 'secret reason'], {
    texts: [error.message, error.hint ?? '', String(error.stack), String(error.cause)],
  });
});

const places: readonly { name: string; env: Record<string, string>; message: RegExp; hint?: string }[] = [
  { name: 'outside a job', env: {}, message: /needs a GitHub Actions job, and this is none$/ },
  {
    name: 'without the permission',
    env: { GITHUB_ACTIONS: 'true' },
    message: /may not request a token in this job$/,
    hint: 'add to the job: permissions: {id-token: write, contents: read}',
  },
  {
    name: 'in clear to another machine',
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: 'http://10.0.0.1/',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    },
    message: /request address that is not https$/,
  },
  {
    name: 'at no address',
    env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'nonsense', ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN },
    message: /request address that is not https$/,
  },
  {
    name: 'with a broken request token',
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://127.0.0.1:1/',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'a\r\nb: c',
    },
    message: /request token of an impossible form$/,
  },
];
test.each(places)('asks nothing $name', async ({ env, message, hint }) => {
  const error = await errorOf(() => readSource(source, brokerContext(env)));
  expect(error.code).toBe('ERR_SOURCE_UNAVAILABLE');
  expect(error.message).toMatch(message);
  if (hint) expect(error.hint).toBe(hint);
});

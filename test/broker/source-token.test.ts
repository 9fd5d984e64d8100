/** Sources that hold tokens: files, variables, and GitHub's token service. */
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Source } from '../../src/policy/capability.ts';
import { brokerContext, errorOf, type TestIssuer, testIssuer, tokenFile } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';

let issuer: TestIssuer;
let token: string;
beforeAll(async () => {
  issuer = await testIssuer();
  token = await issuer.sign();
});

const variable: Source = { type: 'token-env', variable: 'OIDC', audience: null };
const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token', () => {
  test.each(['', '\n', '\r\n'])('is taken with %j after it', async (end) => {
    const context = brokerContext({ OIDC: token + end });
    expect(await readSource(variable, context)).toEqual({
      kind: 'token',
      token,
      claims: {
        issuer: 'https://token.actions.githubusercontent.com',
        subject: 'repo:acme/web-app:ref:refs/heads/main',
        audience: ['sts.amazonaws.com'],
      },
      label: 'token-env:OIDC',
    });
    expect(context.registered).toEqual([{ name: 'source_token', value: token }]);
  });

  const cases: readonly { name: string; make: () => string | Promise<string>; code: ErrorCode; message: string | RegExp }[] = [
    { name: 'nothing', make: () => '\n', code: 'ERR_SOURCE_UNAVAILABLE', message: 'token of source "token-env:OIDC" is empty' },
    { name: 'a word', make: () => 'ghp_0123456789abcdef', code: 'ERR_SOURCE_INVALID', message: 'token of source "token-env:OIDC" is not a signed JSON web token' },
    { name: 'a header value', make: () => `Bearer ${token}`, code: 'ERR_SOURCE_INVALID', message: /is not a signed JSON web token$/ },
    { name: 'two lines', make: () => `${token}\n\n`, code: 'ERR_SOURCE_INVALID', message: /is not a signed JSON web token$/ },
    { name: 'no signature', make: () => `${encode({ alg: 'none' })}.${encode({ iss: 'x' })}.`, code: 'ERR_SOURCE_INVALID', message: /is not a signed JSON web token$/ },
    { name: 'a payload that is no object', make: () => `${encode({ alg: 'x' })}.${encode([1])}.abc`, code: 'ERR_SOURCE_INVALID', message: /is not a signed JSON web token$/ },
    { name: 'more than STS takes', make: () => `${token}${'x'.repeat(20_001)}`, code: 'ERR_SOURCE_INVALID', message: /is \d{5} characters long; 20000 is the limit$/ },
    { name: 'no expiry', make: () => issuer.sign({ exp: undefined }), code: 'ERR_SOURCE_INVALID', message: /has no expiry \("exp" claim\)$/ },
    { name: 'an expiry in the past', make: () => issuer.sign({ exp: now() - 300 }), code: 'ERR_SOURCE_INVALID', message: /expired 30\d s ago$/ },
    { name: 'a start in the future', make: () => issuer.sign({ nbf: now() + 600 }), code: 'ERR_SOURCE_INVALID', message: /is valid only in (?:599|600) s$/ },
    { name: 'no subject', make: () => issuer.sign({ sub: '' }), code: 'ERR_SOURCE_INVALID', message: /has no usable "sub" claim$/ },
    { name: 'no issuer', make: () => `${encode({ alg: 'x' })}.${encode({ sub: 'x', aud: 'y', exp: now() + 60 })}.abc`, code: 'ERR_SOURCE_INVALID', message: /has no usable "iss" claim$/ },
    { name: 'an audience that is a number', make: () => issuer.sign({ aud: [1] }), code: 'ERR_SOURCE_INVALID', message: /has no usable "aud" claim$/ },
  ];
  test.each(cases)('with $name is refused', async ({ make, code, message }) => {
    const text = await make();
    const error = await errorOf(() => readSource(variable, brokerContext({ OIDC: text })));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    if (text.trim().length > 20) expectNowhere([text.trim()], { texts: [error.message, error.hint ?? '', String(error.stack)] });
  });

  test('a little over is left to the issuer, whose clock counts', async () => {
    const late = await issuer.sign({ exp: now() - 30 });
    expect(await readSource(variable, brokerContext({ OIDC: late }))).toMatchObject({ token: late });
  });

  test('must be for the audience that the map names', async () => {
    const many = await issuer.sign({ aud: ['a', 'sts.amazonaws.com'] });
    const named: Source = { ...variable, audience: 'sts.amazonaws.com' };
    expect(await readSource(named, brokerContext({ OIDC: many }))).toMatchObject({ token: many });
    const error = await errorOf(() => readSource({ ...variable, audience: 'other' }, brokerContext({ OIDC: many })));
    expect(error).toMatchObject({
      code: 'ERR_SOURCE_INVALID',
      message: 'token of source "token-env:OIDC" is for audience "a, sts.amazonaws.com", not "other"',
    });
  });

  test('in no variable at all', async () => {
    expect(await errorOf(() => readSource(variable, brokerContext({})))).toMatchObject({
      code: 'ERR_SOURCE_UNAVAILABLE',
      message: 'variable "OIDC" is not set',
    });
  });
});

describe('a token file', () => {
  test('is read anew each time', async () => {
    const source = tokenFile(tempDir(), token);
    await readSource(source, brokerContext());
    const rotated = await issuer.sign({ jti: '2' });
    writeFileSync(source.path, rotated);
    expect(await readSource(source, brokerContext())).toMatchObject({ token: rotated });
  });

  test('that is missing', async () => {
    const source: Source = { type: 'token-file', path: join(tempDir(), 'none'), audience: null };
    expect(await errorOf(() => readSource(source, brokerContext()))).toMatchObject({
      code: 'ERR_SOURCE_UNAVAILABLE',
      message: `"${source.path}" does not exist`,
    });
  });

  test.each([0o644, 0o640, 0o604, 0o620])('that others can use (%o) is refused', async (mode) => {
    const source = tokenFile(tempDir(), token);
    chmodSync(source.path, mode);
    expect(await errorOf(() => readSource(source, brokerContext()))).toMatchObject({
      code: 'ERR_SOURCE_INVALID',
      message: expect.stringMatching(/holds a secret and can be (?:read|changed) by others$/),
      hint: `chmod 600 ${source.path}`,
    });
  });

  test('in a volume that the kubelet projects may be readable where root owns it', async () => {
    const volume = tempDir();
    const written = join(volume, '..2026_11_23_12_00_00.123456789');
    mkdirSync(written);
    writeFileSync(join(written, 'token'), token, { mode: 0o644 });
    chmodSync(join(written, 'token'), 0o644);
    symlinkSync('..2026_11_23_12_00_00.123456789', join(volume, '..data'));
    symlinkSync('..data/token', join(volume, 'token'));
    const source: Source = { type: 'web-identity-file', path: join(volume, 'token'), audience: null };
    if (process.getuid?.() === 0) {
      expect(await readSource(source, brokerContext())).toMatchObject({ token });
      chownSync(join(written, 'token'), 65_534, 65_534);
    }
    // Not root's own: then the mode is what counts.
    expect(await errorOf(() => readSource(source, brokerContext()))).toMatchObject({ code: 'ERR_SOURCE_INVALID' });
  });
});

describe('github-actions', () => {
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
    const { asked, env } = await service((_, response) => response.end(JSON.stringify({ count: 1, value: token })));
    const context = brokerContext(env);
    expect(await readSource(source, context)).toMatchObject({ kind: 'token', token, label: 'github-actions' });
    expect(asked.map(({ url }) => url)).toEqual(['/token/abc?api-version=2.0&audience=sts.amazonaws.com']);
    expect(asked[0]?.headers).toMatchObject({ authorization: `Bearer ${REQUEST_TOKEN}`, accept: 'application/json' });
    expect(context.registered).toEqual([
      { name: 'actions_id_token_request_token', value: REQUEST_TOKEN },
      { name: 'source_token', value: token },
    ]);
  });

  test('asks for the audience that the map names', async () => {
    const custom = await issuer.sign({ aud: 'https://x.example/?a=b&c' });
    const { asked, env } = await service((_, response) => response.end(JSON.stringify({ value: custom })));
    await readSource({ type: 'github-actions', audience: 'https://x.example/?a=b&c' }, brokerContext(env));
    expect(new URL(asked[0]?.url ?? '', 'http://x').searchParams.get('audience')).toBe('https://x.example/?a=b&c');
  });

  const answers: readonly { name: string; answer: (response: ServerResponse) => void; message: RegExp; code?: ErrorCode }[] = [
    { name: 'a refusal', answer: (response) => response.writeHead(403).end('secret reason'), message: /^source "github-actions" got no token: "127\.0\.0\.1:\d+" answered 403$/ },
    { name: 'a failure', answer: (response) => response.writeHead(500).end(), message: /answered 500$/ },
    { name: 'a redirect, which is not followed', answer: (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), message: /answered 302$/ },
    { name: 'a page', answer: (response) => response.end('<html>'), message: /holds none$/ },
    { name: 'an answer without the token', answer: (response) => response.end('{"count":0}'), message: /holds none$/ },
    { name: 'null', answer: (response) => response.end('null'), message: /holds none$/ },
    { name: 'a closed connection', answer: (response) => response.destroy(), message: /closed the connection before its answer was complete$/ },
    { name: 'too much', answer: (response) => response.end('x'.repeat(2 * 1024 * 1024)), message: /sent an answer of more than 1 MiB$/ },
    { name: 'another audience', answer: (response) => void issuer.sign({ aud: 'other' }).then((value) => response.end(JSON.stringify({ value }))), message: /is for audience "other", not "sts\.amazonaws\.com"$/, code: 'ERR_SOURCE_INVALID' },
  ];
  test.each(answers)('gets $name', async ({ answer, message, code = 'ERR_SOURCE_UNAVAILABLE' }) => {
    const { asked, env } = await service((_, response) => answer(response));
    const error = await errorOf(() => readSource(source, brokerContext(env)));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(asked.length).toBe(1);
    expectNowhere([REQUEST_TOKEN, 'secret reason'], { texts: [error.message, error.hint ?? '', String(error.stack), String(error.cause)] });
  });

  const places: readonly { name: string; env: Record<string, string>; message: RegExp; hint?: string }[] = [
    { name: 'outside a job', env: {}, message: /needs a GitHub Actions job, and this is none$/ },
    {
      name: 'without the permission',
      env: { GITHUB_ACTIONS: 'true' },
      message: /may not request a token in this job$/,
      hint: 'add to the job: permissions: {id-token: write, contents: read}',
    },
    { name: 'in clear to another machine', env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://10.0.0.1/', ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN }, message: /request address that is not https$/ },
    { name: 'at no address', env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'nonsense', ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN }, message: /request address that is not https$/ },
    { name: 'with a broken request token', env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://127.0.0.1:1/', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'a\r\nb: c' }, message: /request token of an impossible form$/ },
  ];
  test.each(places)('asks nothing $name', async ({ env, message, hint }) => {
    const error = await errorOf(() => readSource(source, brokerContext(env)));
    expect(error.code).toBe('ERR_SOURCE_UNAVAILABLE');
    expect(error.message).toMatch(message);
    if (hint) expect(error.hint).toBe(hint);
  });
});

/** `capwrap issuer serve` over real HTTP, and a service that relies on it. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa, type Options } from 'execa';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { endLease as endAtIssuer } from '../../src/broker/end-lease.ts';
import { localIssuer } from '../../src/broker/providers/local-issuer/index.ts';
import { initIssuer } from '../../src/broker/providers/local-issuer/keys.ts';
import { readPublished } from '../../src/broker/providers/local-issuer/published.ts';
import { issuerServe, issuerVerify } from '../../src/commands/issuer.ts';
import { CapwrapError } from '../../src/errors.ts';
import {
  brokerContext,
  CONFIG,
  commandContext,
  freshIssuer,
  issueNow,
  issueRequest,
  secretsOf,
  tokenOf,
} from '../broker/local-issuer-support.ts';
import { bundle } from '../helpers/bundle.ts';
import { ROOT, tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';

const JWKS = '/.well-known/jwks.json';
const METADATA = '/.well-known/openid-configuration';

const SERVE = `
  import { issuerServe } from './src/commands/issuer.ts';
  const [home, options] = process.argv.slice(2);
  const same = (text) => text;
  const context = {
    ambient: { env: { CAPWRAP_HOME: home }, cwd: '/', uid: process.getuid(), gid: 0, pid: 1, platform: 'linux' },
    admin: { stateDir: null, requireMapTrust: null }, json: true, quiet: false, debug: false,
    colors: { stdout: { bold: same, dim: same }, stderr: { bold: same, dim: same } },
    out: async (text) => void process.stdout.write(text), err: (line) => console.error(line),
  };
  process.exitCode = await issuerServe(context, JSON.parse(options));
`;

let program: string;

beforeAll(async () => {
  program = await bundle(SERVE);
});

const running: { kill(signal?: NodeJS.Signals): boolean }[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

/** Starts a program and waits for the first line that it prints. */
async function start(argv: readonly string[], options: Options = {}) {
  const child = execa(process.execPath, argv, { ...options, reject: false });
  running.push(child);
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    void child.then(({ stderr }) => reject(new Error(`ended before it was ready: ${stderr}`)));
  });
  return { child, line };
}

async function serve(stateDir: string, options: object = {}) {
  const { child, line } = await start([program, stateDir, JSON.stringify(options)]);
  return { child, ...(JSON.parse(line) as { event: string; url: string; issuer: string }) };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One request as it is: fetch would set Host itself. */
function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: options.method ?? 'GET', headers: options.headers ?? {} },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const introspect = (url: string, token: string) =>
  ask(`${url}/introspect`, {
    method: 'POST',
    headers: FORM,
    body: new URLSearchParams({ token }).toString(),
  });

async function endLease(stateDir: string, lease: Awaited<ReturnType<typeof issueNow>>) {
  return endAtIssuer(localIssuer, lease, brokerContext(stateDir, () => new Date()).context);
}

const REQUESTS: readonly {
  readonly name: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly status: number;
  readonly allow?: string;
}[] = [
  { name: 'another path', path: '/key.json', status: 404 },
  { name: 'a path upwards', path: '/.well-known/../issuer/key.json', status: 404 },
  { name: 'a name that every object has', path: '/__proto__', status: 404 },
  { name: 'a change of the list', path: '/revoked.json', method: 'PUT', status: 405, allow: 'GET, HEAD' },
  { name: 'a removal', path: JWKS, method: 'DELETE', status: 405, allow: 'GET, HEAD' },
  { name: 'introspection by GET', path: '/introspect?token=x', status: 405, allow: 'POST' },
  {
    name: 'introspection as JSON',
    path: '/introspect',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    status: 415,
  },
  {
    name: 'introspection of nothing',
    path: '/introspect',
    method: 'POST',
    headers: FORM,
    body: 'a=b',
    status: 400,
  },
  {
    name: 'introspection of two',
    path: '/introspect',
    method: 'POST',
    headers: FORM,
    body: 'token=a&token=b',
    status: 400,
  },
  { name: 'a rebound name', path: JWKS, headers: { host: 'evil.test' }, status: 421 },
  {
    name: 'a rebound name with a port',
    path: '/introspect',
    method: 'POST',
    headers: { host: 'evil.test:80' },
    status: 421,
  },
  {
    name: 'a name that only begins alike',
    path: JWKS,
    headers: { host: '127.0.0.1.evil.test' },
    status: 421,
  },
  { name: 'localhost', path: JWKS, headers: { host: 'LOCALHOST:99' }, status: 200 },
  { name: 'the loopback in IPv6', path: JWKS, headers: { host: '[::1]:99' }, status: 200 },
];

describe('issuer serve', () => {
  test('publishes keys, list and metadata, sees each revocation at once, and stops when told', async () => {
    const { stateDir, files } = await freshIssuer();
    const { child, url, issuer, event } = await serve(stateDir);
    expect({ event, issuer }).toEqual({ event: 'issuer.serve', issuer: 'https://issuer.test' });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);

    const keys = await ask(url + JWKS);
    expect(keys).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/jwk-set+json',
        'cache-control': 'max-age=60',
        'x-content-type-options': 'nosniff',
      },
    });
    expect(JSON.parse(keys.body).keys).toHaveLength(1);
    const again = await ask(url + JWKS, { headers: { 'if-none-match': `"x", W/${keys.headers['etag']}` } });
    expect(again).toMatchObject({ status: 304, body: '' });
    const head = await ask(url + JWKS, { method: 'HEAD' });
    expect(head).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': String(keys.body.length) },
    });

    const lease = await issueNow(stateDir);
    const before = await ask(`${url}/revoked.json`);
    expect(before).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    });
    expect(JSON.parse(before.body).revoked).toEqual([]);
    await endLease(stateDir, lease);
    const after = await ask(`${url}/revoked.json`, {
      headers: { 'if-none-match': String(before.headers['etag']) },
    });
    expect(after.status).toBe(200);
    expect(JSON.parse(after.body).revoked).toMatchObject([{ jti: lease.leaseId }]);

    for (const path of [METADATA, '/.well-known/oauth-authorization-server']) {
      expect(JSON.parse((await ask(url + path)).body)).toMatchObject({
        issuer: 'https://issuer.test',
        jwks_uri: `https://issuer.test${JWKS}`,
        capwrap_revocation_list: 'https://issuer.test/revoked.json',
        grant_types_supported: [],
      });
    }
    expectNowhere(secretsOf(files, lease), { texts: [keys.body, before.body, after.body] });
    child.kill('SIGTERM');
    expect(await child).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('INT stops it too, also with a connection open', async () => {
    const { stateDir } = await freshIssuer();
    const { child, url } = await serve(stateDir);
    await fetch(url + JWKS); // keeps the connection
    child.kill('SIGINT');
    expect((await child).exitCode).toBe(0);
  });

  test('ends where nobody can be told that it serves', async () => {
    const { stateDir } = await freshIssuer();
    const full = new CapwrapError('ERR_OUTPUT_WRITE', "standard output can't be written (ENOSPC)");
    let line = '';
    const out = async (text: string) => {
      line = text;
      throw full;
    };
    const { context } = commandContext(stateDir, true);
    const before = process.listenerCount('SIGTERM');
    await expect(issuerServe({ ...context, out }, {})).rejects.toBe(full);
    await expect(fetch(JSON.parse(line).url + JWKS)).rejects.toThrow('fetch failed');
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });

  test('each request that is not meant gets its own refusal', async () => {
    const { stateDir } = await freshIssuer();
    const { url } = await serve(stateDir);
    for (const { name, path, status, allow, ...sent } of REQUESTS) {
      const answer = await ask(url + path, sent);
      expect({ name, status: answer.status, allow: answer.headers['allow'] }).toEqual({
        name,
        status,
        allow,
      });
    }
  });

  test('introspection tells what an active token says, and of any other nothing but that', async () => {
    const { stateDir } = await freshIssuer();
    const { url } = await serve(stateDir);
    const lease = await issueNow(stateDir);
    const active = await introspect(url, tokenOf(lease));
    expect(active).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(JSON.parse(active.body)).toMatchObject({
      active: true,
      token_type: 'Bearer',
      jti: lease.leaseId,
      aud: 'artifact-proxy',
      scope: 'artifacts:read artifacts:list',
    });
    await endLease(stateDir, lease);
    for (const token of [tokenOf(lease), 'nonsense', '']) {
      expect(JSON.parse((await introspect(url, token)).body)).toEqual({ active: false });
    }
    expect((await introspect(url, 'x'.repeat(70_000))).status).toBe(413);
  });

  test('a damaged file is unavailable, without a word about where it lies', async () => {
    const { stateDir, files } = await freshIssuer();
    const { url } = await serve(stateDir);
    writeFileSync(files.revoked, 'oops');
    expect(await ask(`${url}/revoked.json`)).toMatchObject({ status: 503, body: 'Service Unavailable\n' });
    expect((await ask(url + JWKS)).status).toBe(200);
  });

  test('an issuer whose name is no URL has no metadata to find', async () => {
    const { stateDir, files } = await freshIssuer();
    await initIssuer(files, { issuer: 'urn:acme:issuer', rotate: false }, new Date());
    const { url } = await serve(stateDir);
    expect((await ask(url + METADATA)).status).toBe(404);
  });

  test('a port that is taken, and a machine without an issuer, are told before anything is served', async () => {
    const { stateDir } = await freshIssuer();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    await expect(issuerServe(commandContext(stateDir).context, { port })).rejects.toMatchObject({
      code: 'ERR_ISSUER_LISTEN',
      message: `"127.0.0.1" port ${port} can't be listened on (EADDRINUSE)`,
      hint: 'capwrap issuer serve --port 0',
    });
    taken.close();
    await expect(issuerServe(commandContext(tempDir()).context, {})).rejects.toMatchObject({
      code: 'ERR_ISSUER_NOT_READY',
    });
  });
});

describe('issuer verify over HTTP', () => {
  test('takes keys and list from the URL, and refuses once the server is gone', async () => {
    const { stateDir } = await freshIssuer();
    const { child, url } = await serve(stateDir);
    const lease = await issueNow(stateDir);
    const service = tempDir();
    const file = join(service, 'token.jwt');
    writeFileSync(file, tokenOf(lease));
    const check = async () => {
      const { context, out } = commandContext(service, true);
      const options = { file, audience: 'artifact-proxy', issuer: 'https://issuer.test', multiUse: true };
      const status = await issuerVerify(context, {
        ...options,
        jwks: url + JWKS,
        revoked: `${url}/revoked.json`,
      });
      return { status, reason: JSON.parse(out.join('')).reason };
    };
    expect(await check()).toEqual({ status: 0, reason: null });
    await endLease(stateDir, lease);
    expect(await check()).toEqual({ status: 1, reason: 'revoked' });
    child.kill('SIGTERM');
    await child;
    expect(await check()).toEqual({ status: 1, reason: 'keys_unreadable' });
  });

  test('an old copy, an undated one, a redirect and an error are not believed', async () => {
    const { stateDir } = await freshIssuer();
    const { url } = await serve(stateDir);
    const place = `${url}/revoked.json`;
    expect(await readPublished(place, new Date())).toMatchObject({ fault: null });
    expect(await readPublished(place, new Date(Date.now() + 62_000))).toEqual({
      text: null,
      fault: `"${place}" answered with a copy over 60 s old`,
    });
    const answers = [
      { head: ['Age: 61', `Date: ${new Date().toUTCString()}`], fault: 'answered with a copy over 60 s old' },
      {
        head: ['Age: soon', `Date: ${new Date().toUTCString()}`],
        fault: 'answered with a copy over 60 s old',
      },
      { head: [], fault: 'answered with a copy over 60 s old' },
      { status: '302 Found', head: [`Location: ${place}`], fault: "can't be read" },
      { status: '500 Oops', head: [], fault: 'answered 500' },
    ];
    for (const { status = '200 OK', head, fault } of answers) {
      const raw = await rawServer(
        [`HTTP/1.1 ${status}`, 'Content-Length: 2', 'Connection: close', ...head, '', '{}'].join('\r\n'),
      );
      expect(await readPublished(`${raw.url}/list?key=k`, new Date())).toEqual({
        text: null,
        fault: `"${raw.url}/list" ${fault}`,
      });
      raw.close();
    }
  });
});

describe('the artifact proxy of the examples', () => {
  test('serves an artifact to a token that is meant for it, for as long as its lease lives', async () => {
    const { stateDir, files } = await freshIssuer();
    const { child: issuer, url } = await serve(stateDir);
    const root = tempDir();
    writeFileSync(join(root, 'build.txt'), 'the build\n');
    mkdirSync(join(root, 'folder'));
    const { line } = await start(
      [
        'examples/artifact-proxy/server.mjs',
        '--issuer',
        'https://issuer.test',
        '--issuer-url',
        url,
        '--root',
        root,
      ],
      { cwd: ROOT },
    );
    const proxy = line.replace(/^url=/, '');
    const get = (token: string | null, path = '/artifacts/build.txt') =>
      ask(proxy + path, token === null ? {} : { headers: { authorization: `Bearer ${token}` } });

    const lease = await issueNow(stateDir);
    expect(await get(tokenOf(lease))).toMatchObject({ status: 200, body: 'the build\n' });
    for (const path of [
      '/artifacts/../server.mjs',
      '/artifacts/..%2fx',
      '/artifacts/none',
      '/artifacts/',
      '/',
    ]) {
      expect((await get(tokenOf(lease), path)).status).toBe(404);
    }
    expect(await get(null)).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect(await get('a.b.c')).toMatchObject({ status: 401, body: 'invalid_token\n' });
    expect((await get(await tokenWith(stateDir, { audience: 'other' }))).status).toBe(401);
    expect(await get(await tokenWith(stateDir, { scope: ['artifacts:list'] }))).toMatchObject({
      status: 403,
      headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
    });
    expect((await endLease(stateDir, lease)).outcome).toBe('revoked_verified');
    expect(await get(tokenOf(lease))).toMatchObject({ status: 401, body: 'invalid_token\n' });

    const other = await issueNow(stateDir);
    writeFileSync(files.revoked, '{}'); // nobody can tell now whether a token was revoked
    expect((await get(tokenOf(other))).status).toBe(503);
    issuer.kill('SIGKILL');
    await issuer;
    expect((await get(tokenOf(other))).status).toBe(503);
  });
});

async function tokenWith(stateDir: string, config: Partial<typeof CONFIG>): Promise<string> {
  const now = new Date();
  const request = issueRequest({ deadline: new Date(now.getTime() + 60_000) }, { ...CONFIG, ...config });
  return tokenOf(await localIssuer.issue(request, brokerContext(stateDir, () => now).context));
}

/** A server that answers every connection with the same bytes. */
async function rawServer(bytes: string): Promise<{ url: string; close(): void }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

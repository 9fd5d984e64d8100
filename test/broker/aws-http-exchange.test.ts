/** One exchange over real sockets: bounded in time and size, never repeated, and truthful about what was sent. */

import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startSandbox } from '../../examples/sandbox/server.ts';
import { isLoopback } from '../../src/broker/endpoint.ts';
import { exchangeHttp, HttpFault, type HttpFaultKind } from '../../src/broker/http-exchange.ts';
import { awsSts } from '../../src/broker/providers/aws-sts/index.ts';
import { brokerContext, errorOf, issueRequest, variablesOf } from '../helpers/aws.ts';
import { selfSigned } from '../helpers/certificate.ts';
import { tempDir } from '../helpers/cli.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step();
});

/** A server that does with each connection what `talk` says. */
async function listen(
  talk: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly connections: () => number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  );
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

function ask(
  url: string,
  options: {
    readonly timeoutMs?: number;
    readonly connectTimeoutMs?: number;
    readonly signal?: AbortSignal;
    readonly ca?: string;
  } = {},
) {
  return exchangeHttp({
    url: new URL(url),
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: 'hello',
    connectTimeoutMs: options.connectTimeoutMs ?? 2000,
    timeoutMs: options.timeoutMs ?? 2000,
    signal: options.signal ?? new AbortController().signal,
    ca: options.ca ?? null,
  });
}

async function faultOf(exchange: Promise<unknown>): Promise<HttpFault> {
  const error = await exchange.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof HttpFault) return error;
  throw new Error('expected an HttpFault', { cause: error });
}

describe('over HTTP', () => {
  const cases: readonly {
    name: string;
    talk: (socket: Socket) => void;
    kind: HttpFaultKind;
    timeoutMs?: number;
  }[] = [
    { name: 'silence', talk: () => {}, kind: 'timeout', timeoutMs: 100 },
    {
      name: 'a hang in the middle of the head',
      talk: (socket) => socket.write('HTTP/1.1 200 OK\r\nx-a: 1'),
      kind: 'timeout',
      timeoutMs: 100,
    },
    {
      name: 'a body that drips for ever',
      talk: (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
        const timer = setInterval(() => socket.write('x'), 20);
        socket.on('close', () => clearInterval(timer));
      },
      kind: 'timeout',
      timeoutMs: 200,
    },
    { name: 'a connection closed at once', talk: (socket) => socket.destroy(), kind: 'reset' },
    { name: 'another protocol', talk: (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'), kind: 'not_http' },
    {
      name: 'a length that is a lie',
      talk: (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'),
      kind: 'reset',
    },
    {
      name: 'a chunk that never ends',
      talk: (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'),
      kind: 'reset',
    },
    {
      name: 'more than 1 MiB without a length',
      talk: (socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1024 * 1024 + 1)}`),
      kind: 'too_large',
    },
  ];
  test.each(cases)('$name', async ({ talk, kind, timeoutMs }) => {
    const server = await listen((socket) => socket.once('data', () => talk(socket)));
    const fault = await faultOf(ask(`http://127.0.0.1:${server.port}/`, { ...(timeoutMs && { timeoutMs }) }));
    expect({ kind: fault.kind, sent: fault.sent }).toEqual({ kind, sent: true });
    expect(server.connections(), 'never asked twice').toBe(1);
  });

  test('a port where nobody listens', async () => {
    const server = await listen(() => {});
    await cleanUp.pop()?.();
    const fault = await faultOf(ask(`http://127.0.0.1:${server.port}/`));
    expect({ kind: fault.kind, sent: fault.sent }).toEqual({ kind: 'refused', sent: false });
  });

  test('an interruption', async () => {
    const controller = new AbortController();
    const server = await listen((socket) => socket.once('data', () => controller.abort()));
    const fault = await faultOf(ask(`http://127.0.0.1:${server.port}/`, { signal: controller.signal }));
    expect({ kind: fault.kind, sent: fault.sent }).toEqual({ kind: 'aborted', sent: true });
    const early = await faultOf(ask(`http://127.0.0.1:${server.port}/`, { signal: controller.signal }));
    expect({ kind: early.kind, sent: early.sent }).toEqual({ kind: 'aborted', sent: false });
    expect(server.connections()).toBe(1);
  });

  test('a time limit of the caller is told from an interruption', async () => {
    const { port } = await listen(() => {});
    const fault = await faultOf(ask(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(50) }));
    expect({ kind: fault.kind, sent: fault.sent }).toEqual({ kind: 'timeout', sent: true });
  });

  test('exactly 1 MiB passes, whatever the status', async () => {
    const server = await listen((socket) =>
      socket.once('data', () =>
        socket.end(
          `HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n${'x'.repeat(1024 * 1024)}`,
        ),
      ),
    );
    const answer = await ask(`http://127.0.0.1:${server.port}/`);
    expect(answer.status).toBe(307);
    expect(answer.body.length).toBe(1024 * 1024);
    expect(server.connections()).toBe(1);
  });
});

describe('over TLS', () => {
  test('the named authority is trusted, and no other', async () => {
    const tls = selfSigned();
    const sandbox = await startSandbox({ tls });
    cleanUp.push(() => sandbox.stop());
    const caFile = join(tempDir(), 'ca.pem');
    writeFileSync(caFile, tls.cert);
    const env = variablesOf(sandbox.credentials.base);
    const lease = await awsSts.issue(issueRequest({ endpoint: sandbox.url, caFile }), brokerContext(env));
    expect(lease.principal).toMatch(/assumed-role\/preview-deployer/);

    const error = await errorOf(() =>
      awsSts.issue(issueRequest({ endpoint: sandbox.url }), brokerContext(env)),
    );
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: `"${new URL(sandbox.url).host}" shows a certificate of an authority that is not trusted`,
      hint: 'where that authority is your own, name it in the map: ca_file: /path/to/ca.pem',
    });
    expect(sandbox.requests.length, 'nothing was sent to a server that is not trusted').toBe(1);
  });

  test('a certificate for another name', async () => {
    const tls = selfSigned({ dns: 'other.example' });
    const sandbox = await startSandbox({ tls });
    cleanUp.push(() => sandbox.stop());
    const fault = await faultOf(ask(sandbox.url, { ca: tls.cert }));
    expect({ kind: fault.kind, sent: fault.sent }).toEqual({ kind: 'tls', sent: false });
    expect(sandbox.requests).toEqual([]);
  });

  test('a server that does not speak TLS', async () => {
    const server = await listen((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    const fault = await faultOf(ask(`https://127.0.0.1:${server.port}/`));
    expect({ kind: fault.kind, sent: fault.sent }).toEqual({ kind: 'tls', sent: false });
  });

  test('a handshake that never ends', async () => {
    const server = await listen(() => {});
    const fault = await faultOf(ask(`https://127.0.0.1:${server.port}/`, { connectTimeoutMs: 100 }));
    expect({ kind: fault.kind, sent: fault.sent }).toEqual({ kind: 'connect_timeout', sent: false });
  });

  test.each([
    { content: null, message: /^ca_file ".*ca\.pem" can't be read \(ENOENT\)$/ },
    { content: 'not a certificate', message: /^ca_file ".*ca\.pem" holds no PEM certificate$/ },
  ])('a ca_file that is no use', async ({ content, message }) => {
    const caFile = join(tempDir(), 'ca.pem');
    if (content !== null) writeFileSync(caFile, content);
    const env = {
      AWS_ACCESS_KEY_ID: 'ASIAEXAMPLEEXAMPLE12',
      AWS_SECRET_ACCESS_KEY: 's3cret-value',
      AWS_SESSION_TOKEN: 'token-value',
    };
    const error = await errorOf(() => awsSts.issue(issueRequest({ caFile }), brokerContext(env)));
    expect(error.code).toBe('ERR_PROVIDER_UNAVAILABLE');
    expect(error.message).toMatch(message);
  });
});

test.each([
  ['http://localhost:1', true],
  ['http://127.8.9.10', true],
  ['http://[::1]:8080', true],
  ['http://127.0.0.1.example.com', false],
  ['http://localhost.example.com', false],
  ['http://10.0.0.1', false],
  ['http://[::2]', false],
])('%s is loopback: %s', (url, expected) => {
  expect(isLoopback(new URL(url))).toBe(expected);
});

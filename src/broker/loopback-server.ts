/**
 * A server on 127.0.0.1 for one child: GET only, one answer to a connection, everything bounded. What it hands out and
 * to whom is the provider's to say.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { endianness } from 'node:os';
import { CapwrapError, systemErrorCode } from '../errors.ts';

export interface LoopbackRequest {
  /** Undecoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names; a repeated header as one text. */
  readonly headers: Readonly<Record<string, string>>;
  /** User whose process asks, where the system tells (Linux); null where it can't be told. */
  peerUser(): number | null;
}

export interface LoopbackReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface LoopbackServer {
  /** Such as `127.0.0.1:40123`. */
  readonly host: string;
  /** Cuts every connection; resolves once the port is free. May be called again. */
  close(): Promise<void>;
}

/** A child and all its processes ask this often at once, and no more. */
const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 5_000;

/** How often connections are held against the limit: Node's 30 s would let each of them stay that long. */
const CHECKS_PER_LIMIT = 5;

/**
 * Listens on a port that the system chooses. Every request that is not a GET, or is meant for another host (a name that a
 * browser was made to resolve to this machine), is refused before `handle` sees it. Throws ERR_ENVIRONMENT where nothing
 * can listen.
 */
export async function serveLoopback(
  handle: (request: LoopbackRequest) => LoopbackReply,
  /** For tests. */
  timeoutMs = REQUEST_TIMEOUT_MS,
): Promise<LoopbackServer> {
  // As in http-exchange.ts: an `import` of this module loads a second HTTP library.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer(
    {
      requestTimeout: timeoutMs,
      headersTimeout: timeoutMs,
      connectionsCheckingInterval: timeoutMs / CHECKS_PER_LIMIT,
      keepAlive: false,
    },
    (request, response) => {
      response.on('error', () => {});
      send(request, response, answerInAnyCase(request, `127.0.0.1:${port}`, handle));
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    // Once it listens, an error is one connection that could not be taken, and the promise is settled.
    server.on('error', (error) => {
      const code = systemErrorCode(error) ?? 'unknown error';
      reject(
        new CapwrapError('ERR_ENVIRONMENT', `"127.0.0.1" has no port to listen on (${code})`, {
          hint: 'a sandbox around capwrap must let it listen on 127.0.0.1; what takes ports shows: ss -ltn',
        }),
      );
    });
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | null = null;
  return {
    host: `127.0.0.1:${port}`,
    close() {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closing;
    },
  };
}

/** Equal or not, in a time that tells nothing of where they differ. */
export function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

/** What is thrown here would end capwrap, with the child running and the lease open. */
function answerInAnyCase(...asked: Parameters<typeof answer>): LoopbackReply {
  try {
    return answer(...asked);
  } catch {
    return { status: 500, body: '' };
  }
}

function answer(
  request: IncomingMessage,
  host: string,
  handle: (request: LoopbackRequest) => LoopbackReply,
): LoopbackReply {
  if (request.method !== 'GET') return { status: 405, headers: { allow: 'GET' }, body: '' };
  const given = request.headers.host ?? '';
  if (given !== host && given !== host.replace('127.0.0.1', 'localhost')) return { status: 421, body: '' };
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
  const peerUser = () => userOfPeer(request.socket);
  return handle({ path, query: new URLSearchParams(query), headers, peerUser });
}

function send(request: IncomingMessage, response: ServerResponse, reply: LoopbackReply): void {
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    connection: 'close',
    ...reply.headers,
  });
  response.end(reply.body);
  request.resume();
}

/**
 * The owner of the other end of a connection over IPv4, from proc_pid_net(5) `tcp`; the eighth field is the user. Sockets
 * for both IP versions, as Java's are, stand in `tcp6`. Addresses are compared, too: somebody else may use the port of a
 * process of this user's on another address of this machine.
 */
function userOfPeer({ localAddress, localPort, remoteAddress, remotePort }: Socket): number | null {
  const [ours, theirs] = [endpointText(localAddress, localPort), endpointText(remoteAddress, remotePort)];
  for (const [table, prefix] of TABLES) {
    try {
      for (const line of readFileSync(`/proc/self/net/${table}`, 'latin1').split('\n')) {
        const [, local, remote, , , , , user = ''] = line.trim().split(/\s+/);
        if (local === prefix + theirs && remote === prefix + ours) return Number(user);
      }
    } catch {
      // no /proc, or no IPv6
    }
  }
  return null;
}

/** An IPv4 address in IPv6 is `::ffff:a.b.c.d`, in words of 32 bits in the byte order of the machine. */
const TABLES = [
  ['tcp', ''],
  ['tcp6', `0000000000000000${endianness() === 'LE' ? 'FFFF0000' : '0000FFFF'}`],
] as const;

/** `0100007F:9C5B` for 127.0.0.1:40027 on a machine that is little-endian. */
function endpointText(address = '', port = 0): string {
  const bytes = address.split('.').map(Number);
  const ordered = endianness() === 'LE' ? bytes.reverse() : bytes;
  const word = ordered.map((byte) => hex(byte, 2)).join('');
  return `${word}:${hex(port, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

/**
 * A loopback server that speaks enough of AWS STS, S3 and CloudFront for the demo and the tests, and refuses what
 * AWS refuses. It is not AWS, and says so in every answer.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { answer, type RequestLogEntry } from './dispatch.ts';
import { FaultQueue } from './faults.ts';
import {
  type BaseCredentials,
  type Credential,
  createBaseCredentials,
  createState,
  type Invalidation,
  type SandboxOptions,
  type State,
  type StoredObject,
} from './state.ts';
import type { Call } from './wire.ts';

export interface Sandbox {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Credentials that exist from the start. */
  readonly credentials: BaseCredentials;
  /** Every request so far, in order, without secrets. */
  readonly requests: readonly RequestLogEntry[];
  /** Sessions that STS has issued. Moving an `expiresAt` lets one expire. */
  readonly issuedSessions: readonly Credential[];
  readonly invalidations: readonly Invalidation[];
  readonly faults: FaultQueue;
  /** Users, roles and policies; they may be changed while it runs. */
  readonly state: State;
  /** Seconds that the server's clock is ahead; acts on `Date`, signatures, conditions and expiries. */
  clockOffset: number;
  /** Stored objects by `bucket/key`. */
  objects(): ReadonlyMap<string, StoredObject>;
  /** Every secret value that the sandbox has handed out, for a search for leaks. */
  secrets(): readonly string[];
  /** Closes every connection and resolves when the port is free. */
  stop(): Promise<void>;
}

/** Starts a sandbox on 127.0.0.1. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const state = createState(options);
  const credentials = createBaseCredentials(state);
  const faults = new FaultQueue();
  const requests: RequestLogEntry[] = [];
  const stopping = new AbortController();

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    readCall(request)
      .then((call) => answer(call, response, { state, faults, requests, signal: stopping.signal }))
      .catch(() => refuseUnreadable(response));
  };
  const server = options.tls ? createHttpsServer(options.tls, listener) : createHttpServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    credentials,
    requests,
    issuedSessions: state.issued,
    invalidations: state.invalidations,
    faults,
    state,
    get clockOffset() {
      return state.clockOffset;
    },
    set clockOffset(seconds: number) {
      state.clockOffset = seconds;
    },
    objects() {
      const all = [...state.buckets].flatMap(([bucket, keys]) =>
        [...keys].map(([key, object]) => [`${bucket}/${key}`, object] as const),
      );
      return new Map(all);
    },
    secrets() {
      return [...state.credentials.values()].flatMap(({ secretAccessKey, sessionToken }) =>
        sessionToken === null ? [secretAccessKey] : [secretAccessKey, sessionToken],
      );
    },
    stop() {
      stopping.abort();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** A request that is too large or can't be decoded, or one that was interrupted by the end of the sandbox. */
function refuseUnreadable(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(400, { 'x-capwrap-sandbox': 'not-aws', connection: 'close' }).end();
}

const MAX_BODY = 8 * 1024 * 1024;

/** Reads a whole request. Rejects where the body is over the limit or the address can't be decoded. */
async function readCall(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error('the body is over the limit');
    chunks.push(chunk);
  }
  const url = request.url ?? '/';
  decodeURIComponent(url);
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const headers: Record<string, string> = Object.create(null);
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = (request.rawHeaders[index] ?? '').toLowerCase();
    const value = request.rawHeaders[index + 1] ?? '';
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return {
    method: request.method ?? '',
    path: mark < 0 ? url : url.slice(0, mark),
    query: query
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const [name = '', value = ''] = pair.split(/=(.*)/s);
        return [decodeURIComponent(name), decodeURIComponent(value)] as const;
      }),
    headers,
    body: Buffer.concat(chunks),
  };
}

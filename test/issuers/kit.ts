/**
 * A loopback server for the tests of a provider: its routes say what the real one checks, and this says the rest: the
 * clock, the log, secrets that can be searched for, and faults on request.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Call, Refusal, type Reply } from './call.ts';
import { FaultPlan, type Misbehaviour, type PlannedFault, type TransportFault } from './faults.ts';

/** A route; the first that fits answers. */
export interface Route {
  /** By which faults and the log name it. */
  readonly name: string;
  readonly method: string;
  /** The whole path, undecoded. */
  readonly path: string | RegExp;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

export interface LoggedRequest {
  /** Null where no route fits. */
  readonly route: string | null;
  readonly method: string;
  readonly path: string;
  /** With its `?`, or empty. */
  readonly search: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface IssuerOptions {
  readonly routes: (server: TestIssuer) => readonly Route[];
  /** The server's own form of an error: the JSON of an answer. OAuth's (RFC 6749 section 5.2) where it isn't given. */
  readonly error?: (status: number, code: string, message: string) => unknown;
  /** Speaks TLS; `requestCert` and `ca` of node:tls ask for a client certificate. */
  readonly tls?: ServerOptions;
}

export interface TestIssuer {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Such as `127.0.0.1:40123`. */
  readonly host: string;
  /** Every request so far, in order. */
  readonly requests: readonly LoggedRequest[];
  /** Requests that reached the host to which the `redirect` fault points; none ever should. */
  readonly elsewhere: readonly string[];
  /** Seconds that the server's clock is ahead. */
  clockOffset: number;
  /** The server's time. */
  now(): Date;
  /** A new secret value, distinct from every other. */
  secret(prefix: string): string;
  /** Notes a secret that was made in another way (a signed token); returns it. */
  keep(secret: string): string;
  /** Every secret so far, for a search for leaks. */
  secrets(): readonly string[];
  fault(fault: PlannedFault): void;
  misbehave(kind: Misbehaviour, times?: number): void;
  /** How many requests have met a fault or a misbehaviour. */
  readonly met: number;
  /** How many requests are waiting for an answer that does not come. */
  readonly hanging: number;
  /** Closes every connection. Throws what a handler has thrown, other than a Refusal: a defect of the test server. */
  stop(): Promise<void>;
}

/** Starts a server on 127.0.0.1. */
export async function startIssuer(options: IssuerOptions): Promise<TestIssuer> {
  const plan = new FaultPlan();
  const requests: LoggedRequest[] = [];
  const secrets = new Set<string>();
  const elsewhere: string[] = [];
  const defects: unknown[] = [];
  const state = { clockOffset: 0, hanging: 0 };
  const errorJson = options.error ?? ((_status, error, error_description) => ({ error, error_description }));
  const now = () => new Date(Date.now() + state.clockOffset * 1000);

  const other = createServer((request, response) => {
    elsewhere.push(request.url ?? '');
    response.end('{}');
  });
  const otherPort = await listen(other);

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request);
    const [path = '', query] = (request.url ?? '').split(/\?(.*)/s);
    const search = query === undefined ? '' : `?${query}`;
    const method = request.method ?? '';
    const found = findRoute(routes, method, path);
    const route = found?.route.name ?? null;
    requests.push({ route, method, path, search, headers: request.headers, body: body.toString() });
    const fault = route === null ? null : plan.take(route);
    const effect = async (): Promise<Reply> => {
      if (found === null) return refusal(new Refusal(404, 'not_found'));
      const misbehaves = (kind: Misbehaviour) => plan.takeMisbehaviour(kind);
      try {
        return await found.route.handle(
          new Call({ request, method, path, search, match: found.match, body, misbehaves }),
        );
      } catch (error) {
        if (error instanceof Refusal) return refusal(error);
        defects.push(error);
        return refusal(new Refusal(500, 'defect'));
      }
    };
    await answer(response, fault, effect);
  };

  function refusal({ status, code, message, headers }: Refusal): Reply {
    return { status, headers, json: errorJson(status, code, message) };
  }

  async function answer(
    response: ServerResponse,
    fault: TransportFault | null,
    effect: () => Promise<Reply>,
  ): Promise<void> {
    switch (fault) {
      case null:
        return send(response, await effect());
      case 'refused':
        return send(response, refusal(new Refusal(403, 'access_denied', NOT_FOR_EYES)));
      case 'throttled':
        return send(
          response,
          refusal(new Refusal(429, 'rate_limited', NOT_FOR_EYES, { 'retry-after': '1' })),
        );
      case 'server_error':
        return send(response, refusal(new Refusal(500, 'server_error', NOT_FOR_EYES)));
      case 'slow':
        await pause(300);
        return send(response, await effect());
      case 'hang':
        state.hanging += 1;
        response.on('close', () => {
          state.hanging -= 1;
        });
        return;
      case 'html':
        return send(response, {
          status: 200,
          headers: { 'content-type': 'text/html' },
          text: `<html><body>${NOT_FOR_EYES}</body></html>`,
        });
      case 'huge':
        stamp(response);
        response.writeHead(200);
        response.write('{"filler":"');
        for (let sent = 0; sent < 10; sent += FILLER.length / 1024 ** 2) response.write(FILLER);
        response.end('"}');
        return;
      case 'redirect':
        return send(response, {
          status: 307,
          headers: { location: `http://localhost:${otherPort}/elsewhere?${NOT_FOR_EYES}` },
        });
      case 'truncated': {
        const { status, json, text } = await effect();
        const whole = text ?? JSON.stringify(json ?? {});
        stamp(response);
        response.writeHead(status === 204 ? 200 : status, {
          'content-type': 'application/json',
          'content-length': whole.length + 1,
        });
        response.write(whole.slice(0, -1), () => response.destroy());
        return;
      }
      case 'reset_after_effect':
        await effect();
        response.destroy();
        return;
    }
  }

  function send(response: ServerResponse, { status, headers, json, text }: Reply): void {
    stamp(response);
    const body = text ?? (json === undefined ? '' : JSON.stringify(json));
    const type = json === undefined ? {} : { 'content-type': 'application/json' };
    response.writeHead(status, { ...type, ...headers });
    response.end(body);
  }

  function stamp(response: ServerResponse): void {
    response.sendDate = false;
    response.setHeader('date', now().toUTCString());
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => {});
    handle(request, response).catch(() => response.destroy());
  };
  const main = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  const port = await listen(main);

  const issuer: TestIssuer = {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    requests,
    elsewhere,
    get clockOffset() {
      return state.clockOffset;
    },
    set clockOffset(seconds: number) {
      state.clockOffset = seconds;
    },
    now,
    secret: (prefix) => issuer.keep(`${prefix}${randomBytes(24).toString('base64url')}`),
    keep(secret) {
      secrets.add(secret);
      return secret;
    },
    secrets: () => [...secrets],
    fault: (fault) => plan.add(fault),
    misbehave: (kind, times = 1) => plan.addMisbehaviour(kind, times),
    get met() {
      return plan.met;
    },
    get hanging() {
      return state.hanging;
    },
    async stop() {
      await Promise.all([close(main), close(other)]);
      if (defects.length > 0) throw defects[0];
    },
  };
  const routes = options.routes(issuer);
  return issuer;
}

const FILLER = Buffer.alloc(64 * 1024, 'x');

/** Words of a server that no message of capwrap's may repeat. */
export const NOT_FOR_EYES = 'words-of-the-server-that-must-not-be-shown';

/** Taken before any test makes time fly. */
const later = globalThis.setTimeout;

/** Waits in real time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => later(resolve, ms));
}

function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route: Route; readonly match: RegExpMatchArray } | null {
  for (const route of routes) {
    if (route.method !== method) continue;
    if (route.path === path) return { route, match: [path] };
    const match = route.path instanceof RegExp ? route.path.exec(path) : null;
    if (match?.[0] === path) return { route, match };
  }
  return null;
}

const MAX_BODY = 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error('the body is over the limit');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

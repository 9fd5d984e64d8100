/** An OpenTelemetry collector on loopback: takes log records over OTLP/HTTP, reads them strictly, and misbehaves on request. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterTest } from '../helpers/after-test.ts';
import { type ReceivedRecord, readRequest } from './otlp-shape.ts';

/** What happens to one request. */
export type Behaviour =
  | 'accept'
  /** Never answered; nothing is stored. */
  | 'hang'
  /** Stored, and the connection is cut without an answer. */
  | 'cut_after_store'
  /** Stored, and answered only when `answerHeld` is called. */
  | 'store_and_hold'
  /** Stored but for the first `rejected` records. */
  | { readonly rejected: number | string; readonly message?: string }
  /** Answered so; nothing is stored. */
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

export interface CollectorOptions {
  readonly tls?: ServerOptions;
  /** Headers without which a request is answered 401. */
  readonly wanted?: Readonly<Record<string, string>>;
  /** A larger body, before it is inflated, is answered 413. */
  readonly mostBytes?: number;
}

export interface TestCollector {
  readonly url: string;
  /** What the backend behind it holds: each record once, by its uid. */
  readonly stored: ReadonlyMap<string, ReceivedRecord>;
  /** Numbers of the stored records, in the order in which they came. */
  seqs(): number[];
  /** Records that came again and were told apart by their uid. */
  readonly repeats: number;
  /** The bodies as they came, compressed, one for each request. */
  readonly bodies: readonly Buffer[];
  /** How many were opened to it. */
  readonly connections: number;
  /** What was wrong with requests; a test expects none. */
  readonly faults: readonly string[];
  /** For the next requests, one each; then everything is accepted. */
  plan(...next: readonly Behaviour[]): void;
  answerHeld(): void;
  /** Goes away: connections are cut, and new ones refused. */
  stop(): Promise<void>;
  /** Comes back, at the same address. */
  start(): Promise<void>;
}

/** Starts a collector that is gone after the test. */
export async function startCollector(options: CollectorOptions = {}): Promise<TestCollector> {
  const stored = new Map<string, ReceivedRecord>();
  const bodies: Buffer[] = [];
  const faults: string[] = [];
  const planned: Behaviour[] = [];
  let held: (() => void)[] = [];
  let repeats = 0;
  let connections = 0;

  const store = (records: readonly ReceivedRecord[]): void => {
    for (const received of records) {
      const uid = String(received.attributes['log.record.uid']);
      if (stored.has(uid)) repeats++;
      else stored.set(uid, received);
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    bodies.push(body);
    const records = readStrictly(request, body);
    const behaviour = planned.shift() ?? 'accept';
    if (behaviour === 'hang') return;
    if (typeof behaviour === 'object' && 'status' in behaviour) {
      response.writeHead(behaviour.status, { 'content-type': 'application/json', ...behaviour.headers });
      response.end(behaviour.body ?? '{"code":14,"message":"not now"}');
      return;
    }
    const lacking = Object.entries(options.wanted ?? {}).some(
      ([name, value]) => request.headers[name] !== value,
    );
    if (lacking)
      return answer(response, 401, { code: 16, message: `no: ${request.headers['authorization']}` });
    if (body.length > (options.mostBytes ?? Number.POSITIVE_INFINITY)) {
      return answer(response, 413, { code: 8, message: 'too large' });
    }
    if (typeof behaviour === 'object') {
      store(records.slice(Number(behaviour.rejected)));
      const { rejected, message } = behaviour;
      return answer(response, 200, {
        partialSuccess: { rejectedLogRecords: rejected, ...(message && { errorMessage: message }) },
      });
    }
    store(records);
    if (behaviour === 'cut_after_store') response.destroy();
    else if (behaviour === 'store_and_hold') held.push(() => answer(response, 200, {}));
    else answer(response, 200, {});
  };

  function readStrictly(request: IncomingMessage, body: Buffer): readonly ReceivedRecord[] {
    try {
      const { method, url, headers } = request;
      if (method !== 'POST' || url !== '/v1/logs') throw new Error(`${method} ${url}`);
      if (headers['content-type'] !== 'application/json') throw new Error(`type ${headers['content-type']}`);
      if (headers['content-encoding'] !== 'gzip') throw new Error(`coding ${headers['content-encoding']}`);
      return readRequest(gunzipSync(body).toString());
    } catch (error) {
      faults.push(String(error));
      return [];
    }
  }

  let server: Server;
  let port = 0;
  const start = async (): Promise<void> => {
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      response.on('error', () => {});
      handle(request, response).catch((error: unknown) => {
        if (!request.readableAborted && !request.destroyed) faults.push(String(error));
        response.destroy();
      });
    };
    server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
    server.on(options.tls ? 'secureConnection' : 'connection', () => {
      connections++;
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    ({ port } = server.address() as AddressInfo);
  };
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      held = [];
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await start();
  afterTest(stop);

  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    stored,
    seqs: () => [...stored.values()].map(({ attributes }) => Number(attributes['capwrap.audit.seq'])),
    get repeats() {
      return repeats;
    },
    get connections() {
      return connections;
    },
    bodies,
    faults,
    plan: (...next) => void planned.push(...next),
    answerHeld: () => {
      for (const release of held.splice(0)) release();
    },
    stop,
    start,
  };
}

function answer(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(json));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * One HTTP request, one answer, bounded in time and size. No proxy, no redirect, no retry, and no connection kept but by an
 * agent of the caller's: what the environment says can't steer it, and a request that may have had an effect is never sent
 * twice.
 */
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { systemErrorCode } from '../errors.ts';

/** Answers larger than this are nonsense from nearly all servers. */
const MAX_ANSWER_BYTES = 1024 * 1024;

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface HttpRequest {
  readonly url: URL;
  readonly method: HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** PEM certificates that replace the built-in roots; null for the built-in ones. */
  readonly ca?: string | null;
  /** Certificate and key (PEM) by which the server knows the client (RFC 8705); null for none. */
  readonly identity?: { readonly cert: string; readonly key: string } | null;
  /** Limit for name look-up, connection and TLS together. */
  readonly connectTimeoutMs: number;
  /** Limit for the whole exchange. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** 1 MiB where it isn't given. */
  readonly maxAnswerBytes?: number;
  /** Keeps connections between requests; where it isn't given each request has its own. */
  readonly agent?: Agent | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; a repeated header as one text. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type HttpFaultKind =
  | 'name_unknown'
  | 'refused'
  | 'unreachable'
  | 'tls_untrusted'
  | 'tls'
  | 'connect_timeout'
  | 'timeout'
  | 'reset'
  | 'not_http'
  | 'too_large'
  | 'aborted';

/**
 * Why there is no answer. `sent` tells whether the request may have reached the server and had its effect, `reused` whether
 * it went over a connection that an earlier one had left open, which the server may have been closing just then.
 */
export class HttpFault extends Error {
  readonly kind: HttpFaultKind;
  readonly sent: boolean;
  readonly reused: boolean;

  constructor(kind: HttpFaultKind, sent: boolean, reused = false) {
    super(kind);
    this.name = 'HttpFault';
    this.kind = kind;
    this.sent = sent;
    this.reused = reused;
  }
}

/** Sends the request and resolves with the whole answer, whatever its status; rejects with an HttpFault. */
export function exchangeHttp(request: HttpRequest): Promise<HttpAnswer> {
  const secure = request.url.protocol === 'https:';
  // Not by `import`: that asks each export for its value, and one of them (WebSocket) loads a second HTTP library.
  const transport = process.getBuiltinModule(secure ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    if (request.signal.aborted) return reject(new HttpFault(endedBy(request.signal), false));
    let sent = false;
    const outgoing = transport.request(optionsFor(request));
    const settle = () => {
      clearTimeout(connecting);
      clearTimeout(whole);
      request.signal.removeEventListener('abort', abort);
    };
    const fail = (kind: HttpFaultKind) => {
      settle();
      reject(new HttpFault(kind, sent, outgoing.reusedSocket));
      outgoing.destroy();
    };
    const abort = () => fail(endedBy(request.signal));
    const connecting = setTimeout(() => fail('connect_timeout'), request.connectTimeoutMs);
    const whole = setTimeout(() => fail('timeout'), request.timeoutMs);
    request.signal.addEventListener('abort', abort);
    whenConnected(outgoing, secure, () => {
      clearTimeout(connecting);
      sent = true;
    });
    outgoing.on('error', (error) => fail(kindOf(error, secure && !sent)));
    outgoing.on('response', (incoming) => {
      readAnswer(incoming, request.maxAnswerBytes ?? MAX_ANSWER_BYTES, fail, (answer) => {
        settle();
        resolve(answer);
      });
    });
    outgoing.end(request.body);
  });
}

/** A signal of `AbortSignal.timeout` is a time limit of the caller's; nobody has interrupted anything. */
function endedBy({ reason }: AbortSignal): HttpFaultKind {
  return reason instanceof DOMException && reason.name === 'TimeoutError' ? 'timeout' : 'aborted';
}

function optionsFor(request: HttpRequest): RequestOptions {
  const { url } = request;
  return {
    method: request.method,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port,
    path: url.pathname + url.search,
    headers: request.headers,
    agent: request.agent ?? false,
    ...(url.protocol === 'https:' && {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(request.ca && { ca: request.ca }),
      ...(request.identity && { cert: request.identity.cert, key: request.identity.key }),
    }),
  };
}

function whenConnected(outgoing: ClientRequest, secure: boolean, then: () => void): void {
  outgoing.once('socket', (socket) => {
    if (outgoing.reusedSocket) then();
    else socket.once(secure ? 'secureConnect' : 'connect', then);
  });
}

function readAnswer(
  incoming: IncomingMessage,
  maxBytes: number,
  fail: (kind: HttpFaultKind) => void,
  done: (answer: HttpAnswer) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) fail('too_large');
    else chunks.push(chunk);
  });
  incoming.on('error', () => fail('reset'));
  incoming.on('end', () => {
    const headers: Record<string, string> = Object.create(null);
    for (const [name, value] of Object.entries(incoming.headers)) headers[name] = String(value);
    done({ status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks) });
  });
}

const KINDS: Readonly<Record<string, HttpFaultKind>> = {
  ENOTFOUND: 'name_unknown',
  EAI_AGAIN: 'name_unknown',
  EAI_FAIL: 'name_unknown',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'connect_timeout',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_untrusted',
};

function kindOf(error: Error, inHandshake: boolean): HttpFaultKind {
  const code = systemErrorCode(error) ?? '';
  const kind = KINDS[code];
  if (kind) return kind;
  if (code.startsWith('HPE_')) return 'not_http';
  if (/^(?:CERT_|ERR_TLS|ERR_SSL|EPROTO$|HOSTNAME_)/.test(code)) return 'tls';
  return inHandshake && code !== 'ECONNRESET' ? 'tls' : 'reset';
}

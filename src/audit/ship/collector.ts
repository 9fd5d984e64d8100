/**
 * One request to a collector, and what its answer means by the OTLP specification
 * (https://opentelemetry.io/docs/specs/otlp/#otlphttp): accepted, to be sent again, or refused for good.
 */

import type { Agent } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { escapeText } from '../../base/escape.ts';
import { objectIn } from '../../base/json-object.ts';
import { VERSION } from '../../base/version.ts';
import { exchangeHttp, type HttpAnswer, HttpFault } from '../../broker/http-exchange.ts';
import { describeHttpFault } from '../../broker/http-fault.ts';
import { retryAfter } from '../../broker/retry.ts';

export interface Collector {
  /** Base URL. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates that replace the built-in roots; null for these. */
  readonly ca: string | null;
  /** Connections that stay open from one request to the next; whoever opens them ends them. */
  readonly connections: Agent;
  /** Takes the values of the headers out of what the collector says. */
  readonly mask: (text: string) => string;
}

export type CollectorAnswer =
  /** The batch is the collector's; of its records it did not take so many, and must not be sent them again. */
  | { readonly kind: 'accepted'; readonly rejected: number; readonly said: string | null }
  /** The request was larger than the collector, or a proxy before it, takes. */
  | { readonly kind: 'too_large' }
  /** To be sent again, unchanged, after `waitMs` where the collector says so. Whether it has the batch may be unknown. */
  | { readonly kind: 'later'; readonly why: string; readonly waitMs: number | null }
  | { readonly kind: 'refused'; readonly why: string; readonly hint: string };

const CONNECT_TIMEOUT_MS = 5_000;
const TIMEOUT_MS = 30_000;

/** Far less than servers keep a connection that nobody uses: one that they are about to close is seldom met. */
const IDLE_MS = 4_000;

/** One connection at a time, kept while requests follow one another. */
export function keepConnections(endpoint: string): Agent {
  // Not by `import`, as in `exchangeHttp`.
  const module = process.getBuiltinModule(endpoint.startsWith('https:') ? 'node:https' : 'node:http');
  return new module.Agent({ keepAlive: true, maxSockets: 1, timeout: IDLE_MS });
}

/**
 * Sends an `ExportLogsServiceRequest`. Never throws for what the network or the collector does. Once, but for a kept
 * connection that the collector closed just then: the same bytes are sent again over a new one, as after any break.
 */
export async function sendLogs(
  collector: Collector,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<CollectorAnswer> {
  try {
    return judge(await post(collector, body, signal), collector);
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    if (error.reused && error.kind === 'reset') return sendLogs(collector, body, signal);
    return judgeFault(error, collector);
  }
}

function post(collector: Collector, body: Uint8Array, signal: AbortSignal): Promise<HttpAnswer> {
  return exchangeHttp({
    url: new URL(`${collector.endpoint}/v1/logs`),
    method: 'POST',
    headers: {
      'user-agent': `capwrap/${VERSION}`,
      ...collector.headers,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'content-length': String(body.length),
    },
    body,
    ca: collector.ca,
    agent: collector.connections,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    timeoutMs: TIMEOUT_MS,
    signal,
  });
}

/** The body as it is sent; the same bytes for the same text. */
export function compress(body: string): Promise<Buffer> {
  return promisify(gzip)(body);
}

/** Table "Retryable Response Codes"; every other 4xx or 5xx must not be tried again. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

function judge(answer: HttpAnswer, { endpoint, mask }: Collector): CollectorAnswer {
  const { status, headers, body } = answer;
  const json = objectIn(body.toString());
  if (status >= 200 && status < 300) {
    // Some collectors answer with nothing; a page of somebody else's is no acceptance.
    const partial = json === null && body.length > 0 ? null : partialSuccess(json?.['partialSuccess']);
    if (partial === null)
      return refused(`"${endpoint}" answered ${status} with something that is not OTLP in JSON`, LOOK);
    return { kind: 'accepted', rejected: partial.rejected, said: inWords(partial.said, mask) };
  }
  if (status === 413) return { kind: 'too_large' };
  const said = inWords(json?.['message'], mask);
  const text = `"${endpoint}" answered ${status}${said === null ? '' : `: ${said}`}`;
  if (RETRYABLE.has(status)) {
    const seconds = retryAfter({ headers, date: dateOf(headers['date']), receivedAt: new Date() });
    if (seconds === null) return { kind: 'later', why: text, waitMs: null };
    return { kind: 'later', why: `${text} and asks for ${Math.ceil(seconds)} s`, waitMs: seconds * 1000 };
  }
  if (status >= 300 && status < 400) return refused(`${text}, a redirect, which is not followed`, LOOK);
  return refused(text, status === 401 || status === 403 ? 'look at headers_file: the key may be over' : LOOK);
}

const LOOK = 'look at audit.ship.endpoint: /v1/logs is added to it';

function judgeFault(fault: HttpFault, { endpoint }: Collector): CollectorAnswer {
  const why = `"${endpoint}" ${describeHttpFault(fault, 'endpoint').text}`;
  if (!FINAL.has(fault.kind)) return { kind: 'later', why, waitMs: null };
  const untrusted = fault.kind === 'tls_untrusted';
  return refused(why, untrusted ? 'where that authority is your own: audit.ship.ca_file' : LOOK);
}

/** What no waiting mends. */
const FINAL: ReadonlySet<HttpFault['kind']> = new Set(['tls_untrusted', 'tls', 'not_http', 'too_large']);

function refused(why: string, hint: string): CollectorAnswer {
  return { kind: 'refused', why, hint };
}

/** `ExportLogsPartialSuccess`, where a message with nothing rejected is a warning; null where it isn't understood. */
function partialSuccess(value: unknown): { readonly rejected: number; readonly said: unknown } | null {
  if (value === undefined || value === null) return { rejected: 0, said: null };
  if (typeof value !== 'object') return null;
  const { rejectedLogRecords = 0, errorMessage } = value as Readonly<Record<string, unknown>>;
  // An int64 in JSON is text or a number.
  const rejected = /^\d{1,15}$/.test(String(rejectedLogRecords)) ? Number(rejectedLogRecords) : null;
  return rejected === null ? null : { rejected, said: errorMessage };
}

/** The collector's own words: masked, on one line, and not too many. */
function inWords(said: unknown, mask: Collector['mask']): string | null {
  if (typeof said !== 'string' || said.trim() === '') return null;
  const text = escapeText(mask(said));
  return text.length <= 300 ? text : `${text.slice(0, 299)}…`;
}

function dateOf(text: string | undefined): Date | null {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) ? null : date;
}

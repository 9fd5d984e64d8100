/**
 * One call of a provider's HTTP API that answers in JSON. What it reports names the host and what happened, and never
 * repeats a body, a header or the query of a URL.
 */

import { type JsonObject, objectInBytes } from '../base/json-object.ts';
import { VERSION } from '../base/version.ts';
import { assertEndpoint } from './endpoint.ts';
import { ExchangeError, notJson, redirected, unsendable } from './exchange-error.ts';
import { exchangeHttp, type HttpAnswer, HttpFault, type HttpMethod } from './http-exchange.ts';
import { describeHttpFault } from './http-fault.ts';
import { type JsonPath, registerSecrets } from './json-body.ts';
import { measureSkew } from './measure-skew.ts';
import type { BrokerContext } from './provider.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const TIMEOUT_MS = 15_000;

export interface JsonCall {
  readonly url: URL;
  readonly method: HttpMethod;
  /** Beside `accept`, `user-agent` and `content-type`, which are set. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as `application/x-www-form-urlencoded`; pairs where a name repeats. At most one of `form` and `json`. */
  readonly form?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  readonly json?: unknown;
  /** PEM certificates that replace the built-in roots. */
  readonly ca?: string | null;
  /** Certificate and key of the client, for servers that ask for them. */
  readonly identity?: { readonly cert: string; readonly key: string } | null;
  readonly context: Pick<BrokerContext, 'signal' | 'now' | 'registerSecret'>;
  /** Name of the server in messages; the URL's host where it isn't given. */
  readonly who?: string;
  /** The key of the map that names the server; null where an answer or nothing does. */
  readonly endpointKey: string | null;
  /** Where the answer has secrets, by the masker's name for them: they are registered before anything else. */
  readonly secrets?: Readonly<Record<string, JsonPath>>;
  /**
   * `ignored`: the answer counts by its status alone, whatever it holds; `body` is null then. `if_json`: the same, and
   * `body` is there where it is an object (RFC 7009 section 2.2).
   */
  readonly answer?: 'json' | 'ignored' | 'if_json';
  /** Limit for the whole exchange in milliseconds; 15,000 where it isn't given. */
  readonly timeoutMs?: number;
}

export interface JsonAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The server's clock (`Date`), with which *expired* is told apart from *revoked*; null where it sent none. */
  readonly date: Date | null;
  /** This machine's clock, around the exchange. */
  readonly sentAt: Date;
  readonly receivedAt: Date;
  /** Seconds that this machine's clock is ahead; null without a `Date`. For `clock_skew_seconds` of the lease's facts. */
  readonly skew: number | null;
  /** Null for an empty body. */
  readonly body: JsonObject | null;
  /** Name of the server, for messages. */
  readonly who: string;
}

/**
 * Sends one request, once, and resolves with any answer that is a JSON object or empty, whatever its status. Follows no
 * redirect. Throws an ExchangeError: ERR_PROVIDER_UNAVAILABLE (no connection, cut off, a 5xx or 429 without JSON),
 * ERR_PROVIDER_TIMEOUT, ERR_PROVIDER_REFUSED (401 or 403 without JSON), else ERR_PROVIDER_INVALID_RESPONSE; and as
 * `assertEndpoint`.
 */
export async function callJson(call: JsonCall): Promise<JsonAnswer> {
  assertEndpoint(call.url, call.endpointKey);
  const who = call.who ?? call.url.host;
  const sentAt = call.context.now();
  const { status, headers, body } = await send(call, who);
  const receivedAt = call.context.now();
  const date = new Date(headers['date'] ?? '');
  const answer = {
    status,
    headers,
    date: Number.isNaN(date.getTime()) ? null : date,
    sentAt,
    receivedAt,
    skew: measureSkew(headers['date'], sentAt, receivedAt),
    who,
  };
  if (status >= 300 && status < 400) throw redirected(who, status, call.endpointKey);
  if (call.answer === 'ignored') return { ...answer, body: null };
  const parsed = objectInBytes(body);
  if (parsed === null && body.length > 0 && call.answer !== 'if_json')
    throw notJson(who, status, call.endpointKey);
  registerSecrets(parsed, call.secrets ?? {}, call.context);
  return { ...answer, body: parsed };
}

async function send(call: JsonCall, who: string): Promise<HttpAnswer> {
  const body = bodyOf(call);
  try {
    return await exchangeHttp({
      url: call.url,
      method: call.method,
      headers: {
        accept: 'application/json',
        'user-agent': `capwrap/${VERSION}`,
        ...(body !== null && { 'content-type': body.type }),
        ...call.headers,
      },
      body: body?.text,
      ca: call.ca ?? null,
      identity: call.identity ?? null,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      timeoutMs: call.timeoutMs ?? TIMEOUT_MS,
      signal: call.context.signal,
    });
  } catch (error) {
    if (!(error instanceof HttpFault)) throw unsendable(who);
    const { code, text, hint } = describeHttpFault(error, call.endpointKey);
    throw new ExchangeError(code, `"${who}" ${text}`, {
      effect: error.sent ? 'unknown' : 'none',
      retryable: error.kind === 'refused',
      hint,
    });
  }
}

/** What is sent, with its type; null for nothing. */
function bodyOf({ form, json }: JsonCall): { readonly type: string; readonly text: string } | null {
  if (form !== undefined) {
    const pairs = Array.isArray(form) ? form : Object.entries(form);
    return { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(pairs).toString() };
  }
  return json === undefined ? null : { type: 'application/json', text: JSON.stringify(json) };
}

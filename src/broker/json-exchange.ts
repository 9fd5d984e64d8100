/**
 * One call of a provider's HTTP API that answers in JSON. What it reports names the host and what happened, and never
 * repeats a body, a header or the query of a URL.
 */
import { VERSION } from '../base/version.ts';
import { CapwrapError, type ErrorCode } from '../errors.ts';
import { exchangeHttp, type HttpAnswer, HttpFault, type HttpMethod, isLoopback } from './http-exchange.ts';
import { describeHttpFault } from './http-fault.ts';
import { isJsonObject, type JsonObject, type JsonPath, registerSecrets } from './json-body.ts';
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

/** A call that has no usable answer. */
export class ExchangeError extends CapwrapError {
  /** `none`: the request certainly had no effect at the server. `unknown`: it may have had one, unseen. */
  readonly effect: 'none' | 'unknown';
  /** Null where nothing was answered. */
  readonly status: number | null;
  /** True where the same request may have better luck in a moment, and certainly had no effect so far. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, facts: ExchangeFacts) {
    super(code, message, { hint: facts.hint });
    this.effect = facts.effect;
    this.status = facts.status ?? null;
    this.retryable = facts.retryable ?? false;
  }
}

interface ExchangeFacts {
  readonly effect: 'none' | 'unknown';
  readonly status?: number;
  readonly retryable?: boolean;
  readonly hint?: string | undefined;
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
  const found = parseBody(body);
  const parsed = found === undefined && call.answer === 'if_json' ? null : found;
  if (parsed === undefined) throw notJson(who, status, call.endpointKey);
  registerSecrets(parsed, call.secrets ?? {}, call.context);
  return { ...answer, body: parsed };
}

/**
 * Throws ERR_MAP_INVALID (or ERR_PROVIDER_INVALID_RESPONSE for an address that the map doesn't name) unless the URL is
 * https, or http on this machine, without a user name, password or fragment.
 */
export function assertEndpoint(url: URL, endpointKey: string | null): void {
  const code = endpointKey === null ? 'ERR_PROVIDER_INVALID_RESPONSE' : 'ERR_MAP_INVALID';
  const subject = endpointKey === null ? `address at "${url.host}"` : `"${endpointKey}"`;
  const refuse = (what: string, hint: string) => new CapwrapError(code, `${subject} ${what}`, { hint });
  if (url.username !== '' || url.password !== '')
    throw refuse('holds a user name or password', 'an address names a server, and nothing else');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url)))
    throw refuse('is not https', 'use https://, or http:// on 127.0.0.1');
  if (url.hash !== '') throw refuse('has a fragment', "leave out '#' and what is behind it");
}

async function send(call: JsonCall, who: string): Promise<HttpAnswer> {
  const { form, json } = call;
  const type =
    form === undefined
      ? json === undefined
        ? null
        : 'application/json'
      : 'application/x-www-form-urlencoded';
  const pairs = Array.isArray(form) ? form : Object.entries(form ?? {});
  const body = form === undefined ? json && JSON.stringify(json) : new URLSearchParams(pairs).toString();
  try {
    return await exchangeHttp({
      url: call.url,
      method: call.method,
      headers: {
        accept: 'application/json',
        'user-agent': `capwrap/${VERSION}`,
        ...(type !== null && { 'content-type': type }),
        ...call.headers,
      },
      body: body as string | undefined,
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

/** Undefined where the body is something other than an object or nothing. */
function parseBody(body: Buffer): JsonObject | null | undefined {
  if (body.length === 0) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined; // what the parser says quotes the body
  }
}

function redirected(who: string, status: number, endpointKey: string | null): ExchangeError {
  return new ExchangeError(
    'ERR_PROVIDER_INVALID_RESPONSE',
    `"${who}" answered ${status}, a redirect, which is not followed`,
    { effect: 'unknown', status, hint: `look at ${endpointKey ?? 'the address'}: name the server itself` },
  );
}

function notJson(who: string, status: number, endpointKey: string | null): ExchangeError {
  const hint = `look at ${endpointKey ?? 'the address'}: this does not answer like the server that was meant`;
  const effect = 'unknown';
  if (status === 429) return statusError({ status, who });
  if (status >= 500)
    return new ExchangeError('ERR_PROVIDER_UNAVAILABLE', `"${who}" answered ${status}`, { effect, status });
  if (status === 401 || status === 403)
    return new ExchangeError('ERR_PROVIDER_REFUSED', `"${who}" answered ${status}`, { effect, status, hint });
  return new ExchangeError(
    'ERR_PROVIDER_INVALID_RESPONSE',
    `"${who}" answered ${status} with something that is not a JSON object`,
    { effect, status, hint },
  );
}

/** A header or URL that Node can't send; its own words would quote the value. */
function unsendable(who: string): ExchangeError {
  return new ExchangeError(
    'ERR_PROVIDER_REFUSED',
    `"${who}" can't be asked: a header has a character that none may have`,
    { effect: 'none' },
  );
}

/**
 * The error for an answer of a status that was not hoped for: ERR_PROVIDER_UNAVAILABLE for 429 and 5xx, else
 * ERR_PROVIDER_REFUSED. `said` is a word from `errorWords`, `hint` what to change.
 */
export function statusError(
  answer: Pick<JsonAnswer, 'status' | 'who'>,
  said: string | null = null,
  hint?: string,
): ExchangeError {
  const { status, who } = answer;
  const word = said === null ? '' : ` (${said})`;
  if (status === 429) {
    return new ExchangeError('ERR_PROVIDER_UNAVAILABLE', `"${who}" is throttling: it answered 429${word}`, {
      effect: 'none', // who limits callers does so before anything else
      retryable: true,
      status,
      hint: hint ?? 'try again later',
    });
  }
  const unavailable = status >= 500;
  const code = unavailable ? 'ERR_PROVIDER_UNAVAILABLE' : 'ERR_PROVIDER_REFUSED';
  const text = unavailable ? `answered ${status}` : `refused with ${status}`;
  return new ExchangeError(code, `"${who}" ${text}${word}`, {
    effect: unavailable ? 'unknown' : 'none',
    status,
    hint,
  });
}

/**
 * The error to throw where a call that issues has failed: where it may have had its effect, it says that `what` (`a
 * token`) may live unseen, and until when, so that the record says so too. Any other error as it is.
 */
export function maybeIssued(error: unknown, what: string, until: Date): unknown {
  if (!(error instanceof ExchangeError) || error.effect === 'none') return error;
  const text = `${what} may have been issued unseen and would expire by ${until.toISOString()}`;
  return new CapwrapError(error.code, `${error.message}; ${text}`, { hint: error.hint, issuedUntil: until });
}

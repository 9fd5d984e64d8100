/** A request as a test server sees it, and the strict reading of its parts: what a server does not know, it refuses. */
import type { IncomingMessage } from 'node:http';
import type { Misbehaviour } from './faults.ts';

/** What a handler answers. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, in place of `json`. */
  readonly text?: string;
}

export function reply(status: number, json?: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers, ...(json === undefined ? {} : { json }) };
}

/** Thrown by a handler: the server answers it in its own form of an error. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string = code,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export interface CallParts {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly match: RegExpMatchArray;
  readonly body: Buffer;
  /** Takes one of the misbehaviours that were asked of the server. */
  readonly misbehaves: (kind: Misbehaviour) => boolean;
}

export class Call {
  /** The request itself: its socket shows a client certificate. */
  readonly request: IncomingMessage;
  readonly method: string;
  /** Undecoded, without the query. */
  readonly path: string;
  /** Groups of the route's pattern. */
  readonly match: RegExpMatchArray;
  /** Lower-case names. */
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** True where the server is to misbehave in this way, now: the handler then does so. */
  readonly misbehaves: (kind: Misbehaviour) => boolean;
  readonly #search: string;

  constructor(parts: CallParts) {
    this.request = parts.request;
    this.method = parts.method;
    this.path = parts.path;
    this.match = parts.match;
    this.headers = parts.request.headers;
    this.body = parts.body;
    this.misbehaves = parts.misbehaves;
    this.#search = parts.search;
  }

  /** The query's parameters; any that isn't allowed, or comes twice, is refused. */
  query(allowed: readonly string[] = []): Readonly<Record<string, string>> {
    return single(parameters(this.#search, allowed));
  }

  /** The form's parameters; any that isn't allowed, or comes twice (RFC 6749 section 3.2), is refused. */
  form(allowed: readonly string[]): Readonly<Record<string, string>> {
    return single(this.formLists(allowed));
  }

  /** As `form`, for parameters that may repeat (RFC 8693 section 2.1). */
  formLists(allowed: readonly string[]): ReadonlyMap<string, readonly string[]> {
    this.#assertType('application/x-www-form-urlencoded');
    return parameters(this.body.toString(), allowed);
  }

  /** The body's JSON object; a key that isn't allowed is refused. */
  json(allowed: readonly string[]): Readonly<Record<string, unknown>> {
    this.#assertType('application/json');
    let value: unknown;
    try {
      value = JSON.parse(this.body.toString());
    } catch {
      throw new Refusal(400, 'invalid_request', 'the body is no JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Refusal(400, 'invalid_request', 'the body is no object');
    for (const key of Object.keys(value)) if (!allowed.includes(key)) throw unknown(key);
    return value as Readonly<Record<string, unknown>>;
  }

  /** Refuses a body where there must be none. */
  assertNoBody(): void {
    if (this.body.length > 0) throw new Refusal(400, 'invalid_request', 'there must be no body');
  }

  /** The token of `Authorization: Bearer` (RFC 6750), or null. */
  bearer(): string | null {
    return /^Bearer ([\w.~+/=-]+)$/i.exec(this.headers.authorization ?? '')?.[1] ?? null;
  }

  /** User and password of `Authorization: Basic`, form-decoded as RFC 6749 section 2.3.1 asks, or null. */
  basic(): readonly [string, string] | null {
    const text = /^Basic ([\w+/=-]+)$/i.exec(this.headers.authorization ?? '')?.[1];
    if (text === undefined) return null;
    const [user = '', password = ''] = Buffer.from(text, 'base64').toString().split(/:(.*)/s);
    const decode = (part: string) => decodeURIComponent(part.replaceAll('+', ' '));
    return [decode(user), decode(password)];
  }

  #assertType(type: string): void {
    const given = (this.headers['content-type'] ?? '').split(';')[0]?.trim();
    if (given !== type) throw new Refusal(415, 'invalid_request', `the body must be ${type}`);
  }
}

function parameters(text: string, allowed: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (!allowed.includes(name)) throw unknown(name);
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

function single(lists: ReadonlyMap<string, readonly string[]>): Readonly<Record<string, string>> {
  const values: Record<string, string> = Object.create(null);
  for (const [name, [value = '', ...more]] of lists) {
    if (more.length > 0) throw new Refusal(400, 'invalid_request', `"${name}" comes twice`);
    values[name] = value;
  }
  return values;
}

function unknown(name: string): Refusal {
  return new Refusal(400, 'invalid_request', `"${name}" is unknown`);
}

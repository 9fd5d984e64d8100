/** A token as Vault describes it where it hands one out: the field `auth` of an answer. */
import { type JsonPath, numberAt, textAt, textsAt, valueAt } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';

export interface IssuedToken {
  readonly token: string;
  /** By which others can look it up and revoke it; empty for a batch token. */
  readonly accessor: string;
  /** By this machine's clock; NaN where the answer does not say. */
  readonly expiresAt: Date;
  /** Those of the token itself and those that it has through its entity. */
  readonly policies: readonly string[];
  readonly entityId: string;
  readonly type: string;
  /** How often it may be used; 0 for no limit. */
  readonly uses: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where the secret is, for `callJson`. */
export function secretOfToken(name: string): Readonly<Record<string, JsonPath>> {
  return { [name]: ['auth', 'client_token'] };
}

/** Null where the answer holds none. */
export function issuedToken({ body, receivedAt }: JsonAnswer): IssuedToken | null {
  const token = textAt(body, 'auth', 'client_token');
  if (token === null || !isTokenShaped(token)) return null;
  const policies = ['policies', 'token_policies', 'identity_policies'].flatMap(
    (name) => textsAt(body, 'auth', name) ?? [],
  );
  return {
    token,
    accessor: textAt(body, 'auth', 'accessor') ?? '',
    expiresAt: after(receivedAt, numberAt(body, 'auth', 'lease_duration')),
    policies: [...new Set(policies)],
    entityId: textAt(body, 'auth', 'entity_id') ?? '',
    type: textAt(body, 'auth', 'token_type') ?? 'service',
    uses: numberAt(body, 'auth', 'num_uses') ?? 0,
    metadata: textsOf(valueAt(body, 'auth', 'metadata')),
  };
}

/** True for what can travel in a header. */
export function isTokenShaped(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** The time that many seconds later; NaN for null. */
export function after(start: Date, seconds: number | null): Date {
  return new Date(start.getTime() + (seconds ?? Number.NaN) * 1000);
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

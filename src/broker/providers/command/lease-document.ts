/**
 * What the program printed → a lease, in either of two shapes: capwrap's own, and that of a `credential_process` of AWS
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html). docs/providers.md documents both.
 */
import { AWS_DEFAULT_INJECT } from '../../../policy/providers/aws-sts.ts';
import { isJsonObject, type JsonObject } from '../../json-body.ts';
import type { BrokerContext, LeaseFault, LeaseHandle, LeaseValue } from '../../provider.ts';

/** By this name the handle carries capwrap's own id of the lease, for programs that keep that one. */
export const HANDLE_LEASE_ID = 'capwrap_lease_id';

/** A lease as far as it can be read. Where `fault` says why it must not be used, nothing public of it is kept. */
export interface PrintedLease {
  readonly values: Readonly<Record<string, LeaseValue>>;
  readonly defaultInject: Readonly<Record<string, string>>;
  /** An invalid date where there is none that can be read. */
  readonly expiresAt: Date;
  readonly principal: string | null;
  /** Null where the program did not say. */
  readonly scope: readonly string[] | null;
  readonly handle: LeaseHandle | null;
  readonly fault: LeaseFault | null;
}

type Shape = Omit<PrintedLease, 'fault'>;

/** The JSON object in the output; null where it is anything else. What a parser says would quote it. */
export function parseDocument(output: Buffer): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(output));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Reads a lease. Each secret is registered with the masker before anything else is looked at. Never throws: a
 * credential that may exist has to get its end, whatever is wrong with its description.
 */
export function readLease(
  document: JsonObject,
  context: Pick<BrokerContext, 'registerSecret'>,
): PrintedLease {
  const isAws = 'AccessKeyId' in document;
  const secrets = isAws ? awsSecrets(document) : ownSecrets(document);
  for (const [name, text] of secrets) {
    const trimmed = text.trim(); // a line end is no part of what a program would print
    for (const form of new Set([trimmed, text])) if (form !== '') context.registerSecret(name, form);
  }
  const read = isAws ? readAws(document) : readOwn(document);
  const fault = typeof read === 'string' ? unfit(read) : faultIn(read, secrets);
  return typeof read === 'string' || fault !== null
    ? { ...NOTHING, ...times(document), fault }
    : { ...read, fault };
}

const NOTHING: Shape = {
  values: {},
  defaultInject: {},
  expiresAt: new Date(Number.NaN),
  principal: null,
  scope: null,
  handle: null,
};

function unfit(text: string): LeaseFault {
  return {
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    text,
    hint: 'see "command" in docs/providers.md for what the program has to print',
  };
}

/** A long-lived key is refused under any name, and what is public must not repeat what is secret. */
function faultIn(lease: Shape, secrets: readonly (readonly [string, string])[]): LeaseFault | null {
  const values = Object.values(lease.values);
  if (values.some(({ value }) => /^AKIA[A-Z0-9]{12,}$/.test(value))) {
    return {
      code: 'ERR_PROVIDER_INVALID_RESPONSE',
      text: 'printed a long-lived access key (AKIA...), which is never handed out',
      hint: 'let the program assume a role, and print the keys of that session',
    };
  }
  const open = [
    ...values.filter(({ secret }) => !secret).map(({ value }) => value),
    ...Object.keys(lease.values),
    ...(lease.scope ?? []),
    ...Object.entries(lease.handle ?? {}).flat(),
    lease.principal ?? '',
  ];
  const told = secrets.some(([, secret]) => secret.length >= 4 && open.some((text) => text.includes(secret)));
  return told ? unfit('printed a secret value in a public part of the lease too') : null;
}

const OWN_KEYS = ['capwrap_lease', 'values', 'token', 'expires_at', 'principal', 'scope', 'handle'];
const VALUE_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
const ONE_LINE = /^[^\u0000-\u001f\u007f-\u009f]{1,256}$/;
const MOST_VALUES = 64;
/** Names that are not another provider's own. */
const OWN_HANDLE_NAMES = [
  'id',
  'lease_id',
  'accessor',
  'jti',
  'exp',
] as const satisfies readonly (keyof LeaseHandle)[];

/** Everything that is not said to be public. */
function ownSecrets({ values, token }: JsonObject): [string, string][] {
  const found = Object.entries(isJsonObject(values) ? values : {}).flatMap(
    ([name, entry]): [string, string][] => {
      if (typeof entry === 'string') return [[name, entry]];
      if (!isJsonObject(entry) || typeof entry['value'] !== 'string' || entry['secret'] === false) return [];
      return [[name, entry['value']]];
    },
  );
  const named = found.map(([name, text]): [string, string] => [VALUE_NAME.test(name) ? name : 'value', text]);
  return typeof token === 'string' ? [...named, ['token', token]] : named;
}

function readOwn(document: JsonObject): Shape | string {
  if (document['capwrap_lease'] !== 1) return 'printed something without "capwrap_lease": 1';
  if (Object.keys(document).some((key) => !OWN_KEYS.includes(key)))
    return `printed a lease with a key that is none of ${OWN_KEYS.join(', ')}`;
  const { principal = null, scope = null, handle = null } = document;
  const values = readValues(document);
  if (typeof values === 'string') return values;
  if (principal !== null && !isLine(principal)) return 'printed a "principal" that is no line of text';
  if (scope !== null && !isWords(scope)) return 'printed a "scope" that is no list of words';
  if (handle !== null && !isHandle(handle))
    return `printed a "handle" that is no mapping of ${OWN_HANDLE_NAMES.join(', ')} to short lines`;
  return { ...NOTHING, ...times(document), values, principal, scope, handle };
}

function readValues({ values, token }: JsonObject): Record<string, LeaseValue> | string {
  if (token !== undefined) {
    if (values !== undefined) return 'printed both "values" and "token"';
    return typeof token === 'string'
      ? { token: { value: token, secret: true } }
      : 'printed a "token" that is no text';
  }
  if (!isJsonObject(values)) return 'printed neither "values" nor a "token"';
  const entries = Object.entries(values);
  if (entries.length === 0 || entries.length > MOST_VALUES)
    return `printed no values, or more than ${MOST_VALUES}`;
  const read: Record<string, LeaseValue> = Object.create(null);
  for (const [name, entry] of entries) {
    if (!VALUE_NAME.test(name)) return 'printed a value under a name that is none';
    const { value, secret = true, lines = false, ...rest } = isJsonObject(entry) ? entry : {};
    const whole = typeof secret === 'boolean' && typeof lines === 'boolean' && Object.keys(rest).length === 0;
    if (typeof value !== 'string' || !whole)
      return 'printed a value that is not {"value": "...", "secret": true or false}';
    read[name] = { value, secret, ...(lines && { lines }) };
  }
  return read;
}

function isLine(value: unknown): value is string {
  return typeof value === 'string' && ONE_LINE.test(value);
}

function isWords(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.length <= 256 && value.every((word) => isLine(word) && !/\s/.test(word))
  );
}

/** As the audit log can hold them whole. */
function isHandle(value: unknown): value is LeaseHandle {
  if (!isJsonObject(value)) return false;
  return Object.entries(value).every(
    ([name, text]) => OWN_HANDLE_NAMES.some((one) => one === name) && isLine(text) && /^[ -~]+$/.test(text),
  );
}

/** Without those of the region, which such an answer does not name. */
const AWS_INJECT = Object.fromEntries(
  Object.entries(AWS_DEFAULT_INJECT).filter(([, value]) => value !== 'region'),
);

function awsSecrets({ SecretAccessKey, SessionToken }: JsonObject): [string, string][] {
  const found: [string, unknown][] = [
    ['secret_access_key', SecretAccessKey],
    ['session_token', SessionToken],
  ];
  return found.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

function readAws(document: JsonObject): Shape | string {
  const { Version, AccessKeyId, SecretAccessKey, SessionToken } = document;
  if (Version !== 1) return 'printed an access key without "Version": 1';
  if (typeof AccessKeyId !== 'string' || !/^A[A-Z0-9]{15,127}$/.test(AccessKeyId))
    return 'printed an "AccessKeyId" that is none';
  if (typeof SecretAccessKey !== 'string') return 'printed an access key without its "SecretAccessKey"';
  const { expiresAt } = times(document);
  const open = (value: string) => ({ value, secret: false });
  const values = {
    access_key_id: open(AccessKeyId),
    secret_access_key: { value: SecretAccessKey, secret: true },
    ...(Number.isFinite(expiresAt.getTime()) && { expiration: open(withoutFraction(expiresAt)) }),
  };
  if (/^AKIA/.test(AccessKeyId)) return { ...NOTHING, values }; // refused for what it is
  if (typeof SessionToken !== 'string') return 'printed a temporary access key without its "SessionToken"';
  return {
    ...NOTHING,
    values: { ...values, session_token: { value: SessionToken, secret: true } },
    defaultInject: AWS_INJECT,
    expiresAt,
  };
}

function withoutFraction(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** RFC 3339, with its offset: a local time means another moment on another machine. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

function times(document: JsonObject): { readonly expiresAt: Date } {
  const text = 'AccessKeyId' in document ? document['Expiration'] : document['expires_at'];
  const known = typeof text === 'string' && RFC_3339.test(text);
  return { expiresAt: new Date(known ? text : Number.NaN) };
}

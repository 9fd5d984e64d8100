/** capwrap's own shape of a printed lease. */
import { isJsonObject, type JsonObject } from '../../../base/json-object.ts';
import type { LeaseHandle, LeaseValue } from '../../provider.ts';
import { NOTHING, type Shape, timeOf } from './printed-lease.ts';

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
export function ownSecrets({ values, token }: JsonObject): [string, string][] {
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

/** The lease, or what is wrong with it as the end of a sentence. */
export function readOwn(document: JsonObject): Shape | string {
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
  return { ...NOTHING, expiresAt: timeOf(document['expires_at']), values, principal, scope, handle };
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

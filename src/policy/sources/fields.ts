/** Keys that several sources share. */

import { resolve } from 'node:path';
import { SERVER_URL, WANTS_SERVER_URL } from '../../base/server-url.ts';
import { line, maybe, oneOf, text } from '../schema-fields.ts';

export const longLived = maybe(
  oneOf('refuse', 'allow'),
  'Whether a key without an expiry may serve as proof; every use is recorded and listed by "capwrap check"',
);

export const audience = maybe(line(), 'The audience that the token must be for');

export const issuer = maybe(
  text(SERVER_URL, WANTS_SERVER_URL),
  'Who signs the token: where rules demand verified facts, its claims are checked against the keys that are published there',
);

/** A path of the map, made absolute; null where there is none. */
export function absolute(path: string | undefined, dir: string): string | null {
  return path === undefined ? null : resolve(dir, path);
}

/** The issuer, where the map names one. */
export function issuerOf(raw: { readonly issuer?: string }): { readonly issuer?: string } {
  return raw.issuer === undefined ? {} : { issuer: raw.issuer };
}

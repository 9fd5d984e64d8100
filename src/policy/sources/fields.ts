/** Keys that several sources share. */
import { resolve } from 'node:path';
import { line, maybe, oneOf } from '../schema-fields.ts';

export const longLived = maybe(
  oneOf('refuse', 'allow'),
  'Whether a key without an expiry may serve as proof; every use is recorded and listed by "capwrap check"',
);

export const audience = maybe(line(), 'The audience that the token must be for');

/** A path of the map, made absolute; null where there is none. */
export function absolute(path: string | undefined, dir: string): string | null {
  return path === undefined ? null : resolve(dir, path);
}

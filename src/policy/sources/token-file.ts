/** Sources `token-file` and `web-identity-file`, which are one under two names: a file that holds a token. */
import { resolve } from 'node:path';
import { kind, must, path } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { audience, issuer, issuerOf } from './fields.ts';

export interface TokenFileSource<Type extends string = 'token-file' | 'web-identity-file'> {
  readonly type: Type;
  /** Absolute. */
  readonly path: string;
  readonly audience: string | null;
  /** Whose signature makes the claims verified facts; missing where the map names nobody. */
  readonly issuer?: string;
}

function fieldsOf<const Type extends string>(type: Type) {
  return {
    type: kind(type, 'A file that holds an OIDC token'),
    path: must(path, 'File that holds the token'),
    audience,
    issuer,
  };
}

function policyOf<const Type extends string>(
  type: Type,
): SourcePolicy<ReturnType<typeof fieldsOf<Type>>, TokenFileSource<Type>> {
  return {
    type,
    fields: fieldsOf(type),
    holds: 'token',
    normalise: (raw, dir) => ({
      type,
      path: resolve(dir, raw.path),
      audience: raw.audience ?? null,
      ...issuerOf(raw),
    }),
    label: (source) => `${source.type}:${source.path}`,
  };
}

export const webIdentityFile = policyOf('web-identity-file');
export const tokenFile = policyOf('token-file');

/** How capwrap logs in to Vault, in validated form. */
import { resolve } from 'node:path';
import { escapeValue } from '../../../base/escape.ts';
import { normaliseSource, type Source } from '../../sources/index.ts';
import { sourceText } from '../../sources/source-text.ts';
import { pairs } from '../../summary-text.ts';
import type { RawOf } from '../descriptor.ts';
import type { vaultFields } from './fields.ts';

type VaultSource = Extract<Source, { type: 'token-file' | 'token-env' | 'github-actions' }>;

/** Paths are absolute; a mount is below `auth/`. */
export type VaultAuth =
  | { readonly method: 'token'; readonly tokenFile: string; readonly longLived: boolean }
  | {
      readonly method: 'approle';
      readonly mount: string;
      readonly roleId: string;
      readonly secretIdFile: string;
      /** The path at which a wrapped secret id must have been made; null where the file holds the secret id itself. */
      readonly wrappedAt: string | null;
    }
  | {
      readonly method: 'jwt' | 'kubernetes';
      readonly mount: string;
      readonly role: string;
      readonly source: VaultSource;
    };

/** Where the kubelet puts the token of a pod's service account. */
const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export function normaliseAuth(raw: RawOf<typeof vaultFields>['auth'], dir: string): VaultAuth {
  switch (raw.method) {
    case 'token':
      return {
        method: raw.method,
        tokenFile: resolve(dir, raw.token_file),
        longLived: raw.long_lived === 'allow',
      };
    case 'approle':
      return {
        method: raw.method,
        mount: raw.mount ?? raw.method,
        roleId: raw.role_id,
        secretIdFile: resolve(dir, raw.secret_id_file),
        wrappedAt: raw.wrapped_at ?? null,
      };
    default: {
      const source = raw.source ?? ({ type: 'token-file', path: POD_TOKEN } as const);
      return {
        method: raw.method,
        mount: raw.mount ?? raw.method,
        role: raw.role,
        source: normaliseSource(source, dir) as VaultSource,
      };
    }
  }
}

/** Every field, escaped. */
export function authText(auth: VaultAuth): string {
  switch (auth.method) {
    case 'token':
      return [
        'token',
        ...pairs({ token_file: auth.tokenFile }),
        ...(auth.longLived ? ['long_lived=allow (a token without an expiry)'] : []),
      ].join(' ');
    case 'approle':
      return [
        `approle at auth/${escapeValue(auth.mount)}`,
        ...pairs({
          role_id: auth.roleId,
          secret_id_file: auth.secretIdFile,
          wrapped_at: auth.wrappedAt,
        }),
      ].join(' ');
    default:
      return [
        `${auth.method} at auth/${escapeValue(auth.mount)}`,
        ...pairs({ role: auth.role }),
        `with ${sourceText(auth.source)}`,
      ].join(' ');
  }
}

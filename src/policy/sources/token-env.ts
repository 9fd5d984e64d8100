/** Source `token-env`: a token in a variable of the caller. */
import { kind, must, variable } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { audience, issuer, issuerOf } from './fields.ts';

export interface TokenEnvSource {
  readonly type: 'token-env';
  readonly variable: string;
  readonly audience: string | null;
  /** Whose signature makes the claims verified facts; missing where the map names nobody. */
  readonly issuer?: string;
}

const fields = {
  type: kind('token-env', 'A variable of the caller that holds an OIDC token'),
  variable: must(variable, 'Variable that holds the token'),
  audience,
  issuer,
};

export const tokenEnv: SourcePolicy<typeof fields, TokenEnvSource> = {
  type: 'token-env',
  fields,
  holds: 'token',
  normalise: (raw) => ({
    type: raw.type,
    variable: raw.variable,
    audience: raw.audience ?? null,
    ...issuerOf(raw),
  }),
  label: (source) => `token-env:${source.variable}`,
};

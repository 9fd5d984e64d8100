/** Source `token-env`: a token in a variable of the caller. */
import { kind, must, variable } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { audience } from './fields.ts';

export interface TokenEnvSource {
  readonly type: 'token-env';
  readonly variable: string;
  readonly audience: string | null;
}

const fields = {
  type: kind('token-env', 'A variable of the caller that holds an OIDC token'),
  variable: must(variable, 'Variable that holds the token'),
  audience,
};

export const tokenEnv: SourcePolicy<typeof fields, TokenEnvSource> = {
  type: 'token-env',
  fields,
  holds: 'token',
  normalise: (raw) => ({ type: raw.type, variable: raw.variable, audience: raw.audience ?? null }),
  label: (source) => `token-env:${source.variable}`,
};

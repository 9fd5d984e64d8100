/** Source `env`: access keys from the variables of the caller. */
import { kind } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { longLived } from './fields.ts';

export interface EnvSource {
  readonly type: 'env';
  readonly longLived: boolean;
}

const fields = {
  type: kind('env', 'AWS_ACCESS_KEY_ID and its fellows in the environment of the caller'),
  long_lived: longLived,
};

export const env: SourcePolicy<typeof fields, EnvSource> = {
  type: 'env',
  fields,
  holds: 'keys',
  normalise: (raw) => ({ type: raw.type, longLived: raw.long_lived === 'allow' }),
  label: (source) => source.type,
};

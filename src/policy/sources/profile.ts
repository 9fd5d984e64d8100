/** Source `profile`: access keys from the files of the AWS CLI. */
import { kind, line, maybe, must, path } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { absolute, longLived } from './fields.ts';

export interface ProfileSource {
  readonly type: 'profile';
  readonly profile: string;
  /** Absolute paths; null means the caller's `~/.aws/config` and `~/.aws/credentials`. */
  readonly configFile: string | null;
  readonly credentialsFile: string | null;
  readonly longLived: boolean;
}

const fields = {
  type: kind('profile', 'A profile of the AWS CLI'),
  profile: must(line(), 'A profile of the AWS config or credentials file'),
  config_file: maybe(path, 'Instead of ~/.aws/config'),
  credentials_file: maybe(path, 'Instead of ~/.aws/credentials'),
  long_lived: longLived,
};

export const profile: SourcePolicy<typeof fields, ProfileSource> = {
  type: 'profile',
  fields,
  holds: 'keys',
  normalise: (raw, dir) => ({
    type: raw.type,
    profile: raw.profile,
    configFile: absolute(raw.config_file, dir),
    credentialsFile: absolute(raw.credentials_file, dir),
    longLived: raw.long_lived === 'allow',
  }),
  label: (source) => `profile:${source.profile}`,
};

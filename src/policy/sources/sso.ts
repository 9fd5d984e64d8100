/** Source `sso`: the sign-in at IAM Identity Center that `aws sso login` has left. */
import { kind, line, maybe, must, path } from '../schema-fields.ts';
import type { SourcePolicy } from './descriptor.ts';
import { absolute } from './fields.ts';
import { metadataEndpoint } from './metadata-endpoint.ts';

export interface SsoSource {
  readonly type: 'sso';
  readonly profile: string;
  /** Absolute path; null means the caller's `~/.aws/config`. */
  readonly configFile: string | null;
  /** Absolute path; null means the caller's `~/.aws/sso/cache`. */
  readonly cacheDir: string | null;
  /** Null means the portal of the region that the profile names. */
  readonly endpoint: string | null;
}

const fields = {
  type: kind('sso', 'A sign-in at IAM Identity Center, made by "aws sso login"'),
  profile: must(
    line(),
    'A profile of the AWS config file with sso_session, sso_account_id and sso_role_name',
  ),
  config_file: maybe(path, 'Instead of ~/.aws/config'),
  cache_dir: maybe(path, 'Instead of ~/.aws/sso/cache'),
  endpoint: metadataEndpoint(null, 'Instead of the portal of AWS, for tests'),
};

export const sso: SourcePolicy<typeof fields, SsoSource> = {
  type: 'sso',
  fields,
  holds: 'keys',
  roleSession: true,
  normalise: (raw, dir) => ({
    type: raw.type,
    profile: raw.profile,
    configFile: absolute(raw.config_file, dir),
    cacheDir: absolute(raw.cache_dir, dir),
    endpoint: raw.endpoint ?? null,
  }),
  label: (source) => `sso:${source.profile}`,
};

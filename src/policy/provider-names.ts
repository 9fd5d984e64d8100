/** Child variables that each provider fills, and what a map without `inject` gets. */
import type { SoundCapability } from './schema.ts';

/** Child variable → value of the lease, by the standard names of the AWS SDKs and CLI. */
export const AWS_DEFAULT_INJECT: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: 'access_key_id',
  AWS_SECRET_ACCESS_KEY: 'secret_access_key',
  AWS_SESSION_TOKEN: 'session_token',
  AWS_CREDENTIAL_EXPIRATION: 'expiration',
  AWS_REGION: 'region',
  AWS_DEFAULT_REGION: 'region',
};

const AWS_STANDARD_NAMES = Object.keys(AWS_DEFAULT_INJECT);

/** No tool expects a name of its own for a token of the local issuer. */
export const LOCAL_DEFAULT_INJECT: Readonly<Record<string, string>> = { CAPWRAP_TOKEN: 'token' };

/** The variables that a lease of this capability fills. */
export function producedNames(raw: SoundCapability): readonly string[] {
  if (raw.inject !== undefined) return Object.keys(raw.inject);
  return raw.provider === 'aws-sts' ? AWS_STANDARD_NAMES : Object.keys(LOCAL_DEFAULT_INJECT);
}

/** Variables that would be a second credential beside the lease, also where `inject` gives the lease other names. */
export function credentialNames(raw: SoundCapability): readonly string[] {
  return raw.provider === 'aws-sts' ? AWS_STANDARD_NAMES.filter((name) => !name.endsWith('REGION')) : [];
}

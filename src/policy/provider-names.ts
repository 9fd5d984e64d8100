/** Child variables that each provider fills, and what a map without `inject` gets. */
import type { SoundCapability } from './schema.ts';

/** Standard names of the AWS SDKs and CLI, filled where the map has no `inject`. */
export const AWS_STANDARD_NAMES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
] as const;

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

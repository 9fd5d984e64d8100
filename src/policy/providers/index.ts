/**
 * The providers. A new one is a file beside this one, a line in `PROVIDERS`, and its module and line in
 * src/broker/registry.ts; the schema, the types, and all that people see of a config derive from here.
 */
import type * as v from 'valibot';
import { CapwrapError } from '../../errors.ts';
import { awsSts } from './aws-sts.ts';
import { command } from './command.ts';
import type { ProviderPolicy } from './descriptor.ts';
import { gcp } from './gcp.ts';
import { gitHubApp } from './github-app.ts';
import { localIssuer } from './local-issuer.ts';
import { oauth2 } from './oauth2.ts';
import { vault } from './vault.ts';

/** In the order of the documentation. */
export const PROVIDERS = [awsSts, vault, gitHubApp, localIssuer, oauth2, gcp, command] as const;

export type ProviderConfig = ReturnType<(typeof PROVIDERS)[number]['normalise']>;
export type ProviderName = ProviderConfig['provider'];

type AnyProvider = ProviderPolicy<v.ObjectEntries, ProviderConfig>;
// Each is typed by its own fields; found by the name in a config, it is only ever given a config of that name.
const BY_NAME = new Map(PROVIDERS.map((policy) => [policy.name as string, policy as unknown as AnyProvider]));

/** Null for a word that names no provider. */
export function providerNamed(name: unknown): AnyProvider | null {
  return BY_NAME.get(name as string) ?? null;
}

/** What is known of the provider of `config`, be it as in the map or validated. */
export function policyOf(config: { readonly provider: ProviderName }): AnyProvider {
  const policy = providerNamed(config.provider);
  if (policy === null) throw new CapwrapError('ERR_INTERNAL', `provider "${config.provider}" has no policy`);
  return policy;
}

/** What a capability's credential may do, as short words: the actions for AWS, the scope tokens for OAuth-like issuers. */
export function scopeWords(config: ProviderConfig): readonly string[] {
  return policyOf(config).scopeWords(config);
}

import type { ProviderConfig } from './capability.ts';

/** What a capability's credential may do, as short words: the actions for AWS, the scope tokens for OAuth-like issuers. */
export function scopeWords(config: ProviderConfig): readonly string[] {
  return config.provider === 'aws-sts' ? config.scope.flatMap((entry) => entry.actions) : config.scope;
}

/** How the issuer's side of a capability changed: which credential is asked for, with which proof. */
import { type ProviderConfig, policyOf } from '../providers/index.ts';
import { anotherOne, type MapChange } from './change.ts';

/** `at` is the capability's place. */
export function compareProvider(before: ProviderConfig, after: ProviderConfig, at: string): MapChange[] {
  if (before.provider === after.provider) return policyOf(after).compare(before, after, at);
  return [anotherOne('widening', `${at}.provider`, 'provider', describe(before), describe(after))];
}

function describe(config: ProviderConfig): string {
  const policy = policyOf(config);
  return `${config.provider} ${policy.target(config)}: ${policy.reach(config).join('; ')}`;
}

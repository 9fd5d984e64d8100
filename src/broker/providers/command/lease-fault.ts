/** In what a printed lease differs from what the map asks for. */
import type { CommandConfig } from '../../../policy/providers/command.ts';
import type { IssueRequest, Lease, LeaseFault } from '../../provider.ts';

/** Another principal, or more scope; null for neither. */
export function differs(
  principal: string | null,
  scope: readonly string[] | null,
  config: CommandConfig,
): LeaseFault | null {
  if (config.principal !== null && principal !== config.principal) {
    const whom = principal === null ? 'without naming its principal' : `for "${principal}"`;
    return {
      code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
      text: `issued a credential ${whom}, not for "${config.principal}"`,
      hint: 'compare principal in the map with what the program prints',
    };
  }
  const wider = scope?.filter((word) => !config.scope.includes(word)) ?? [];
  if (wider.length === 0) return null;
  return {
    code: 'ERR_PROVIDER_SCOPE',
    text: `issued a credential that may do more than was asked for: ${wider.slice(0, 8).join(', ')}`,
    hint: 'compare scope in the map with what the program prints',
  };
}

/** Only keys of AWS have standard names; anything else would reach nobody. */
export function undelivered(lease: Lease, { capability }: IssueRequest): LeaseFault | null {
  const named = [capability.inject, capability.files, lease.defaultInject].some(
    (names) => Object.keys(names).length > 0,
  );
  if (named) return null;
  const [first = 'token'] = Object.keys(lease.values);
  return {
    code: 'ERR_MAP_INVALID',
    text: 'printed values that have no standard names, and the map hands none of them to the command',
    hint: `inject: {NAME: ${first}}`,
  };
}

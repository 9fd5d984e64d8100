/** The end of a token, by itself or by its accessor. */
import { CapwrapError } from '../../../errors.ts';
import type { BrokerContext } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import { isFine, type Vault, type VaultCall } from './client.ts';
import { refusal, saidBy } from './refusal.ts';

/** Limit for a call at the end of a lease, so that one without an answer leaves time for the others. */
export const END_CALL_MS = 4_000;

/** What a step at the end did, as a line for the record, and why it failed, or null. */
export interface Step {
  readonly did: string;
  readonly error: string | null;
}

/** Revokes a token with itself; the policy `default` allows that. Never throws. */
export function revokeToken(token: string, vault: Vault, context: BrokerContext): Promise<Step> {
  return step({ method: 'POST', path: 'auth/token/revoke-self', token }, vault, context);
}

/** Revokes a token of another process. One that is gone already is as good as revoked. Never throws. */
export function revokeAccessor(
  accessor: string,
  token: string,
  vault: Vault,
  context: BrokerContext,
): Promise<Step> {
  const path = 'auth/token/revoke-accessor';
  return step({ method: 'POST', path, token, json: { accessor } }, vault, context, ['invalid accessor']);
}

/** `gone`: words that say that there is nothing left to end. */
export async function step(
  call: VaultCall,
  vault: Vault,
  context: BrokerContext,
  gone: readonly string[] = [],
): Promise<Step> {
  try {
    const answer = await withRetry(() => vault.ask({ timeoutMs: END_CALL_MS, ...call }, context), context, {
      waitMs: 2_000,
    });
    const said = saidBy(answer, gone);
    const did = `${call.path} answered ${answer.status}${said === null ? '' : ` (${said})`}`;
    if (isFine(answer) || answer.status === 202 || said !== null) return { did, error: null };
    return { did, error: refusal(answer, '').message };
  } catch (error) {
    const words = error instanceof CapwrapError ? error.message : 'unexpected failure';
    return { did: `${call.path} has no usable answer`, error: words };
  }
}

/** Keys of a session that a service has handed out → a proof, if the session is not over. */
import { CapwrapError } from '../../errors.ts';
import type { BrokerContext } from '../provider.ts';
import { type FoundKeys, toKeyProof } from './keys.ts';
import type { KeyProof } from './proof.ts';

/** Registers the keys, then checks them and their end. Throws as `toKeyProof`, and ERR_SOURCE_INVALID for an end that is over or missing. */
export function toSessionProof(
  found: FoundKeys & { readonly expiresAt: Date },
  { label, remedy }: { readonly label: string; readonly remedy: string },
  context: BrokerContext,
): KeyProof {
  const proof = toKeyProof(found, { label, longLivedAllowed: false, remedy }, context);
  const end = found.expiresAt.getTime();
  if (Number.isFinite(end) && end > context.now().getTime()) return proof;
  const what = Number.isFinite(end)
    ? `holds a session that expired at ${found.expiresAt.toISOString()}`
    : 'holds a session without an end';
  throw new CapwrapError('ERR_SOURCE_INVALID', `source "${label}" ${what}`, { hint: remedy });
}

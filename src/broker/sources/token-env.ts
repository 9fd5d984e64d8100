/** Source `token-env`: a token in a variable that the map names, as GitLab and CircleCI provide it. */
import { CapwrapError } from '../../errors.ts';
import { type Source, sourceLabel } from '../../policy/sources/index.ts';
import type { BrokerContext } from '../provider.ts';
import type { TokenProof } from './proof.ts';
import { toTokenProof } from './token.ts';

/** Reads the one variable that the map names. */
export function readTokenEnv(
  source: Extract<Source, { type: 'token-env' }>,
  context: BrokerContext,
): TokenProof {
  const token = context.env[source.variable];
  if (token === undefined) {
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `variable "${source.variable}" is not set`, {
      hint: `the map reads the token from it; in GitLab CI declare it under id_tokens: of the job`,
    });
  }
  return toTokenProof(token, { label: sourceLabel(source), audience: source.audience }, context);
}

/** Sources `web-identity-file` and `token-file`: a token that something else keeps fresh in a file. */
import { CapwrapError } from '../../errors.ts';
import { type Source, sourceLabel } from '../../policy/sources/index.ts';
import type { BrokerContext } from '../provider.ts';
import type { TokenProof } from './proof.ts';
import { assertUnexposed, readSourceFile } from './source-file.ts';
import { MAX_TOKEN_CHARACTERS, toTokenProof } from './token.ts';

/** Reads the token anew each time: Kubernetes rotates it. A file that others can read is refused (source-file.ts). */
export function readTokenFile(
  source: Extract<Source, { type: 'web-identity-file' | 'token-file' }>,
  context: BrokerContext,
): TokenProof {
  const file = readSourceFile(source.path, MAX_TOKEN_CHARACTERS + 2);
  if (file === null) {
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `"${source.path}" does not exist`, {
      hint: 'the token file that the map names under source: path is written by the platform; is this the right machine?',
    });
  }
  assertUnexposed(file);
  return toTokenProof(file.text, { label: sourceLabel(source), audience: source.audience }, context);
}

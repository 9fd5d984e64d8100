/** A source of the map → the proof it holds right now. */
import { CapwrapError } from '../../errors.ts';
import type { Source } from '../../policy/capability.ts';
import type { BrokerContext } from '../provider.ts';
import { readEnv } from './env.ts';
import { requestGitHubToken } from './github-actions.ts';
import { readProfile } from './profile.ts';
import type { Proof } from './proof.ts';
import { readTokenEnv } from './token-env.ts';
import { readTokenFile } from './token-file.ts';

/**
 * Reads the source. Each secret is registered with the masker before it is looked at. Throws
 * ERR_SOURCE_UNAVAILABLE, ERR_SOURCE_INVALID or ERR_SOURCE_LONG_LIVED with the line to change.
 */
export async function readSource(source: Source, context: BrokerContext): Promise<Proof> {
  switch (source.type) {
    case 'profile':
      return readProfile(source, context);
    case 'env':
      return readEnv(source, context);
    case 'web-identity-file':
    case 'token-file':
      return readTokenFile(source, context);
    case 'token-env':
      return readTokenEnv(source, context);
    case 'sso':
      return (await import('./sso.ts')).readSso(source, context);
    case 'instance':
      return (await import('./instance.ts')).readInstance(source, context);
    case 'container':
      return (await import('./container.ts')).readContainer(source, context);
    case 'github-actions':
      return requestGitHubToken(source, context);
    case 'local-issuer':
      return (await import('./local-issuer.ts')).signProof(source, context);
    default:
      throw unknownSource(source);
  }
}

function unknownSource(source: never): CapwrapError {
  return new CapwrapError('ERR_INTERNAL', `source "${String((source as Source).type)}" has no reader`);
}

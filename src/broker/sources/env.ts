/** Source `env`: the caller's AWS key variables. */
import { type Source, sourceLabel } from '../../policy/sources/index.ts';
import type { BrokerContext } from '../provider.ts';
import { toKeyProof } from './keys.ts';
import type { KeyProof } from './proof.ts';

/** Reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and nothing else. */
export function readEnv(source: Extract<Source, { type: 'env' }>, context: BrokerContext): KeyProof {
  return toKeyProof(
    {
      accessKeyId: context.env['AWS_ACCESS_KEY_ID'],
      secretAccessKey: context.env['AWS_SECRET_ACCESS_KEY'],
      sessionToken: context.env['AWS_SESSION_TOKEN'],
    },
    {
      label: sourceLabel(source),
      longLivedAllowed: source.longLived,
      remedy: 'export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of one session',
    },
    context,
  );
}

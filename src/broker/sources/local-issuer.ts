/** Source `local-issuer`: the embedded issuer speaks for this machine before a server that trusts its key. */
import type { Source } from '../../policy/sources/index.ts';
import { sourceLabel } from '../../policy/sources/index.ts';
import { newLeaseId } from '../lease-id.ts';
import type { BrokerContext } from '../provider.ts';
import { issuerFiles, readKey, readName, required } from '../providers/local-issuer/files.ts';
import { unixSeconds } from '../providers/local-issuer/times.ts';
import { signToken } from '../providers/local-issuer/token.ts';
import type { TokenProof } from './proof.ts';
import { toTokenProof } from './token.ts';

/** Seconds that the token lives: it is made right before the exchange, and nobody revokes it. */
const LIFE = 60;

/** Signs a token without a scope, for one audience. Throws ERR_ISSUER_NOT_READY before `capwrap issuer init`. */
export async function signProof(
  source: Extract<Source, { type: 'local-issuer' }>,
  context: BrokerContext,
): Promise<TokenProof> {
  const files = issuerFiles(context.stateDir, process.getuid?.() ?? -1);
  const key = required(readKey(files));
  context.registerSecret('issuer_key', key.d);
  const iat = unixSeconds(context.now());
  const { audience } = source;
  const claims = {
    sub: source.subject ?? 'capwrap',
    aud: audience,
    iat,
    exp: iat + LIFE,
    jti: newLeaseId(),
    scope: '',
    client_id: 'capwrap',
  };
  const token = await signToken(key, required(readName(files)), claims);
  return toTokenProof(token, { label: sourceLabel(source), audience }, context);
}

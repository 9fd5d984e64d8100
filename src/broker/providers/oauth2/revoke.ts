/** The end of a token at its server (RFC 7009). */

import { statusError } from '../../exchange-error.ts';
import { errorWords } from '../../json-body.ts';
import type { BrokerContext, EndAnswer } from '../../provider.ts';
import type { Held } from './held.ts';
import { post } from './session.ts';

/** A server that is away for a moment is asked again (section 2.2.1), within the time that the end of a lease has. */
const LIMITS = { attempts: 4, waitMs: 8_000 };

const KNOWN = ['unsupported_token_type', 'invalid_client', 'invalid_request', 'unauthorized_client'] as const;

/**
 * Revokes the refresh token first where there is one, since whoever has it has the others (section 2.1), then the
 * token. A 200 says that it was accepted, for a token that the server has never seen too.
 */
export async function revokeLease(held: Held, context: BrokerContext): Promise<EndAnswer> {
  if (held.session.server.revocation === null) return { kind: 'not_revocable', did: null };
  const { refreshToken, token } = held;
  const first = refreshToken === null ? null : await attempt(held, refreshToken, 'refresh_token', context);
  const answer = await revoke(held, token, 'access_token', context);
  if (first === null || first.kind === 'ended' || answer.kind !== 'ended') return answer;
  return { ...answer, did: `${answer.did}; the refresh token, which nobody else has, was not revoked` };
}

/** The refresh token was never handed out: a failure with it must not keep the token itself from being ended. */
async function attempt(...args: Parameters<typeof revoke>): Promise<EndAnswer> {
  try {
    return await revoke(...args);
  } catch {
    return { kind: 'failed', did: 'no answer', error: 'no answer' };
  }
}

async function revoke(
  { session }: Held,
  token: string,
  hint: 'access_token' | 'refresh_token',
  context: BrokerContext,
): Promise<EndAnswer> {
  const { config, server } = session;
  if (server.revocation === null) return { kind: 'not_revocable', did: null };
  const answer = await post(
    session,
    {
      url: server.revocation,
      endpointKey: config.revocationEndpoint === null ? null : 'revocation_endpoint',
      form: [
        ['token', token],
        ['token_type_hint', hint],
      ],
      answer: 'if_json', // the content of a 200 is ignored (section 2.2)
    },
    context,
    LIMITS,
  );
  const { status } = answer;
  if (status === 200 || status === 204) return { kind: 'ended', did: `revocation answered ${status}` };
  const word = errorWords(answer.body, KNOWN);
  const did = `revocation answered ${status}${word === null ? '' : ` (${word})`}`;
  if (word === 'unsupported_token_type') return { kind: 'not_revocable', did };
  return { kind: 'failed', did, error: statusError(answer, word).message };
}

/** The token's form, and signing it. */
import { createPrivateKey } from 'node:crypto';
import { isJsonObject } from '../../../base/json-object.ts';
import { CapwrapError } from '../../../errors.ts';
import type { LocalIssuerConfig } from '../../../policy/providers/local-issuer.ts';
import type { IssueRequest } from '../../provider.ts';
import { isSeconds, isTokenId, type PrivateJwk } from './formats.ts';
import { unixSeconds } from './times.ts';

/** RFC 9068: says that this JWT is an access token, so that no other kind of JWT passes for one. */
export const TOKEN_TYPE = 'at+jwt';

/** What a token says (RFC 7519, RFC 9068, RFC 8693 for `act`), beside its issuer. */
export interface TokenClaims {
  readonly sub: string;
  readonly aud: string;
  /** Unix seconds. */
  readonly iat: number;
  /** Unix seconds. */
  readonly exp: number;
  /** The lease id. */
  readonly jti: string;
  /** Scope tokens with blanks between them. */
  readonly scope: string;
}

/** Longest task id that a token repeats, in UTF-16 units: a token has to fit a header. */
const MAX_TASK_ID = 256;

/** The claims for an allowed request. Those of `act` and `capwrap_task` are as the caller gave them. */
export function claimsFor(request: IssueRequest, config: LocalIssuerConfig, now: Date) {
  return {
    sub: config.subject ?? `capability:${request.capability.name}`,
    aud: config.audience,
    iat: unixSeconds(now),
    exp: unixSeconds(request.deadline),
    jti: request.leaseId,
    scope: config.scope.join(' '),
    client_id: 'capwrap',
    act: { sub: request.actor },
    ...(request.taskId.length <= MAX_TASK_ID ? { capwrap_task: request.taskId } : {}),
  } satisfies TokenClaims & Record<string, unknown>;
}

/** A compact JWS over the claims. Throws ERR_STATE_UNSAFE where the key is none. */
export async function signToken(key: PrivateJwk, issuer: string, claims: TokenClaims): Promise<string> {
  // The one module of the library that signs: loading the whole costs twice as much, and this is a run's hot path.
  const { SignJWT } = await import('jose/jwt/sign');
  return new SignJWT({ iss: issuer, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: TOKEN_TYPE, kid: key.kid })
    .sign(privateKey(key));
}

/** Claims whose signature held, or null where one of them is missing or of another type. */
export function asTokenClaims(payload: unknown): TokenClaims | null {
  if (!isJsonObject(payload)) return null;
  const { sub, aud, iat, exp, jti, scope } = payload;
  if (typeof sub !== 'string' || typeof aud !== 'string' || typeof scope !== 'string') return null;
  return isSeconds(iat) && isSeconds(exp) && isTokenId(jti) ? { sub, aud, iat, exp, jti, scope } : null;
}

/** Node's own key object is imported faster than the JWK itself. The cause is left out: it could quote the key. */
function privateKey(key: PrivateJwk) {
  try {
    return createPrivateKey({ key: { ...key }, format: 'jwk' });
  } catch {
    throw new CapwrapError('ERR_STATE_UNSAFE', `"key.json" of the local issuer holds no usable key`, {
      hint: 'capwrap issuer init --rotate',
    });
  }
}

/** Checking a token as a service does: signature, type, issuer, audience, time, scope, and the revocation list last. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { jwtVerify } from 'jose/jwt/verify';
import { liveKeys, type PublicJwk, type RevocationList } from './formats.ts';
import { LEEWAY, unixSeconds } from './times.ts';
import { asTokenClaims, TOKEN_TYPE, type TokenClaims } from './token.ts';

/** Why a token is refused; stable keys. */
export type Refusal =
  | 'malformed'
  | 'wrong_algorithm'
  | 'wrong_type'
  | 'unknown_key'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'not_yet_valid'
  | 'expired'
  | 'scope_missing'
  | 'revoked';

/** `claims` are there only once the signature held. */
export type Verdict =
  | { readonly status: 'valid'; readonly claims: TokenClaims }
  | { readonly status: 'refused'; readonly reason: Refusal; readonly claims: TokenClaims | null };

/** What the service demands, and what the issuer has published. */
export interface Expectation {
  readonly issuer: string;
  /** Null leaves the audience to the caller. */
  readonly audience: string | null;
  /** Each of these must be among the token's. */
  readonly scope: readonly string[];
  readonly keys: readonly PublicJwk[];
  readonly list: RevocationList;
  readonly now: Date;
}

/** The verdict on one token; a pure function of its arguments. Only EdDSA and only a key named by `kid` count. */
export async function verifyToken(token: string, expected: Expectation): Promise<Verdict> {
  let claims: TokenClaims | null;
  try {
    const { payload } = await jwtVerify(token, ({ kid }) => publicKey(expected, kid), {
      algorithms: ['EdDSA'],
      typ: TOKEN_TYPE,
      issuer: expected.issuer,
      ...(expected.audience === null ? {} : { audience: expected.audience }),
      requiredClaims: ['sub', 'aud', 'iat', 'exp', 'jti', 'scope'],
      clockTolerance: LEEWAY,
      currentDate: expected.now,
    });
    claims = asTokenClaims(payload);
  } catch (error) {
    return refusalOf(error);
  }
  if (claims === null) return refused('malformed', null);
  const { jti } = claims;
  const held = new Set(claims.scope.split(' '));
  if (!expected.scope.every((scope) => held.has(scope))) return refused('scope_missing', claims);
  // Last, so that `revoked` says that nothing else was wrong: the probe at a lease's end relies on it.
  if (expected.list.revoked.some((entry) => entry.jti === jti)) return refused('revoked', claims);
  return { status: 'valid', claims };
}

class UnknownKey extends Error {}

function publicKey({ keys, now }: Expectation, kid: string | undefined): KeyObject {
  const jwk = liveKeys(keys, unixSeconds(now)).find((key) => key.kid === kid);
  if (jwk === undefined) throw new UnknownKey();
  return createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: 'jwk' });
}

/** The library's error codes as reasons; whatever it may find beyond them is a token not worth reading. */
function refusalOf(error: unknown): Verdict {
  const { code, claim, payload } = error as { code?: unknown; claim?: unknown; payload?: unknown };
  return refused(reasonOf(error, code, claim), asTokenClaims(payload));
}

function reasonOf(error: unknown, code: unknown, claim: unknown): Refusal {
  if (error instanceof UnknownKey) return 'unknown_key';
  if (code === 'ERR_JOSE_ALG_NOT_ALLOWED') return 'wrong_algorithm';
  if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return 'bad_signature';
  if (code === 'ERR_JWT_EXPIRED') return 'expired';
  if (code !== 'ERR_JWT_CLAIM_VALIDATION_FAILED') return 'malformed';
  if (claim === 'typ') return 'wrong_type';
  if (claim === 'iss') return 'wrong_issuer';
  if (claim === 'aud') return 'wrong_audience';
  return claim === 'nbf' ? 'not_yet_valid' : 'malformed';
}

function refused(reason: Refusal, claims: TokenClaims | null): Verdict {
  return { status: 'refused', reason, claims };
}

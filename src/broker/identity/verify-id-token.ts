/** Checking an OIDC token against the keys that its issuer publishes (OpenID Connect Core section 3.1.3.7). */

import type { JsonObject } from '../../base/json-object.ts';
import { CapwrapError } from '../../errors.ts';
import { assertEndpoint, isLoopback } from '../endpoint.ts';
import { statusError } from '../exchange-error.ts';
import { textAt } from '../json-body.ts';
import { callJson } from '../json-exchange.ts';
import type { BrokerContext } from '../provider.ts';

/** Signatures with a key of the issuer's own; a shared secret is none. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'];

/** Seconds that clocks may be apart. */
const SKEW_SECONDS = 30;

const TIMEOUT_MS = 5_000;

export interface ExpectedToken {
  /** Exactly as in the token: whose keys are asked for. */
  readonly issuer: string;
  readonly audience: string;
}

/**
 * The claims of a token whose signature, issuer, audience and times hold. The keys are fetched each time and kept
 * nowhere. Throws ERR_SOURCE_INVALID for a token that does not hold, and as `callJson` where the keys can't be had.
 */
export async function verifyIdToken(
  token: string,
  { issuer, audience }: ExpectedToken,
  context: BrokerContext,
): Promise<JsonObject> {
  const keys = await keysOf(new URL(issuer), issuer, context);
  const [{ jwtVerify }, { createLocalJWKSet }] = await Promise.all([
    import('jose/jwt/verify'),
    import('jose/jwks/local'),
  ]);
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys as never), {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ['sub', 'iat', 'exp'],
      clockTolerance: SKEW_SECONDS,
      currentDate: context.now(),
    });
    return payload;
  } catch (error) {
    throw new CapwrapError('ERR_SOURCE_INVALID', `the OIDC token ${reasonOf(error)}`);
  }
}

/** The published keys; a document of another issuer is refused. */
async function keysOf(url: URL, issuer: string, context: BrokerContext): Promise<JsonObject> {
  const path = url.pathname.replace(/\/$/, '');
  const document = await get(new URL(`${path}/.well-known/openid-configuration`, url), context);
  if (document['issuer'] !== issuer) {
    throw new CapwrapError('ERR_SOURCE_INVALID', `"${url.host}" publishes the keys of another issuer`);
  }
  const text = textAt(document, 'jwks_uri');
  const jwksUrl = text !== null && URL.canParse(text) ? new URL(text) : null;
  if (jwksUrl === null || (isLoopback(jwksUrl) && !isLoopback(url))) {
    throw new CapwrapError('ERR_SOURCE_INVALID', `"${url.host}" publishes no usable jwks_uri`);
  }
  assertEndpoint(jwksUrl, null);
  const keys = await get(jwksUrl, context);
  if (Array.isArray(keys['keys'])) return keys;
  throw new CapwrapError('ERR_SOURCE_INVALID', `"${jwksUrl.host}" publishes no keys`);
}

async function get(url: URL, context: BrokerContext): Promise<JsonObject> {
  const answer = await callJson({ url, method: 'GET', context, endpointKey: null, timeoutMs: TIMEOUT_MS });
  if (answer.status !== 200 || answer.body === null) throw statusError(answer);
  return answer.body;
}

/** The library's codes in words; what it says itself could quote the token. */
function reasonOf(error: unknown): string {
  const { code, claim } = error as { code?: unknown; claim?: unknown };
  if (code === 'ERR_JWKS_NO_MATCHING_KEY') return 'is signed by no key that its issuer publishes';
  if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return 'has a signature that does not hold';
  if (code === 'ERR_JWT_EXPIRED') return 'has expired';
  if (code === 'ERR_JOSE_ALG_NOT_ALLOWED') return 'is signed in a way that is not accepted';
  if (code !== 'ERR_JWT_CLAIM_VALIDATION_FAILED') return 'is none that can be checked';
  if (claim === 'iss') return 'is of another issuer';
  if (claim === 'aud') return 'is for another audience';
  return 'lacks a claim, or is not valid yet';
}

/** Text that a source found → a token proof, if it is a JWT that can still be used. */
import { isJsonObject } from '../../base/json-object.ts';
import { CapwrapError } from '../../errors.ts';
import type { BrokerContext } from '../provider.ts';
import type { TokenClaims, TokenProof } from './proof.ts';

/** Longest token that STS takes (AssumeRoleWithWebIdentity, WebIdentityToken). */
export const MAX_TOKEN_CHARACTERS = 20_000;

/** Difference of clocks that the local check of `exp` and `nbf` forgives; the issuer's check is the real one. */
const SKEW_SECONDS = 60;

/**
 * Registers the token with the masker and checks its form, times and audience, so that the common mistakes get a
 * message of their own before anything is sent. The signature is the issuer's to check.
 */
export function toTokenProof(
  raw: string,
  source: { readonly label: string; readonly audience: string | null },
  context: BrokerContext,
): TokenProof {
  const token = raw.replace(/\r?\n$/, '');
  if (token === '') throw invalid(source.label, 'ERR_SOURCE_UNAVAILABLE', 'is empty');
  context.registerSecret('source_token', token);
  if (token.length > MAX_TOKEN_CHARACTERS) {
    throw invalid(
      source.label,
      'ERR_SOURCE_INVALID',
      `is ${token.length} characters long; ${MAX_TOKEN_CHARACTERS} is the limit`,
    );
  }
  const payload = decodeJwt(token);
  if (payload === null) {
    throw invalid(
      source.label,
      'ERR_SOURCE_INVALID',
      'is not a signed JSON web token',
      'expected header.payload.signature on one line, without "Bearer"',
    );
  }
  const claims = claimsOf(payload, source.label);
  assertCurrent(payload, source.label, context.now().getTime() / 1000);
  if (source.audience !== null && !claims.audience.includes(source.audience)) {
    throw invalid(
      source.label,
      'ERR_SOURCE_INVALID',
      `is for audience "${claims.audience.join(', ')}", not "${source.audience}"`,
      'request a token for that audience, or change the audience of the source in the map',
    );
  }
  return { kind: 'token', token, claims, label: source.label };
}

/** The payload of a JWS in compact form (RFC 7515, section 3.1), or null. */
function decodeJwt(token: string): Record<string, unknown> | null {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return null;
  const [header, payload] = parts.slice(0, 2).map((part) => {
    try {
      return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown;
    } catch {
      return null;
    }
  });
  return isJsonObject(header) && isJsonObject(payload) ? payload : null;
}

function claimsOf(payload: Record<string, unknown>, label: string): TokenClaims {
  const { iss, sub, aud } = payload;
  const audience = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : null;
  for (const [name, ok] of [
    ['iss', typeof iss === 'string' && iss !== ''],
    ['sub', typeof sub === 'string' && sub !== ''],
    ['aud', audience?.every((entry) => typeof entry === 'string') && audience.length > 0],
  ] as const) {
    if (!ok) throw invalid(label, 'ERR_SOURCE_INVALID', `has no usable "${name}" claim`);
  }
  return { issuer: iss as string, subject: sub as string, audience: audience as string[] };
}

function assertCurrent(payload: Record<string, unknown>, label: string, now: number): void {
  const { exp, nbf } = payload;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) {
    throw invalid(label, 'ERR_SOURCE_INVALID', 'has no expiry ("exp" claim)', 'use a token that expires');
  }
  if (exp <= now - SKEW_SECONDS) {
    throw invalid(
      label,
      'ERR_SOURCE_INVALID',
      `expired ${Math.round(now - exp)} s ago`,
      'fetch a fresh token right before the run',
    );
  }
  if (typeof nbf === 'number' && nbf > now + SKEW_SECONDS) {
    throw invalid(
      label,
      'ERR_SOURCE_INVALID',
      `is valid only in ${Math.round(nbf - now)} s`,
      "compare the clock of this machine with the issuer's",
    );
  }
}

function invalid(
  label: string,
  code: 'ERR_SOURCE_INVALID' | 'ERR_SOURCE_UNAVAILABLE',
  what: string,
  hint?: string,
): CapwrapError {
  return new CapwrapError(code, `token of source "${label}" ${what}`, { hint });
}

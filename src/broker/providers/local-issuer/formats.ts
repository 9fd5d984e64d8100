/** The issuer's four files as values: what each may hold, parsed strictly, so that a damaged file is never half believed. */
import { isJsonObject, objectIn } from '../../../base/json-object.ts';

/** A public Ed25519 key (RFC 8037). `exp` is set once it signs no more: the second after which no token of it can live. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
  readonly exp?: number;
}

/** The signing key: the public members and the secret `d`. */
export interface PrivateJwk extends Omit<PublicJwk, 'exp'> {
  readonly d: string;
}

/** One token that no longer counts. Times are Unix seconds. */
export interface RevokedToken {
  readonly jti: string;
  readonly revoked_at: number;
  readonly exp: number;
}

export interface RevocationList {
  readonly version: 1;
  readonly issuer: string;
  /** When the list was last written, in Unix seconds. */
  readonly updated_at: number;
  readonly revoked: readonly RevokedToken[];
}

/** The issuer's name from `issuer.json`, or null where the text is not of that format. */
export function parseIssuerName(text: string): string | null {
  const value = objectIn(text);
  if (!value || !hasOnly(value, ['version', 'issuer']) || value['version'] !== 1) return null;
  return isIssuerName(value['issuer']) ? value['issuer'] : null;
}

/** The signing key from `key.json`, or null where the text is not of that format. */
export function parsePrivateJwk(text: string): PrivateJwk | null {
  const value = objectIn(text);
  if (!value || !hasOnly(value, [...PUBLIC_MEMBERS, 'd'])) return null;
  const key = publicJwk(value);
  const { d } = value;
  return key && isKeyText(d) ? { ...key, d } : null;
}

/**
 * The Ed25519 keys of a JWKS, or null where the text is no JWKS. As RFC 7517 section 5 asks, keys of other kinds
 * are passed over.
 */
export function parseJwks(text: string): PublicJwk[] | null {
  const keys = objectIn(text)?.['keys'];
  if (!Array.isArray(keys)) return null;
  return keys.flatMap((entry) => (isJsonObject(entry) ? (publicJwk(entry) ?? []) : []));
}

/** The list from `revoked.json`, or null where the text is not of that format: one odd entry spoils the whole. */
export function parseRevocationList(text: string): RevocationList | null {
  const value = objectIn(text);
  if (!value || !hasOnly(value, ['version', 'issuer', 'updated_at', 'revoked'])) return null;
  const { version, issuer, updated_at, revoked } = value;
  if (version !== 1 || !isIssuerName(issuer) || !isSeconds(updated_at) || !Array.isArray(revoked))
    return null;
  return revoked.every(isRevokedToken) ? { version, issuer, updated_at, revoked } : null;
}

/** The keys that count at a time: the signing one, and retired ones whose last token may still live. */
export function liveKeys(keys: readonly PublicJwk[], seconds: number): PublicJwk[] {
  return keys.filter(({ exp }) => exp === undefined || exp > seconds);
}

/** One entry of the revocation list. */
export function isRevokedToken(value: unknown): value is RevokedToken {
  return (
    isJsonObject(value) &&
    hasOnly(value, ['jti', 'revoked_at', 'exp']) &&
    isTokenId(value['jti']) &&
    isSeconds(value['revoked_at']) &&
    isSeconds(value['exp'])
  );
}

/** A name that fits the `iss` claim (RFC 7519, StringOrURI): a URI (ASCII, RFC 3986) without query, fragment or user part. */
export function isIssuerName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length <= 512 &&
    /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(value) &&
    !/[?#@]/.test(value)
  );
}

/** A token id: visible ASCII. */
export function isTokenId(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value);
}

/** Whole, not negative Unix seconds. */
export function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** True where an object has these members, in any order, and no other. */
export function hasOnly(value: Record<string, unknown>, names: readonly string[]): boolean {
  const own = Object.keys(value);
  return own.length === names.length && names.every((name) => Object.hasOwn(value, name));
}

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'kid', 'alg', 'use'];

function publicJwk(value: Record<string, unknown>): PublicJwk | null {
  const { kty, crv, x, kid, alg, use, exp } = value;
  if (kty !== 'OKP' || crv !== 'Ed25519' || alg !== 'EdDSA' || use !== 'sig') return null;
  if (!isKeyText(x) || !isTokenId(kid)) return null;
  if (exp === undefined) return { kty, crv, x, kid, alg, use };
  return isSeconds(exp) ? { kty, crv, x, kid, alg, use, exp } : null;
}

/** 32 bytes in base64url. */
function isKeyText(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value);
}

/** The client's private key: PEM, or one JWK (RFC 7517), from a file that nobody else can read. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../../base/json-object.ts';
import { CapwrapError } from '../../../errors.ts';
import type { BrokerContext } from '../../provider.ts';
import { assertUnexposed, readSourceFile } from '../../sources/source-file.ts';

const MAX_BYTES = 64 * 1024;

export interface ClientKey {
  readonly key: KeyObject;
  /** The JWS algorithm (RFC 7518, RFC 8037) that fits the key. */
  readonly algorithm: string;
  /** The JWK's own; null where it has none, and for PEM. */
  readonly keyId: string | null;
}

/**
 * A file with a secret in it, which the masker knows before anything is looked at. Throws ERR_SOURCE_UNAVAILABLE or
 * ERR_SOURCE_INVALID. `what` says what the file should hold.
 */
export function readSecretFile(path: string, what: string, context: BrokerContext): string {
  const file = readSourceFile(path, MAX_BYTES);
  if (file === null) {
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `"${path}" does not exist`, {
      hint: `the map names it under client_auth: it should hold ${what}`,
    });
  }
  const text = file.text.trim();
  if (text !== '') context.registerSecret('client_secret', text);
  assertUnexposed(file);
  if (text === '') throw invalid(path, 'is empty', `it should hold ${what}`);
  return text;
}

/** The key with which assertions are signed. Errors never quote it, nor what a library says of it. */
export function readClientKey(path: string, context: BrokerContext): ClientKey {
  const text = readSecretFile(path, 'a private key in PEM or as a JWK', context);
  const jwk = text.startsWith('{') ? parseJwk(text, path, context) : null;
  const key = importKey(jwk, text, path);
  const algorithm = algorithmOf(key, jwk?.['alg']);
  if (algorithm === null) {
    const hint = 'use an RSA key of 2048 bits or more, P-256, P-384, P-521 or Ed25519';
    throw invalid(path, 'holds a key of a kind that assertions are not signed with', hint);
  }
  return { key, algorithm, keyId: typeof jwk?.['kid'] === 'string' ? jwk['kid'] : null };
}

/** The private parts of RSA, EC and OKP keys (RFC 7518 section 6, RFC 8037 section 2). */
const PRIVATE_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'] as const;

function parseJwk(text: string, path: string, context: BrokerContext): JsonObject {
  let jwk: unknown;
  try {
    jwk = JSON.parse(text);
  } catch {
    throw invalid(path, 'holds no JSON', 'it should hold one JWK: {"kty": ...}');
  }
  if (!isJsonObject(jwk) || Array.isArray(jwk['keys'])) {
    throw invalid(path, 'holds something other than one JWK', 'it should hold one JWK: {"kty": ...}');
  }
  for (const part of PRIVATE_PARTS) {
    if (typeof jwk[part] === 'string' && jwk[part] !== '') context.registerSecret('client_key', jwk[part]);
  }
  return jwk;
}

function importKey(jwk: JsonObject | null, text: string, path: string): KeyObject {
  if (jwk === null && /ENCRYPTED/.test(text)) {
    throw invalid(
      path,
      'holds a key that is encrypted',
      'capwrap asks for no passphrase: decrypt it, chmod 600',
    );
  }
  try {
    return jwk === null ? createPrivateKey(text) : createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    throw invalid(path, 'holds no usable private key', 'it should hold a private key in PEM or as a JWK');
  }
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

function algorithmOf(key: KeyObject, wanted: unknown): string | null {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength < 2048) return null;
      return typeof wanted === 'string' && /^[RP]S(?:256|384|512)$/.test(wanted) ? wanted : 'RS256';
    case 'rsa-pss':
      return modulusLength < 2048 ? null : 'PS256';
    case 'ec':
      return CURVES[namedCurve] ?? null;
    case 'ed25519':
      return 'EdDSA';
    default:
      return null;
  }
}

function invalid(path: string, what: string, hint: string): CapwrapError {
  return new CapwrapError('ERR_SOURCE_INVALID', `"${path}" ${what}`, { hint });
}

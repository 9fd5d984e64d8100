/** The binary form of an OpenSSH public key (RFC 4253 section 6.6, RFC 5656, RFC 8709, PROTOCOL.u2f). */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { SshFormatError, WireReader } from './wire.ts';

const KEY_TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;
export type KeyType = (typeof KEY_TYPES)[number];

export interface KeyBlob {
  readonly type: KeyType;
  /** The FIDO application (relying party) of a key in a security key, else null. */
  readonly application: string | null;
  readonly key: KeyObject;
}

/** Bits of an RSA modulus: NIST SP 800-131A, and the most that OpenSSH takes. */
const RSA_BITS = { least: 2048, most: 16_384 };
const MAX_RSA_EXPONENT_BYTES = 8;

/** SSH's name of a curve, its name in a JWK, and the bytes of a coordinate. */
const CURVES = {
  'ecdsa-sha2-nistp256': ['nistp256', 'P-256', 32],
  'ecdsa-sha2-nistp384': ['nistp384', 'P-384', 48],
  'ecdsa-sha2-nistp521': ['nistp521', 'P-521', 66],
  'sk-ecdsa-sha2-nistp256@openssh.com': ['nistp256', 'P-256', 32],
} as const;

export function isKeyType(type: string): type is KeyType {
  return (KEY_TYPES as readonly string[]).includes(type);
}

/** Throws SshFormatError for a type that isn't taken, a key that is too weak, and bytes that are not canonical. */
export function decodeKeyBlob(blob: Buffer): KeyBlob {
  const fields = new WireReader(blob);
  const type = fields.text();
  const fault = keyTypeFault(type);
  if (fault !== null) throw new SshFormatError(fault);
  const known = type as KeyType;
  const jwk = readKey(known, fields);
  const application = known.startsWith('sk-') ? fields.text() : null;
  fields.end();
  return { type: known, application, key: importKey(jwk) };
}

/** Why keys of this type are refused, or null. */
export function keyTypeFault(type: string): string | null {
  if (isKeyType(type)) return null;
  if (/-cert-v\d+@openssh\.com$/.test(type)) return 'is a certificate, where a plain public key is wanted';
  if (type === 'ssh-dss') return 'is a DSA key, which is too weak';
  return 'is not an OpenSSH public key of a known type';
}

function readKey(type: KeyType, fields: WireReader): JsonWebKey {
  switch (type) {
    case 'ssh-ed25519':
    case 'sk-ssh-ed25519@openssh.com': {
      const point = fields.string();
      if (point.length !== 32) throw new SshFormatError('holds an Ed25519 key that is not 32 bytes long');
      return { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') };
    }
    case 'ssh-rsa':
      return readRsaKey(fields);
    default:
      return readCurvePoint(type, fields);
  }
}

function readCurvePoint(type: keyof typeof CURVES, fields: WireReader): JsonWebKey {
  const [name, crv, size] = CURVES[type];
  if (fields.text() !== name) throw new SshFormatError('names a curve that is not the one of its type');
  const point = fields.string();
  if (point.length !== 1 + 2 * size || point[0] !== 4) {
    throw new SshFormatError('holds a curve point that is not in uncompressed form');
  }
  const x = point.subarray(1, 1 + size).toString('base64url');
  const y = point.subarray(1 + size).toString('base64url');
  return { kty: 'EC', crv, x, y };
}

function readRsaKey(fields: WireReader): JsonWebKey {
  const exponent = fields.positiveMpint();
  const modulus = fields.positiveMpint();
  const bits = modulus.length * 8 - Math.clz32(modulus.readUInt8()) + 24;
  if (bits < RSA_BITS.least) {
    throw new SshFormatError(`is an RSA key of ${bits} bits, of which ${RSA_BITS.least} are the least`);
  }
  if (bits > RSA_BITS.most) throw new SshFormatError(`is an RSA key of more than ${RSA_BITS.most} bits`);
  // With an exponent of 1 anybody could write a signature.
  const isOne = exponent.length === 1 && exponent[0] === 1;
  const isEven = (exponent.at(-1) ?? 0) % 2 === 0;
  if (isOne || isEven || exponent.length > MAX_RSA_EXPONENT_BYTES) {
    throw new SshFormatError('is an RSA key with an unsafe exponent');
  }
  return { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') };
}

function importKey(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new SshFormatError('holds a key that is not valid, such as a point off its curve');
  }
}

/** The signature algorithms each type of key may use, and how their values are verified with Node's crypto. */
import { constants, createHash, verify as cryptoVerify, type KeyObject } from 'node:crypto';
import type { KeyType } from './key-blob.ts';
import type { SshPublicKey } from './public-key.ts';
import type { SshSignature } from './signature.ts';
import { WireReader } from './wire.ts';

/** A plain RSA signature by `ssh-rsa` is SHA-1 and refused (RFC 8332); any other key has the algorithm of its name. */
export const ALGORITHMS: Readonly<Record<KeyType, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-256', 'rsa-sha2-512'],
  'sk-ssh-ed25519@openssh.com': ['sk-ssh-ed25519@openssh.com'],
  'sk-ecdsa-sha2-nistp256@openssh.com': ['sk-ecdsa-sha2-nistp256@openssh.com'],
};

/** Hash of the message and bytes of each of r and s. */
const ECDSA = {
  'ecdsa-sha2-nistp256': ['sha256', 32],
  'ecdsa-sha2-nistp384': ['sha384', 48],
  'ecdsa-sha2-nistp521': ['sha512', 66],
  'sk-ecdsa-sha2-nistp256@openssh.com': ['sha256', 32],
} as const;

/**
 * True where the signature's value is the key's over the bytes `signed`. The algorithm must be one of the key's.
 * Throws for values that can't be read.
 */
export function verifyValue(publicKey: SshPublicKey, signed: Buffer, signature: SshSignature): boolean {
  const { type, key } = publicKey;
  const { algorithm, value } = signature;
  switch (type) {
    case 'ssh-ed25519':
      return verifyEd25519(key, signed, value);
    case 'sk-ssh-ed25519@openssh.com':
      return verifyEd25519(key, skSigned(publicKey, signed, signature), value);
    case 'ssh-rsa':
      return verifyRsa(key, algorithm === 'rsa-sha2-256' ? 'sha256' : 'sha512', signed, value);
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return verifyEcdsa(key, ECDSA[type], skSigned(publicKey, signed, signature), value);
    default:
      return verifyEcdsa(key, ECDSA[type], signed, value);
  }
}

function verifyEd25519(key: KeyObject, signed: Buffer, value: Buffer): boolean {
  return value.length === 64 && cryptoVerify(null, signed, key, value);
}

/** RFC 8332; some agents drop leading zeros of the value, which OpenSSH puts back as well. */
function verifyRsa(key: KeyObject, hash: string, signed: Buffer, value: Buffer): boolean {
  const size = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  const padded = leftPad(value, size);
  return cryptoVerify(hash, signed, { key, padding: constants.RSA_PKCS1_PADDING }, padded);
}

/** RFC 5656 section 3.1.2: the value is r and s. */
function verifyEcdsa(
  key: KeyObject,
  [hash, size]: readonly [string, number],
  signed: Buffer,
  value: Buffer,
): boolean {
  const fields = new WireReader(value);
  const r = leftPad(fields.positiveMpint(), size);
  const s = leftPad(fields.positiveMpint(), size);
  fields.end();
  return cryptoVerify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.concat([r, s]));
}

/** PROTOCOL.u2f: what a security key signs instead of the bytes themselves. */
function skSigned(publicKey: SshPublicKey, signed: Buffer, signature: SshSignature): Buffer {
  const { application } = publicKey;
  const { report } = signature;
  if (application === null || report === null) throw new RangeError('not a signature of a security key');
  const state = Buffer.alloc(5);
  state.writeUInt8(report.flags);
  state.writeUInt32BE(report.counter, 1);
  return Buffer.concat([sha256(application), state, sha256(signed)]);
}

function sha256(bytes: string | Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Throws RangeError for a number that doesn't fit. */
function leftPad(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([Buffer.alloc(size - bytes.length), bytes]);
}

/**
 * Keys and SSH signatures without ssh-keygen or hardware: what a security key would sign is signed with a key of
 * node:crypto, with flags and counter as the test wants them. Encodes by itself, apart from the code under test.
 */
import { createHash, sign as cryptoSign, generateKeyPairSync, type KeyObject } from 'node:crypto';

export type SkType = 'sk-ssh-ed25519@openssh.com' | 'sk-ecdsa-sha2-nistp256@openssh.com';

export interface SkKey {
  readonly type: SkType;
  readonly publicLine: string;
  readonly blob: Buffer;
  readonly application: string;
  readonly privateKey: KeyObject;
}

/** Flags of a security key's report. */
export const TOUCHED = 0x01;
export const VERIFIED = 0x04;

/** A key as `ssh-keygen -t ed25519-sk` or `-t ecdsa-sk` makes it. */
export function makeSkKey(type: SkType, application = 'ssh:', comment = 'test'): SkKey {
  if (type === 'sk-ssh-ed25519@openssh.com') {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    return skKey(type, privateKey, application, comment, [rawEd25519(publicKey)]);
  }
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return skKey(type, privateKey, application, comment, ['nistp256', rawPoint(publicKey)]);
}

/** The same key in another key's clothes: another application, with the same key pair. */
export function withApplication(key: SkKey, application: string): SkKey {
  const fields = readStrings(key.blob).slice(1, -1);
  return skKey(key.type, key.privateKey, application, 'test', fields);
}

export interface SkOptions {
  readonly message: string | Uint8Array;
  readonly namespace: string;
  /** `TOUCHED` unless said. */
  readonly flags?: number;
  /** 1 unless said. */
  readonly counter?: number;
  /** sha512 unless said, as ssh-keygen does. */
  readonly hash?: 'sha256' | 'sha512';
}

/** An armored signature as the security key would make it. */
export function signSk(key: SkKey, options: SkOptions): string {
  const { flags = TOUCHED, counter = 1 } = options;
  return armorSignature(key.blob, options, (signed) => {
    const report = Buffer.alloc(5);
    report.writeUInt8(flags);
    report.writeUInt32BE(counter, 1);
    const asserted = Buffer.concat([sha256(key.application), report, sha256(signed)]);
    const isEd25519 = key.privateKey.asymmetricKeyType === 'ed25519';
    const value = isEd25519
      ? cryptoSign(null, asserted, key.privateKey)
      : signEcdsa(asserted, key.privateKey);
    return Buffer.concat([str(key.type), str(value), report]);
  });
}

export interface Ed25519Key {
  readonly publicLine: string;
  readonly blob: Buffer;
  /** An armored signature, as `ssh-keygen -Y sign -n NAMESPACE` makes it. */
  readonly sign: (message: string | Uint8Array, namespace: string) => string;
}

/** A plain Ed25519 key. */
export function makeEd25519Key(comment = 'test'): Ed25519Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const blob = Buffer.concat([str('ssh-ed25519'), str(rawEd25519(publicKey))]);
  return {
    publicLine: `ssh-ed25519 ${blob.toString('base64')} ${comment}`,
    blob,
    sign: (message, namespace) =>
      armorSignature(blob, { message, namespace }, (signed) =>
        Buffer.concat([str('ssh-ed25519'), str(cryptoSign(null, signed, privateKey))]),
      ),
  };
}

export interface EnvelopeOptions {
  readonly message: string | Uint8Array;
  readonly namespace: string;
  readonly hash?: string;
  /** The reserved field, empty unless said. */
  readonly reserved?: string;
}

/** The envelope of PROTOCOL.sshsig around what `signInner` makes of the bytes to be signed. */
export function armorSignature(
  keyBlob: Buffer,
  options: EnvelopeOptions,
  signInner: (signed: Buffer) => Buffer,
): string {
  const { message, namespace, hash = 'sha512', reserved = '' } = options;
  const digest = createHash(hash).update(message).digest();
  const magic = Buffer.from('SSHSIG');
  const signed = Buffer.concat([magic, str(namespace), str(reserved), str(hash), str(digest)]);
  const version = Buffer.from([0, 0, 0, 1]);
  const fields = [keyBlob, namespace, reserved, hash, signInner(signed)].map(str);
  return armor(Buffer.concat([magic, version, ...fields]));
}

/** The text form, in lines of 70 characters as ssh-keygen writes them. */
export function armor(blob: Uint8Array): string {
  const lines = Buffer.from(blob)
    .toString('base64')
    .replace(/.{1,70}/g, '$&\n');
  return `-----BEGIN SSH SIGNATURE-----\n${lines}-----END SSH SIGNATURE-----\n`;
}

/** The bytes between the two marks. */
export function dearmor(armored: string): Buffer {
  return Buffer.from(armored.split('\n').slice(1, -2).join(''), 'base64');
}

/** An SSH string. */
export function str(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from(bytes.length.toString(16).padStart(8, '0'), 'hex'), bytes]);
}

/** An SSH mpint of a number that is not negative. */
export function mpint(bytes: Uint8Array): Buffer {
  const hex = BigInt(`0x${Buffer.from(bytes).toString('hex')}`).toString(16);
  const even = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return str((even[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), even]) : even);
}

/** r and s as two mpints. */
export function signEcdsa(bytes: Buffer, key: KeyObject, hash = 'sha256'): Buffer {
  const both = cryptoSign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
  const half = both.length / 2;
  return Buffer.concat([mpint(both.subarray(0, half)), mpint(both.subarray(half))]);
}

function skKey(
  type: SkType,
  privateKey: KeyObject,
  application: string,
  comment: string,
  fields: readonly (string | Buffer)[],
): SkKey {
  const blob = Buffer.concat([type, ...fields, application].map(str));
  return { type, blob, application, privateKey, publicLine: `${type} ${blob.toString('base64')} ${comment}` };
}

function rawEd25519(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

function rawPoint(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

function readStrings(blob: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < blob.length; ) {
    const end = at + 4 + blob.readUInt32BE(at);
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function sha256(bytes: string | Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** The armored signature that `ssh-keygen -Y sign` writes (OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f), taken apart. */
import { SshFormatError, strictBase64, WireReader, wireString } from './wire.ts';

export interface SshSignature {
  /** Binary form of the key that it says it was made with. */
  readonly keyBlob: Buffer;
  /** What the signature is for; never empty. */
  readonly namespace: string;
  /** Ignored, but part of what is signed. */
  readonly reserved: Buffer;
  readonly hash: SshHash;
  /** Such as `ssh-ed25519` or `rsa-sha2-512`; also one that isn't known, and then `value` is empty. */
  readonly algorithm: string;
  readonly value: Buffer;
  /** What the security key reported, where the algorithm has such a report. */
  readonly report: SkReport | null;
}

export type SshHash = 'sha256' | 'sha512';

/** Signed by the security key along with the message. */
export interface SkReport {
  /** Bit 0x01: touched; bit 0x04: the user was verified, by PIN or fingerprint. */
  readonly flags: number;
  readonly counter: number;
}

/** Bytes of armored text that are read at all; RSA with 16384 bits needs a third of it. */
export const MAX_ARMORED = 16 * 1024;

const MAGIC = 'SSHSIG';
const VERSION = 1;
const HEAD = '-----BEGIN SSH SIGNATURE-----';
const TAIL = '-----END SSH SIGNATURE-----';

/**
 * Reads one armored signature and nothing else: no text around it, canonical base64, no bytes left over. Doesn't
 * verify it. Throws SshFormatError.
 */
export function parseSignature(armored: string | Uint8Array): SshSignature {
  if (armored.length > MAX_ARMORED) throw new SshFormatError(`is longer than ${MAX_ARMORED} bytes`);
  const fields = new WireReader(dearmor(Buffer.from(armored).toString('latin1')));
  if (fields.take(MAGIC.length).toString('latin1') !== MAGIC) {
    throw new SshFormatError('is not an SSH signature inside');
  }
  const version = fields.uint32();
  if (version !== VERSION) throw new SshFormatError(`has version ${version}, of which only 1 is known`);
  const keyBlob = fields.string();
  const namespace = fields.text();
  if (namespace === '') throw new SshFormatError('has an empty namespace');
  const reserved = fields.string();
  const hash = fields.text();
  if (hash !== 'sha256' && hash !== 'sha512') {
    throw new SshFormatError('uses a hash other than sha256 and sha512');
  }
  const inner = fields.string();
  fields.end();
  return { keyBlob, namespace, reserved, hash, ...readInner(inner) };
}

/** What was really signed: `digest` is the message's, by `signature.hash`. */
export function signedBytes(signature: SshSignature, digest: Uint8Array): Buffer {
  const { namespace, reserved, hash } = signature;
  return Buffer.concat([
    Buffer.from(MAGIC),
    ...[namespace, reserved, hash, digest].map((field) => wireString(field)),
  ]);
}

function dearmor(text: string): Buffer {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines[0] !== HEAD) throw new SshFormatError(`doesn't start with "${HEAD}"`);
  if (lines.length < 2 || lines.at(-1) !== TAIL) throw new SshFormatError(`doesn't end with "${TAIL}"`);
  return strictBase64(lines.slice(1, -1).join(''));
}

function readInner(inner: Buffer): Pick<SshSignature, 'algorithm' | 'value' | 'report'> {
  const fields = new WireReader(inner);
  const algorithm = fields.text();
  if (!isKnown(algorithm)) return { algorithm, value: Buffer.alloc(0), report: null };
  const value = fields.string();
  const report = algorithm.startsWith('sk-') ? { flags: fields.byte(), counter: fields.uint32() } : null;
  fields.end();
  return { algorithm, value, report };
}

function isKnown(algorithm: string): boolean {
  return /^(?:ssh-ed25519|ecdsa-sha2-nistp\d+|rsa-sha2-(?:256|512)|ssh-rsa|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/.test(
    algorithm,
  );
}

/** OpenSSH public key lines, as in an `id_*.pub` file: type, base64 and a comment. */
import { createHash, type KeyObject } from 'node:crypto';
import { decodeKeyBlob, isKeyType, type KeyType, keyTypeFault } from './key-blob.ts';
import { SshFormatError, strictBase64 } from './wire.ts';

export interface SshPublicKey {
  readonly type: KeyType;
  /** The binary form; equal bytes are the same key. */
  readonly blob: Buffer;
  /** The rest of the line as it stands: nobody vouches for it, so escape it before it is shown. */
  readonly comment: string;
  /** `SHA256:…` as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** The FIDO application of a key in a security key, such as `ssh:`, else null. */
  readonly application: string | null;
  readonly key: KeyObject;
}

const MAX_LINE = 16 * 1024;

/**
 * Reads one public key line; blanks around it are ignored. Throws SshFormatError for anything else: certificates, DSA,
 * RSA under 2048 bits, options in front of the key as in `authorized_keys`.
 */
export function parsePublicKey(line: string): SshPublicKey {
  const trimmed = line.trim();
  if (trimmed.length > MAX_LINE) throw new SshFormatError(`is longer than ${MAX_LINE} characters`);
  if (/PRIVATE KEY/.test(trimmed)) throw new SshFormatError('is a private key, where a public key is wanted');
  if (/[\r\n]/.test(trimmed)) throw new SshFormatError('has more than one line');
  const [type = '', base64 = '', ...comment] = trimmed.split(/[ \t]+/);
  const fault = keyTypeFault(type);
  if (fault !== null) throw new SshFormatError(hasOptions(trimmed) ? OPTIONS_FAULT : fault);
  const blob = strictBase64(base64);
  const decoded = decodeKeyBlob(blob);
  if (decoded.type !== type) throw new SshFormatError('names another type than its key has');
  return { ...decoded, blob, comment: comment.join(' '), fingerprint: fingerprint(blob) };
}

/** What is wrong with a public key line, as a sentence fragment without the subject, or null. */
export function publicKeyFault(line: string): string | null {
  try {
    parsePublicKey(line);
    return null;
  } catch (error) {
    if (error instanceof SshFormatError) return error.reason;
    throw error;
  }
}

/** `SHA256:` and the unpadded base64 of the hash of a key's binary form. */
export function fingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

const OPTIONS_FAULT = 'has options in front of the key, as in authorized_keys; give the key alone';

function hasOptions(line: string): boolean {
  return line.split(/[ \t]+/).some((word, at) => at > 0 && isKeyType(word));
}

/** Whether an SSH signature is one of the accepted keys' over this message, and what the key says about the person. */
import { createHash } from 'node:crypto';
import { escapeText } from '../base/escape.ts';
import { ALGORITHMS, verifyValue } from './algorithms.ts';
import { decodeKeyBlob } from './key-blob.ts';
import { fingerprint, type SshPublicKey } from './public-key.ts';
import { type SkReport, type SshSignature, signedBytes } from './signature.ts';
import { SshFormatError } from './wire.ts';

/** A key and who it stands for. */
export interface PrincipalKey {
  readonly principal: string;
  readonly key: SshPublicKey;
}

/**
 * `ssh_key`: made with the key, by whatever could use it. `ssh_key_touch`: a security key that was touched.
 * `ssh_key_verified`: one that was touched and also verified its user, by PIN or fingerprint.
 */
export type SignatureGrade = 'ssh_key' | 'ssh_key_touch' | 'ssh_key_verified';

export type Verdict =
  | {
      readonly ok: true;
      readonly principal: string;
      readonly fingerprint: string;
      readonly grade: SignatureGrade;
      /** The security key's own count of signatures. */
      readonly counter?: number;
    }
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail: string };

export type RefusalReason = 'wrong_namespace' | 'wrong_key' | 'bad_signature' | 'unsupported';

export interface VerifyInput {
  readonly message: Uint8Array;
  readonly signature: SshSignature;
  /** What the signature must be for. */
  readonly namespace: string;
  /** A key that stands here twice counts for the first principal. */
  readonly keys: readonly PrincipalKey[];
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;

/**
 * Verifies; never throws. `detail` is one sentence, safe to show. Unlike `ssh-keygen -Y verify` it grades by the
 * security key's flags, and takes a reserved field that was not signed as a bad signature.
 */
export function verifySignature(input: VerifyInput): Verdict {
  const { message, signature, namespace, keys } = input;
  if (signature.namespace !== namespace) {
    return refuse(
      'wrong_namespace',
      `"${clip(signature.namespace)}" is the signature's namespace, not ${namespace}`,
    );
  }
  const signer = keys.find(({ key }) => key.blob.equals(signature.keyBlob));
  if (!signer) return refuseKey(signature.keyBlob, keys);
  const { principal, key } = signer;
  const accepted = ALGORITHMS[key.type];
  if (!accepted.includes(signature.algorithm)) {
    const fault = `is not an accepted algorithm of this key; accepted: ${accepted.join(', ')}`;
    return refuse('unsupported', `"${clip(signature.algorithm)}" ${fault}`);
  }
  const digest = createHash(signature.hash).update(message).digest();
  if (!isSound(() => verifyValue(key, signedBytes(signature, digest), signature))) {
    return refuse('bad_signature', `"${key.fingerprint}" didn't sign this message`);
  }
  const verdict = {
    ok: true,
    principal,
    fingerprint: key.fingerprint,
    grade: grade(signature.report),
  } as const;
  return signature.report === null ? verdict : { ...verdict, counter: signature.report.counter };
}

/** Hostile bytes may make a verification throw; whatever it throws, the signature isn't good. */
function isSound(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}

function grade(report: SkReport | null): SignatureGrade {
  // A report of verification without presence makes no sense, so it earns nothing.
  if (report === null || (report.flags & USER_PRESENT) === 0) return 'ssh_key';
  return (report.flags & USER_VERIFIED) === 0 ? 'ssh_key_touch' : 'ssh_key_verified';
}

function refuseKey(blob: Buffer, keys: readonly PrincipalKey[]): Verdict {
  const name = `"${fingerprint(blob)}"`;
  try {
    const made = decodeKeyBlob(blob);
    const twin = keys.find(({ key }) => key.type === made.type && key.key.equals(made.key));
    const application = clip(made.application ?? '');
    return refuse(
      'wrong_key',
      twin
        ? `${name} is an accepted key with another application: ${application}`
        : `${name} is none of the accepted keys`,
    );
  } catch (error) {
    const fault = error instanceof SshFormatError ? error.reason : 'is not a public key';
    return refuse('unsupported', `${name} ${fault}`);
  }
}

function refuse(reason: RefusalReason, detail: string): Verdict {
  return { ok: false, reason, detail };
}

const MAX_SHOWN = 64;

function clip(text: string): string {
  return escapeText(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

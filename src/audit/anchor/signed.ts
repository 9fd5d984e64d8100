/** Whose signature an anchor has, and whether it is good. */
import { escapeText } from '../../base/escape.ts';
import { parsePublicKey } from '../../sshsig/public-key.ts';
import { parseSignature } from '../../sshsig/signature.ts';
import { signerOf } from '../../sshsig/signer.ts';
import { type PrincipalKey, type SignatureGrade, verifySignature } from '../../sshsig/verify.ts';
import { SshFormatError } from '../../sshsig/wire.ts';
import { ANCHOR_NAMESPACE } from './statement.ts';

export type AnchorSignature =
  | {
      readonly ok: true;
      readonly fingerprint: string;
      readonly grade: SignatureGrade;
      /** By whom the key is vouched for; null for a key of which nothing is known but that it signed. */
      readonly trusted: string | null;
    }
  /** `why` is a sentence fragment, safe to show. */
  | { readonly ok: false; readonly why: string };

/** Verifies with the key that the signature names, and looks that key up among those that are trusted. Never throws for hostile bytes. */
export function judgeSignature(
  statement: string,
  armored: string,
  trusted: readonly PrincipalKey[],
): AnchorSignature {
  try {
    const signature = parseSignature(armored);
    const key = parsePublicKey(signerOf(armored) ?? '');
    const known = trusted.find((each) => each.key.blob.equals(key.blob));
    const verdict = verifySignature({
      message: Buffer.from(statement),
      signature,
      namespace: ANCHOR_NAMESPACE,
      keys: [{ principal: '', key }],
    });
    if (!verdict.ok) return { ok: false, why: verdict.detail };
    const { fingerprint, grade } = verdict;
    return { ok: true, fingerprint, grade, trusted: known?.principal ?? null };
  } catch (error) {
    if (error instanceof SshFormatError) return { ok: false, why: `it ${escapeText(error.reason)}` };
    throw error;
  }
}

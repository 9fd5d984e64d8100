/** The key that a signature says it was made with. */
import { parseSignature } from './signature.ts';
import { SshFormatError } from './wire.ts';

/** As a line of OpenSSH; null where the text is no signature. The signature is not verified. */
export function signerOf(armored: string): string | null {
  try {
    const { keyBlob } = parseSignature(armored);
    const type = keyBlob.subarray(4, 4 + keyBlob.readUInt32BE(0)).toString('latin1');
    return `${type} ${keyBlob.toString('base64')}`;
  } catch (error) {
    if (error instanceof SshFormatError || error instanceof RangeError) return null;
    throw error;
  }
}

/** Public key lines for maps in tests: well-formed, and nobody's. */

/** An ssh-ed25519 line whose key is 32 times `byte`. */
export function publicKey(byte: number, comment = 'test'): string {
  const part = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([part(Buffer.from('ssh-ed25519')), part(Buffer.alloc(32, byte))]);
  return `ssh-ed25519 ${blob.toString('base64')} ${comment}`;
}

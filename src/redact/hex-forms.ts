/** Hexadecimal in lower and upper case, with `separator` between the bytes. */
export function hexForms(bytes: Buffer, separator: string): string[] {
  const plain = bytes.toString('hex');
  const lower = separator === '' ? plain : plain.replace(/..(?=.)/g, (pair) => pair + separator);
  return [lower, lower.toUpperCase()];
}

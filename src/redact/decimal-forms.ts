/** The bytes as decimal numbers: what Go prints of a byte slice, Rust and Python of a list, and JSON of a `Buffer`. */
export function decimalForms(bytes: Buffer): string[] {
  return [' ', ', ', ','].map((separator) => bytes.join(separator));
}

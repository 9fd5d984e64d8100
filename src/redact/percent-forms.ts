/** How a value is written in URLs and form bodies. */

/** Percent-encoding (RFC 3986, 2.1) by the writers' different ideas of what may stay, in both cases of hex. */
export function percentForms(value: Buffer): string[] {
  const bytes = value.toString('latin1');
  const strict = encode(bytes, /[^A-Za-z0-9\-._~]/g);
  const upper = [
    strict,
    encode(bytes, /[^A-Za-z0-9\-._~!*'()]/g), // encodeURIComponent
    encode(bytes, /[^A-Za-z0-9\-._~!*'()$&+,;=:@/]/g), // a path
    encode(bytes, /[^A-Za-z0-9\-._* ]/g).replaceAll(' ', '+'), // a form (WHATWG URL, 5.1)
    strict.replaceAll('%20', '+'),
    value.toString('hex').toUpperCase().replace(/../g, '%$&'),
  ];
  return upper.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase())]);
}

function encode(bytes: string, escaped: RegExp): string {
  return bytes.replace(
    escaped,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

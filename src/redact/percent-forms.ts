/** How a value is written in URLs and form bodies. */

/** What stays as it is, besides letters and digits, by the writers' different ideas of it. */
const KEPT: readonly string[] = [
  '-._~', // RFC 3986, 2.3
  "-._~!*'()", // encodeURIComponent
  "-._~!*'()$&+,;=:@/", // a path
  "-._~!*'()$&+,;=:@/?#", // encodeURI
  '-._~/', // Python's quote
  '-._~$&+=:@', // Go's PathEscape
  '-._~$&+,;=', // user information, Go
  "-._~!*'()$&+,%", // the same, WHATWG URL, 1.3
];

/** Percent-encoding (RFC 3986, 2.1), in both cases of hex. */
export function percentForms(value: Buffer): string[] {
  const bytes = value.toString('latin1');
  const [strict = '', ...others] = KEPT.map((kept) => encode(bytes, kept));
  const upper = [
    strict,
    ...others,
    encode(bytes, '-._* ').replaceAll(' ', '+'), // a form (WHATWG URL, 5.1)
    strict.replaceAll('%20', '+'),
    value.toString('hex').toUpperCase().replace(/../g, '%$&'),
  ];
  return upper.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase())]);
}

function encode(bytes: string, kept: string): string {
  return bytes.replace(/[^A-Za-z0-9]/g, (char) =>
    kept.includes(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

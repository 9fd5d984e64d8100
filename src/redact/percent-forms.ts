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
  allBut(` "#<>'`), // a query, WHATWG URL, 1.3
  allBut(' "#<>?^`{}'), // a path there
  allBut(' "<>`'), // a fragment there
];
/** The same, where a blank becomes `+`. */
const KEPT_IN_FORMS: readonly string[] = [
  '-._*', // WHATWG URL, 5.1
  '-._~', // Python's quote_plus
  "-._~!*'()", // encodeURIComponent, and then the blanks
  '-._!*()', // UrlEncode of .NET
];

function allBut(escaped: string): string {
  return Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index))
    .filter((char) => !escaped.includes(char))
    .join('');
}

/** Percent-encoding (RFC 3986, 2.1), in both cases of hex. */
export function percentForms(value: Buffer): string[] {
  const bytes = value.toString('latin1');
  const upper = [
    ...KEPT.map((kept) => encode(bytes, kept)),
    ...KEPT_IN_FORMS.map((kept) => encode(bytes, `${kept} `).replaceAll(' ', '+')),
    value.toString('hex').toUpperCase().replace(/../g, '%$&'),
  ];
  return upper.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase())]);
}

function encode(bytes: string, kept: string): string {
  return bytes.replace(/[^A-Za-z0-9]/g, (char) =>
    kept.includes(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

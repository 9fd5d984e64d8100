/** How a value is written inside other text: JSON, shell words, XML, URLs, program literals. */

/** JSON's escapes as the common writers make them (RFC 8259, 7). */
export function jsonForms(value: string): string[] {
  const minimal = jsonMinimal(value);
  const slashed = minimal.replaceAll('/', '\\/');
  // Go and Gson keep "<", ">" and "&" out of markup; Gson "=" and "'" as well.
  const htmlSafe = escapeChars(minimal, /[<>&\u2028\u2029]/g, unicodeEscape);
  const gson = escapeChars(minimal, /[<>&='\u2028\u2029]/g, unicodeEscape);
  // .NET writes everything but a few ASCII characters as \uXXXX, the quote too, in upper case.
  const dotnet = escapeChars(
    jsonMinimal(value).replaceAll('\\"', '"'),
    /["&'+<>`\x7f-\uffff]/g,
    (char) => `\\u${hex(char.charCodeAt(0), 4).toUpperCase()}`,
  );
  const ascii = [minimal, slashed].map((form) => escapeChars(form, /[\x7f-\uffff]/g, unicodeEscape));
  return [minimal, slashed, htmlSafe, gson, dotnet, ...ascii, jsonMinimal(minimal), jsonMinimal(slashed)];
}

/** A value as one word of a shell: what `set -x`, `printf %q`, `export -p` and Python's `shlex.quote` print. */
export function shellForms(value: string): string[] {
  const backslashed = escapeChars(value, /[ '"\\|&;()<>!{}*[\]?^$`,]/g, (char) => `\\${char}`);
  return [
    value.replaceAll("'", "'\\''"),
    value.replaceAll("'", `'"'"'`),
    escapeChars(value, /[\\"$`]/g, (char) => `\\${char}`),
    escapeChars(value, /[\\"$`!]/g, (char) => `\\${char}`),
    escapeChars(backslashed, /^[#~]/g, (char) => `\\${char}`),
    escapeChars(value, /[^\w\n%+\-./:@\x80-\uffff]/g, (char) => `\\${char}`),
    escapeChars(value, /[\\'\n\r\t\x1b]/g, (char) => ANSI_C[char] ?? char),
  ];
}

/** Quotes that are doubled where they stand in a text between quotes: SQL, YAML and PowerShell, CSV. */
export function doubledForms(value: string): string[] {
  return [value.replaceAll("'", "''"), value.replaceAll('"', '""')];
}

/** Character references of XML 1.0 and HTML, by name, in decimal and in hexadecimal. */
export function xmlForms(value: string): string[] {
  const text = escapeChars(value, /[&<>]/g, (char) => NAMED[char] ?? char);
  const named = escapeChars(value, /[&<>"']/g, (char) => NAMED[char] ?? char);
  const html = named.replaceAll('&apos;', '&#39;');
  const owasp = named.replaceAll('&apos;', '&#x27;');
  const go = html.replaceAll('&quot;', '&#34;');
  return [
    text,
    text.replaceAll('"', '&quot;'),
    named,
    html,
    owasp,
    owasp.replaceAll('/', '&#x2F;'),
    go,
    go.replaceAll('+', '&#43;'),
    named.replaceAll('\n', '&#xA;'),
    html.replaceAll('\n', '&#10;'),
  ];
}

/** A value in a string literal of C, Go, Rust or Python, as debug output prints it. */
export function literalForms(value: string): string[] {
  const control = escapeChars(value.replaceAll('\\', '\\\\'), /[\x00-\x1f\x7f]/g, (char) => {
    return ANSI_C[char] ?? `\\x${hex(char.charCodeAt(0), 2)}`;
  });
  const bytes = Buffer.from(control).toString('latin1');
  const asciiOnly = escapeChars(bytes, /[\x80-\xff]/g, (char) => `\\x${hex(char.charCodeAt(0), 2)}`);
  return [control, asciiOnly].flatMap((form) => [
    form,
    form.replaceAll('"', '\\"'),
    form.replaceAll("'", "\\'"),
  ]);
}

const ANSI_C: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x1b': '\\E',
};

const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function jsonMinimal(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function unicodeEscape(char: string): string {
  return `\\u${hex(char.charCodeAt(0), 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** `toEscape` gets one character; being a function, it is not subject to `$&` in replacements. */
function escapeChars(value: string, chars: RegExp, toEscape: (char: string) => string): string {
  return value.replace(chars, toEscape);
}

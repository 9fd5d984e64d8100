import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formsOf } from '../../src/redact/forms.ts';
import { SecretRegistry } from '../../src/redact/registry.ts';
import { anyCharacter } from '../helpers/any-character.ts';

const AWS_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKEY';
const ODD = `p@ss "word" it's <50%> & $HOME \\ ~ é日`;
const LINES = 'first line of it\n  second, indented line\r\nthird line of it';
const SECRETS = { AWS_KEY, ODD, LINES };

function registryOf(value: string) {
  const secrets = new SecretRegistry();
  secrets.register('S', value);
  return secrets;
}

function foldedAt(text: string, width: number, end: string): string {
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += width) lines.push(text.slice(at, at + width));
  return lines.join(end);
}

/** As Python: of what encodeURIComponent leaves, the marks are escaped; a slash is not. */
function quoted(text: string): string {
  return text === '%2F' ? '/' : escapedByte(text);
}

/** As `shouldEscape` of Go's net/url: letters, digits, `-_.~`, and what the part of the URL lets stand. */
function goEscape(value: string, kept: string): string {
  return [...Buffer.from(value).toString('latin1')]
    .map((char) => (/[\w\-.~]/.test(char) || kept.includes(char) ? char : escapedByte(char)))
    .join('');
}

function escapedByte(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** A part of a URL as Node has it, but for line ends and tabs, which it drops. */
function inUrl(value: string, part: 'search' | 'hash'): string {
  const url = new URL('https://host');
  const written = (text: string) => {
    url[part] = `=${text}`;
    return url[part].slice(2);
  };
  return value
    .split(/([\r\n\t])/)
    .map((text) => (/^[\r\n\t]$/.test(text) ? escapedByte(text) : written(text)))
    .join('');
}

/** Encodings made by other programs' rules, independent of the table. */
const WRITERS: readonly [string, (value: string) => string][] = [
  ['raw', (value) => value],
  ['JSON.stringify', (value) => JSON.stringify(value).slice(1, -1)],
  ['JSON twice', (value) => JSON.stringify(JSON.stringify({ value })).slice(14, -4)],
  ['encodeURIComponent', (value) => encodeURIComponent(value)],
  ['encodeURI-like path', (value) => encodeURI(value).replaceAll('#', '%23').replaceAll('?', '%3F')],
  ['encodeURI', (value) => encodeURI(value)],
  ['the password of a URL', (value) => Object.assign(new URL('https://host'), { password: value }).password],
  ['the query of a URL', (value) => inUrl(value, 'search')],
  ['the fragment of a URL', (value) => inUrl(value, 'hash')],
  ['encodeURIComponent, blanks as +', (value) => encodeURIComponent(value).replaceAll('%20', '+')],
  ['urllib.parse.quote', (value) => encodeURIComponent(value).replace(/[!'()*]|%2F/g, quoted)],
  ['Go’s url.PathEscape', (value) => goEscape(value, '$&+=:@')],
  ['Go’s url.UserPassword', (value) => goEscape(value, '$&+,;=')],
  ['URLSearchParams', (value) => new URLSearchParams({ value }).toString().slice(6)],
  ['hex', (value) => Buffer.from(value).toString('hex')],
  ['HEX', (value) => Buffer.from(value).toString('hex').toUpperCase()],
  ['base64', (value) => Buffer.from(value).toString('base64')],
  ['base64url', (value) => Buffer.from(value).toString('base64url')],
  ['shell single quotes', (value) => value.replaceAll("'", "'\\''")],
  [
    'HTML',
    (value) =>
      value
        .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
        .replaceAll('&#60;', '&lt;')
        .replaceAll('&#62;', '&gt;')
        .replaceAll('&#38;', '&amp;'),
  ],
  ['SQL, YAML and PowerShell', (value) => value.replaceAll("'", "''")],
  ['CSV', (value) => value.replaceAll('"', '""')],
  ['Go, of bytes', (value) => Buffer.from(value).join(' ')],
  ['Python and Rust, of bytes', (value) => Buffer.from(value).join(', ')],
  ['JSON of a Buffer', (value) => JSON.stringify(Buffer.from(value)).slice(25, -2)],
  ['CRLF', (value) => value.replace(/\r?\n/g, '\r\n')],
];

describe('formsOf', () => {
  describe.each(Object.entries(SECRETS))('%s', (_name, value) => {
    it.each(WRITERS)('masks it as written by %s', (writer, write) => {
      const text = `>>${write(value)}<<`;
      const masked = registryOf(value).mask(text);
      // Base64 shares its last character with what follows, which says at most four bits of the value.
      const expected = writer.startsWith('base64') ? /^>>\[capwrap:S\].?=*<<$/ : />>\[capwrap:S\]<<$/;
      expect(masked).toMatch(expected);
    });

    it.each([
      'printf %s "$V" | base64 -w0',
      'printf %s "$V" | base64',
      'printf a%s! "$V" | base64',
      'printf %q "$V"',
      'export -p | grep V=',
      'set -x; : "$V"',
      'env',
    ])('masks it as printed by bash: %s', (script) => {
      const output = execFileSync('bash', ['--norc', '-c', `exec 2>&1; ${script}`], {
        env: { V: value, PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
        stdio: ['ignore', 'pipe', 'inherit'],
        encoding: 'utf8',
      });
      expect(registryOf(value).mask(output)).toContain('[capwrap:S]');
    });
  });

  it('masks base64 of a document that holds the value anywhere, folded or not', () => {
    const secrets = registryOf(AWS_KEY);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(0, 37, 60, 64, 76),
        fc.constantFrom('\n', '\r\n', '\n    ', '\r\n\t', '\\n'),
        (before, after, width, end) => {
          const document = Buffer.concat([before, Buffer.from(AWS_KEY), after]).toString('base64');
          const masked = secrets.mask(width === 0 ? document : foldedAt(document, width, end));
          expect(masked).toContain('[capwrap:S]');
          // What is left around the mark holds no six bytes of the value.
          const rest = masked.split('[capwrap:S]').map((part) => part.replaceAll(end, ''));
          const hidden = document.length - rest.join('').length;
          expect(hidden).toBeGreaterThanOrEqual(Math.floor((AWS_KEY.length * 8 - 10) / 6));
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each(['Zx9fQ2mLp8Rt5VwKx', 'eight-by', 'nine-byte', '0123456789ab', 'aabaabaab'])(
    'masks folded base64 of %s at every column',
    (value) => {
      const secrets = registryOf(value);
      for (let before = 0; before < 60; before++) {
        const document = Buffer.from(
          `${'x'.repeat(before)}${value}, and so on until the second line`,
        ).toString('base64');
        for (const end of ['\n', '\r\n']) {
          const masked = secrets.mask(foldedAt(document, 64, end)).replaceAll(end, '');
          expect(masked.split('[capwrap:S]')).toHaveLength(2);
        }
      }
    },
  );

  it.each([
    ['xxd -p', (hex: string) => foldedAt(hex, 60, '\n')],
    ['fingerprints', (hex: string) => hex.replace(/..(?=.)/g, '$&:')],
    [
      'openssl x509 -text',
      (hex: string) => foldedAt(hex.replace(/../g, '$&:'), 45, `\n${' '.repeat(16)}`).slice(0, -1),
    ],
    ['bytes apart', (hex: string) => hex.replace(/..(?=.)/g, '$& ')],
  ])('masks hexadecimal as printed by %s', (_writer, print) => {
    const hex = Buffer.from(AWS_KEY).toString('hex');
    expect(registryOf(AWS_KEY).mask(`<${print(hex)}>`)).toBe('<[capwrap:S]>');
    expect(registryOf(AWS_KEY).mask(`<${print(hex.toUpperCase())}>`)).toBe('<[capwrap:S]>');
  });

  it.each([
    ['with CRLF', (value: string) => value.replaceAll('\n', '\r\n')],
    ['as a YAML block', (value: string) => value.replaceAll('\n', '\n    ')],
    ['with CRLF, indented', (value: string) => value.replaceAll('\n', '\r\n  ')],
    ['indented by a tab', (value: string) => value.replaceAll('\n', '\n\t')],
    ['folded into one line', (value: string) => value.replaceAll('\n', ' ')],
    ['without line ends', (value: string) => value.replaceAll('\n', '')],
    ['in a JSON string', (value: string) => value.replaceAll('\n', '\\n')],
  ])('masks a whole PEM key %s', (_title, write) => {
    const body = Buffer.from(Array.from({ length: 100 }, (_, index) => (index * 73) & 255)).toString(
      'base64',
    );
    const pem = `-----BEGIN PRIVATE KEY-----\n${foldedAt(body, 64, '\n')}\n-----END PRIVATE KEY-----`;
    expect(registryOf(`${pem}\n`).mask(`<${write(pem)}>`)).toBe('<[capwrap:S]>');
  });

  it('masks a long value that a program has wrapped', () => {
    expect(registryOf(AWS_KEY).mask(`<${AWS_KEY.slice(0, 7)}\r\n   ${AWS_KEY.slice(7)}>`)).toBe(
      '<[capwrap:S]>',
    );
  });

  it('masks each long line of a value with several lines', () => {
    const secrets = registryOf(LINES);
    expect(secrets.mask('  > second, indented line <')).toBe('  > [capwrap:S] <');
    expect(secrets.mask('third line of it')).toBe('[capwrap:S]');
  });

  it('leaves the boundary lines of a PEM file alone', () => {
    const body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7';
    const secrets = registryOf(`-----BEGIN PRIVATE KEY-----\n${body}\n{\n-----END PRIVATE KEY-----\n`);
    expect(secrets.mask('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----');
    expect(secrets.mask(`a { ${body} }`)).toBe('a { [capwrap:S] }');
  });

  it('masks a value without the blanks and quotes that it was issued with', () => {
    expect(registryOf(' "hunter2-secret"\n').mask('x hunter2-secret y')).toBe('x [capwrap:S] y');
  });

  it('names values that are too short instead of shredding the output', () => {
    const secrets = new SecretRegistry();
    secrets.register('PIN', '1234567');
    secrets.register('PADDED', '  abc1234\n\n');
    secrets.register('EMPTY', '');
    secrets.register('FINE', '12345678');
    expect(secrets.tooShort()).toEqual(['PIN', 'PADDED', 'EMPTY']);
    expect(secrets.mask('1234567 abc1234 12345678')).toBe('1234567 abc1234 [capwrap:FINE]');
  });

  it('counts bytes, not characters', () => {
    expect(formsOf('日本語')).not.toEqual([]);
  });

  it('makes no form shorter than eight bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 30 }), (value) => {
        for (const { text } of formsOf(value)) expect(Buffer.byteLength(text)).toBeGreaterThanOrEqual(8);
      }),
    );
  });
});

describe('SecretRegistry', () => {
  it('masks values registered later as well, in maskers made after that', () => {
    const secrets = new SecretRegistry();
    secrets.register('ONE', 'first-secret');
    expect(secrets.mask('first-secret second-secret')).toBe('[capwrap:ONE] second-secret');
    secrets.register('TWO', 'second-secret');
    expect(secrets.mask('first-secret second-secret')).toBe('[capwrap:ONE] [capwrap:TWO]');
  });

  it('keeps the first name of a value that comes twice', () => {
    const secrets = new SecretRegistry();
    secrets.register('ONE', 'same-secret-value');
    secrets.register('TWO', 'same-secret-value');
    expect(secrets.mask('same-secret-value')).toBe('[capwrap:ONE]');
  });

  it('is ready within a few milliseconds for credentials of real size', () => {
    const token = Buffer.alloc(750, 'Zx81/+').toString('base64');
    const build = () => {
      const start = performance.now();
      const secrets = new SecretRegistry();
      secrets.register('KEY', AWS_KEY);
      secrets.register('TOKEN', token);
      secrets.redactor();
      return performance.now() - start;
    };
    expect(Math.min(build(), build(), build())).toBeLessThan(50);
  });
});

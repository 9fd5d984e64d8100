import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORMS, formsOf } from '../../src/redact/forms.ts';
import { SecretRegistry } from '../../src/redact/registry.ts';
import { ROOT } from '../helpers/cli.ts';

const AWS_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKEY';
const ODD = `p@ss "word" it's <50%> & $HOME \\ ~ é日`;
const LINES = 'first line of it\n  second, indented line\r\nthird line of it';
const SECRETS = { AWS_KEY, ODD, LINES };

function registryOf(value: string) {
  const secrets = new SecretRegistry();
  secrets.register('S', value);
  return secrets;
}

/** Encodings made by other programs' rules, independent of the table. */
const WRITERS: readonly [string, (value: string) => string][] = [
  ['raw', (value) => value],
  ['JSON.stringify', (value) => JSON.stringify(value).slice(1, -1)],
  ['JSON twice', (value) => JSON.stringify(JSON.stringify({ value })).slice(14, -4)],
  ['encodeURIComponent', (value) => encodeURIComponent(value)],
  ['encodeURI-like path', (value) => encodeURI(value).replaceAll('#', '%23').replaceAll('?', '%3F')],
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
        fc.constantFrom(0, 64, 76),
        (before, after, width) => {
          const document = Buffer.concat([before, Buffer.from(AWS_KEY), after]).toString('base64');
          const text =
            width === 0 ? document : (document.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join('\n');
          const masked = secrets.mask(text);
          expect(masked).toContain('[capwrap:S]');
          // What is left around the mark holds no six bytes of the value.
          const rest = masked.split('[capwrap:S]').map((part) => part.replaceAll('\n', ''));
          const hidden = document.length - rest.join('').length;
          expect(hidden).toBeGreaterThanOrEqual(Math.floor((AWS_KEY.length * 8 - 10) / 6));
        },
      ),
      { numRuns: 300 },
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
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (value) => {
        for (const form of formsOf(value)) expect(Buffer.byteLength(form)).toBeGreaterThanOrEqual(8);
      }),
    );
  });

  it('is documented form by form', () => {
    const page = readFileSync(join(ROOT, 'docs', 'masking.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z0-9-]+)` \| (.*) \|$/gm)].map(([, id, covers]) => ({
      id,
      covers,
    }));
    expect(rows).toEqual(FORMS.map(({ id, covers }) => ({ id, covers: covers.replaceAll('|', '\\|') })));
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

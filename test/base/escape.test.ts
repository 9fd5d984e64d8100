import { expect, test } from 'vitest';
import { escapeText, escapeValue, toJson } from '../../src/base/escape.ts';

/** What could turn text around, hide it, move the cursor or split a line. */
const HOSTILE = [
  '\u202e',
  '\u200b',
  '\u2028',
  '\u0085',
  '\u009b31m',
  '\u001b[2J',
  '\u007f',
  '\u{e0041}',
  '\ufeff',
];
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

test.each(HOSTILE)('%j reaches a terminal in no form', (text) => {
  expect(escapeText(`a${text}b`)).not.toMatch(UNSAFE);
  expect(escapeValue(`a${text}b`)).not.toMatch(UNSAFE);
  const json = toJson({ text });
  expect(json).not.toMatch(UNSAFE);
  expect(JSON.parse(json)).toEqual({ text });
});

test('indented JSON keeps its line ends and no others', () => {
  expect(toJson({ a: 'x\n\u202ey' }, 2)).toBe('{\n  "a": "x\\n\\u202ey"\n}');
});

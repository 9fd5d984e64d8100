import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isJsonObject } from '../../src/audit/log/json-object.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { CLOSED, seal } from './samples.ts';

/** What the answer means. */
function parses(bytes: Buffer): boolean {
  try {
    return bytes[0] === 0x7b && typeof JSON.parse(bytes.toString()) === 'object';
  } catch {
    return false;
  }
}

const LINE = Buffer.from(seal([CLOSED])[0] ?? '');

test('objects are told as JSON.parse tells them', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue()),
      fc.nat(1),
      (value, indent) => {
        const bytes = Buffer.from(JSON.stringify(value, null, indent));
        expect(isJsonObject(bytes)).toBe(true);
      },
    ),
  );
});

test('a record with any of its bytes changed, or cut, is told as JSON.parse tells it', () => {
  const anywhere = fc.nat(LINE.length - 1);
  fc.assert(
    fc.property(anywhere, fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const bytes = Buffer.from(cut ? LINE.subarray(0, at) : LINE);
      if (!cut) bytes[at] = byte;
      expect(isJsonObject(bytes)).toBe(parses(bytes));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  '{}',
  '{"a":1}}',
  '{"a":01}',
  '{"a":1.}',
  '{"a":+1}',
  '{"a":1e5,"b":-0.5E-7}',
  '{"a":tru}',
  '{"a":"\\x"}',
  '{"a":"\\u12g4"}',
  '{"a":"\t"}',
  '{"a":"b"',
  '{"a","b"}',
  '{"a":1,}',
  '{,"a":1}',
  '{"a":[1,]}',
  '{"a":[[[[[1]]]]]}',
  ' {"a":1}',
  '{"a" : 1 }\r',
  '{"a":1}\n{"b":2}',
  '[1]',
  'null',
  '',
  `{"a":"${'\\"'.repeat(50_000)}"}`,
  `{"a":"${'x'.repeat(70_000)}`,
  `{${'"a":[1,2],'.repeat(6000)}"b":}`,
])('%.40j', (text) => {
  const bytes = Buffer.from(text);
  expect(isJsonObject(bytes)).toBe(parses(bytes));
});

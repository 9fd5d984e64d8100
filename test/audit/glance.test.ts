import fc from 'fast-check';
import { expect, test } from 'vitest';
import { glanceAt } from '../../src/audit/record/glance.ts';
import { mayHold, needleOf } from '../../src/audit/record/needle.ts';
import { toJson } from '../../src/base/escape.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal } from './samples.ts';

const T = '2026-03-01T12:00:00.000Z';
const glance = (text: string) => glanceAt(Buffer.from(text));

test('a line as capwrap writes it is told without parsing it', () => {
  for (const line of seal([GRANTED, ISSUED_RECORD, CLOSED, DENIED, { event: 'trusted', map_path: '/m' }])) {
    const { timestamp, event, lease_id } = JSON.parse(line) as Record<string, string>;
    expect(glance(line)).toEqual({ timestamp, event, lease: lease_id ?? null });
  }
});

test('a lease in an object is none of the record', () => {
  expect(glance(`{"timestamp":"${T}","event":"closed","facts":{"x":1,"lease_id":"a"}}`)).toEqual({
    timestamp: T,
    event: 'closed',
    lease: null,
  });
});

test.each([
  ['is no record', 'garbage'],
  ['ends too early', `{"timestamp":"${T}","event":"closed"`],
  ['is no JSON', `{"timestamp":"${T}","event":"closed","x":01}`],
  ['begins otherwise', `{"event":"closed","timestamp":"${T}","lease_id":"a"}`],
  ['has blanks', `{ "timestamp":"${T}","event":"closed","lease_id":"a"}`],
  ['has two events', `{"timestamp":"${T}","event":"closed","lease_id":"a","event":"granted"}`],
  ['has two events, one spelled otherwise', `{"timestamp":"${T}","event":"closed","e\\u0076ent":"granted"}`],
  ['has two times', `{"timestamp":"${T}","event":"closed","timestamp":"x"}`],
  ['has two leases', `{"timestamp":"${T}","event":"closed","lease_id":"a","lease_id":"b"}`],
  ['has a lease with blanks around', `{"timestamp":"${T}","event":"closed","lease_id" : "a"}`],
  [
    'has a name that looks like that of a lease',
    `{"timestamp":"${T}","event":"closed","x\\",\\"lease_id":"b"}`,
  ],
  ['has a lease that is no id', `{"timestamp":"${T}","event":"closed","lease_id":"ü"}`],
  ['has a lease that is no text', `{"timestamp":"${T}","event":"closed","lease_id":7}`],
])('a line that %s must be parsed', (_what, line) => {
  expect(glance(line)).toBeNull();
});

const KINDS = {
  whole: (value: string, text: string) => value === text,
  start: (value: string, text: string) => value.startsWith(text),
  part: (value: string, text: string) => value.includes(text),
};

test.each([
  ['acme/web', '{"repo":"acme\\/web"}'],
  ['acme/web', '{"repo":"\\u0061cme/web"}'],
  ['a"b', '{"repo":"a\\u0022b"}'],
  ['a\nb', '{"repo":"a\\nb"}'],
  ['\u202e', '{"repo":"\u202e"}'],
  ['\u202e', '{"repo":"\\u202e"}'],
  ['\u{1f600}', '{"repo":"\\ud83d\\ude00"}'],
])('%j may be in %s', (text, line) => {
  expect(mayHold(Buffer.from(line), needleOf(text, 'whole'))).toBe(true);
});

test('malformed bytes are read as U+FFFD', () => {
  const line = Buffer.from([...Buffer.from('{"repo":"'), 0xff, ...Buffer.from('"}')]);
  expect(mayHold(line, needleOf('\ufffd', 'whole'))).toBe(true);
});

test('a line that holds a text is never left out, one that could not hold it mostly is', () => {
  const text = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 3 });
  const kinds = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]));
  const writers = fc.constantFrom<(value: unknown) => string>(toJson, (value) => JSON.stringify(value));
  fc.assert(
    fc.property(text, text, text, kinds, writers, (before, wanted, after, kind, write) => {
      for (const value of [wanted, wanted + after, before + wanted + after]) {
        if (!KINDS[kind](value, wanted)) continue;
        const line = Buffer.from(`{"repo":${write(value)}}`);
        const read = (JSON.parse(line.toString()) as { repo: string }).repo;
        if (KINDS[kind](read, wanted)) expect(mayHold(line, needleOf(wanted, kind))).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
  expect(mayHold(Buffer.from('{"repo":"acme/api"}'), needleOf('acme/web', 'whole'))).toBe(false);
  expect(mayHold(Buffer.from('{"repo":"acme/web-app"}'), needleOf('acme/web', 'whole'))).toBe(false);
});

import { describe, expect, test } from 'vitest';
import { parseMoment } from '../../src/commands/time-option.ts';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const parse = (text: string) => parseMoment('--since', text, NOW)?.toISOString();

describe('a moment', () => {
  test.each([
    ['2h', '2026-03-01T10:00:00.000Z'],
    ['7d', '2026-02-22T12:00:00.000Z'],
    ['2026-02-28', '2026-02-28T00:00:00.000Z'],
    ['2026-02-28T08:30:00Z', '2026-02-28T08:30:00.000Z'],
    ['2026-02-28t08:30:00.25z', '2026-02-28T08:30:00.250Z'],
    ['2026-02-28T08:30+02:00', '2026-02-28T06:30:00.000Z'],
    // As the table of audit list shows it.
    ['2026-02-28 08:30:00Z', '2026-02-28T08:30:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(parse(text)).toBe(expected);
  });

  test.each(['2026-02-28T08:30', '2026-02-28 08:30:00'])('without a zone is not guessed: %s', (text) => {
    expect(() => parse(text)).toThrow(`"--since ${text}" does not say in which time zone`);
  });

  test.each([
    '2026-02-31',
    '2026-02-31T08:30:00Z',
    '2026-13-01',
    '2026-02-28 (x)',
    '2026-02-28T24:00:00Z',
    '2026-02-28T08:30:00+99:00',
    '2026-02-28x',
    '-2h',
    '',
  ])('is not %j', (text) => {
    expect(() => parse(text)).toThrow(`"--since ${text}" is neither a duration nor a date`);
  });
});

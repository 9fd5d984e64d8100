import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeText } from '../../src/base/escape.ts';
import { fitTo, fitWidths, textWidth } from '../../src/ui/text-width.ts';
import { anyCharacter } from '../helpers/any-character.ts';

test.each([
  ['plain', 5],
  ['', 0],
  ['é', 1],
  ['e\u0301', 1],
  ['北京', 4],
  ['ひらカナ', 8],
  ['ｶﾅ', 2],
  ['한국', 4],
  ['Ａ', 2],
  ['🚀', 2],
  ['…', 1],
  ['Ωж', 2],
])('%j takes %d columns', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('a text is filled or cut to exactly the columns that there are', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: anyCharacter, maxLength: 20 }),
      fc.integer({ min: 1, max: 30 }),
      (text, width) => {
        const safe = escapeText(text);
        const fitted = fitTo(safe, width);
        expect(textWidth(fitted)).toBe(width);
        if (textWidth(safe) <= width) expect(fitted.startsWith(safe)).toBe(true);
      },
    ),
  );
});

test('columns give way until they fit, the widest first, and then those of the lowest rank go', () => {
  const columns = [{ width: 10 }, { width: 20, least: 5, rank: 2 }, { width: 12, least: 5, rank: 1 }];
  expect(fitWidths(columns, undefined, 2)).toEqual([10, 20, 12]);
  expect(fitWidths(columns, 46, 2)).toEqual([10, 20, 12]);
  expect(fitWidths(columns, 40, 2)).toEqual([10, 14, 12]);
  expect(fitWidths(columns, 24, 2)).toEqual([10, 5, 5]);
  expect(fitWidths(columns, 23, 2)).toEqual([10, 11, 0]);
  expect(fitWidths(columns, 16, 2)).toEqual([10, 0, 0]);
  expect(fitWidths(columns, 4, 2)).toEqual([10, 0, 0]);
});

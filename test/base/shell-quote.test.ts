import { execa } from 'execa';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellQuote } from '../../src/base/shell-quote.ts';
import { anyCharacter } from '../helpers/any-character.ts';

test('words that need no quotes keep their look', () => {
  expect(['/etc/x.yaml', 'a=b', '--flag'].map(shellQuote)).toEqual(['/etc/x.yaml', 'a=b', '--flag']);
});

test('a shell reads back every text as it was', async () => {
  const texts = [
    '',
    ' ',
    "'",
    `$(x)\`"\\`,
    'a\nb',
    ...fc.sample(fc.string({ unit: anyCharacter }), 200),
  ].filter((text) => !text.includes('\0'));
  const { stdout } = await execa('sh', ['-c', `printf '%s\\0' ${texts.map(shellQuote).join(' ')}`]);
  expect(stdout.split('\0').slice(0, -1)).toEqual(texts);
});

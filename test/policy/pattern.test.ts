import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern, matchWhole, patternFault } from '../../src/policy/pattern.ts';
import { anyCharacter } from '../helpers/any-character.ts';

function matches(pattern: string, value: string): boolean {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.reason);
  return compiled.matches(value);
}

/** What a pattern means, said as simply as possible and as slowly as it likes. */
function model(pattern: string, value: string): boolean {
  if (pattern === '') return value === '';
  const [wild, rest] = pattern.startsWith('**')
    ? ['**', pattern.slice(2)]
    : [pattern.slice(0, 1), pattern.slice(1)];
  if (wild !== '*' && wild !== '**') return value.startsWith(wild) && model(rest, value.slice(1));
  for (let length = 0; length <= value.length; length += 1) {
    if (wild === '*' && value.slice(0, length).includes('/')) return false;
    if (model(rest, value.slice(length))) return true;
  }
  return false;
}

describe('compilePattern', () => {
  it.each([
    ['feat/*', 'feat/x', true],
    ['feat/*', 'feat/', true],
    ['feat/*', 'feat/x/y', false],
    ['feat/**', 'feat/x/y', true],
    ['feat/*', 'xfeat/x', false],
    ['feat/*', 'Feat/x', false],
    ['*', 'a/b', false],
    ['**', 'a/b', true],
    ['**', '', true],
    ['*/b', 'a/b', true],
    ['a*b/*c', 'aab/bc', true],
    ['a*b*c', 'abcbc', true],
    ['main', 'main', true],
    ['main', 'main ', false],
    ['main', '', false],
    ['a.c', 'abc', false],
    ['a+b@c', 'a+b@c', true],
    ['^a$', '^a$', true],
    ['v1.*', 'v1.2', true],
  ])('%j against %j is %j', (pattern, value, expected) => {
    expect(matches(pattern, value)).toBe(expected);
  });

  it.each(['\n', '\r', '\0', '\u001b', '\u007f', '\u0085', '\u2028', '\u2029'])(
    'never matches a value that holds %j',
    (char) => {
      for (const pattern of ['**', `main**`, 'main*']) {
        expect(matches(pattern, `main${char}`)).toBe(false);
        expect(matches(pattern, `main${char}x`)).toBe(false);
      }
    },
  );

  it.each([
    ['a?b', 'must not hold "?": patterns know * and ** only'],
    ['[ab]', 'must not hold "[": patterns know * and ** only'],
    ['{a,b}', 'must not hold "{": patterns know * and ** only'],
    ['+(a)', 'must not hold "(": patterns know * and ** only'],
    ['a|b', 'must not hold "|": patterns know * and ** only'],
    ['a\\*', 'must not hold "\\": patterns know * and ** only'],
    ['!main', 'must not start with "!": write a deny rule instead'],
    ['a***', 'must not hold "***": patterns know * and ** only'],
    ['', 'must not be empty'],
    ['main\n', 'must not hold a newline or control character'],
    ['a'.repeat(1025), 'must not be longer than 1024 characters'],
  ])('refuses %j', (pattern, reason) => {
    expect(compilePattern(pattern)).toEqual({ ok: false, reason });
  });

  it('compares Unicode in NFC, and file paths as they are', () => {
    expect(matches('café', 'cafe\u0301')).toBe(true);
    expect(matches('cafe\u0301', 'café')).toBe(true);
    expect(matchWhole('café', 'cafe\u0301')).toBe(false);
  });

  it('agrees with the model', () => {
    const piece = fc.constantFrom('a', 'b', '/', '*', '**', 'é');
    const pattern = fc
      .array(piece, { minLength: 1, maxLength: 7 })
      .map((parts) => parts.join('').replace(/\*{3,}/g, '**'));
    const value = fc
      .array(fc.constantFrom('a', 'b', '/', 'é'), { maxLength: 9 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, value, (text, against) => {
        expect(matches(text, against)).toBe(model(text, against));
      }),
      { numRuns: 2000 },
    );
  });

  it('matches every value that is made from the pattern', () => {
    const word = fc.stringMatching(/^[a-z]{0,4}$/);
    fc.assert(
      fc.property(word, word, fc.stringMatching(/^[a-z/]{0,8}$/), (a, b, filler) => {
        expect(matches(`x${a}**${b}`, `x${a}${filler}${b}`)).toBe(true);
        expect(matches(`x${a}*${b}`, `x${a}${filler.replaceAll('/', '')}${b}`)).toBe(true);
      }),
    );
  });

  it('never throws, and says why it refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), fc.string({ unit: anyCharacter }), (pattern, value) => {
        const compiled = compilePattern(pattern);
        if (compiled.ok) expect(typeof compiled.matches(value)).toBe('boolean');
        else expect(compiled.reason).toBe(patternFault(pattern));
      }),
    );
  });

  it('takes time in proportion to the value, for the worst of patterns', () => {
    const worst = `${'a*'.repeat(500)}b`;
    // A tenth of a second in proportion; with the square of the length it would be half an hour.
    expect(matches(worst, 'a'.repeat(20_000))).toBe(false);
  });
});

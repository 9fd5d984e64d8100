/** What `unit: 'binary'` of fast-check is, without its table of all characters: a second of processor time and 60 MB. */
import fc from 'fast-check';

/** Surrogates are no characters by themselves; behind them the numbers go on. */
const SURROGATES = { first: 0xd800, count: 0x800 };

/** Any character of Unicode, for `fc.string({ unit: anyCharacter })`, which also tries words such as `__proto__`. */
export const anyCharacter = fc.nat(0x10ffff - SURROGATES.count).map(
  (index) => String.fromCodePoint(index < SURROGATES.first ? index : index + SURROGATES.count),
  (text) => {
    const code = typeof text === 'string' ? text.codePointAt(0) : undefined;
    if (code === undefined || String.fromCodePoint(code) !== text || /\p{Cs}/u.test(text)) {
      throw new Error('not one character'); // so fast-check asks
    }
    return code < SURROGATES.first ? code : code - SURROGATES.count;
  },
);

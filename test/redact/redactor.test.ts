import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, type Needle } from '../../src/redact/redactor.ts';
import { maskNaively, shownBefore } from './naive.ts';

function needles(...texts: string[]): Needle[] {
  return texts.map((text, index) => ({ bytes: Buffer.from(text), name: `S${index}` }));
}

function mask(chunks: readonly Uint8Array[], list: readonly Needle[]): { out: Buffer; hits: number } {
  const redactor = createRedactor(list);
  const out = Buffer.concat([...chunks.map((chunk) => redactor.push(chunk)), redactor.flush()]);
  return { out, hits: redactor.hits };
}

function inPieces(text: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < text.length; at += size) chunks.push(text.subarray(at, at + size));
  return chunks;
}

/** [what it shows, needles, text, expected output] */
const CASES: readonly [string, string[], string, string][] = [
  ['a needle alone', ['hunter2-secret'], 'hunter2-secret', '[capwrap:S0]'],
  ['text around it', ['hunter2-secret'], 'a hunter2-secret b\n', 'a [capwrap:S0] b\n'],
  ['twice, touching', ['abcdef'], 'abcdefabcdef', '[capwrap:S0][capwrap:S0]'],
  ['overlapping itself', ['ababab'], 'xababababy', 'x[capwrap:S0]y'],
  ['a run of one byte', ['aaaaaa'], 'baaaaaaaab', 'b[capwrap:S0]b'],
  ['overlapping another, the longer names it', ['abcdefgh', 'ghijkl'], '-abcdefghijkl-', '-[capwrap:S0]-'],
  ['nested: the longer wins', ['cdefgh', 'abcdefghij'], '-abcdefghij-', '-[capwrap:S1]-'],
  [
    'a beginning that fails, then a match inside it',
    ['abcdefghij', 'cdefgh'],
    'abcdefghiX',
    'ab[capwrap:S1]iX',
  ],
  ['a beginning that fails and restarts inside itself', ['aabaac'], 'aabaabaac', 'aab[capwrap:S0]'],
  ['a chain of overlaps', ['abcdef', 'fghijk', 'klmnop'], '<abcdefghijklmnop>', '<[capwrap:S0]>'],
  ['the replacement is not searched', ['capwrap'], 'capwrap', '[capwrap:S0]'],
  ['removal makes no new match', ['abcdef'], 'abcabcdefdef', 'abc[capwrap:S0]def'],
  ['a held beginning at the end', ['abcdefgh'], 'x abcdefg', 'x abcdefg'],
  ['characters of several bytes', ['pässwörd-日本'], 'é pässwörd-日本 ü', 'é [capwrap:S0] ü'],
  ['no needles', [], 'plain text', 'plain text'],
  ['$& in a needle and in the text', ['$&$1$$'], 'a$&$1$$b$&', 'a[capwrap:S0]b$&'],
];

describe('createRedactor', () => {
  it.each(CASES)('%s', (_title, texts, input, expected) => {
    const text = Buffer.from(input);
    const list = needles(...texts);
    expect(mask([text], list).out.toString()).toBe(expected);
    expect(mask(inPieces(text, 1), list).out.toString()).toBe(expected);
    for (let cut = 0; cut <= text.length; cut++) {
      expect(mask([text.subarray(0, cut), text.subarray(cut)], list).out.toString()).toBe(expected);
    }
  });

  it('gives the same bytes as the model, however the stream is cut', () => {
    const alphabet = fc.constantFrom(...Buffer.from('ab\n'), 0xc3, 0xa9);
    const bytes = (min: number, max: number) =>
      fc.array(alphabet, { minLength: min, maxLength: max }).map((list) => Buffer.from(list));
    const list = fc
      .array(bytes(6, 20), { minLength: 1, maxLength: 6 })
      .map((all) =>
        all.map((needle, index) => ({ bytes: needle, name: `N${index}`, folds: index % 2 === 0 })),
      );
    fc.assert(
      fc.property(
        list.chain((all) =>
          fc.record({
            all: fc.constant(all),
            // Text made of needles, their parts and noise: most random texts would hold no match.
            parts: fc.array(
              fc.oneof(
                bytes(0, 6),
                fc
                  .tuple(fc.nat(all.length - 1), fc.nat(20), fc.nat(20))
                  .map(([index, from, to]) => all[index]?.bytes.subarray(from, to) ?? Buffer.alloc(0)),
                fc.nat(all.length - 1).map((index) => all[index]?.bytes ?? Buffer.alloc(0)),
              ),
              { maxLength: 12 },
            ),
            sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
          }),
        ),
        ({ all, parts, sizes }) => {
          const text = Buffer.concat(parts);
          const expected = maskNaively(text, all);
          const cuts: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < text.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            cuts.push(text.subarray(at, at + size));
            at += size;
          }
          for (const chunks of [[text], inPieces(text, 1), cuts]) {
            const actual = mask(chunks, all);
            expect(actual.out.toString('hex')).toBe(expected.out.toString('hex'));
            expect(actual.hits).toBe(expected.hits);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('holds back only what can still become a match', () => {
    const redactor = createRedactor(needles('secret-value-1', 'other-secret'));
    expect(redactor.push(Buffer.from('Password: ')).toString()).toBe('Password: ');
    expect(redactor.push(Buffer.from('xx secret-val')).toString()).toBe('xx ');
    expect(redactor.push(Buffer.from('id ')).toString()).toBe('secret-valid ');
    expect(redactor.push(Buffer.from('secret-value-1')).toString()).toBe('[capwrap:S0]');
    expect(redactor.push(Buffer.from('$ ')).toString()).toBe('$ ');
    expect(redactor.flush().toString()).toBe('');
  });

  it('never holds more than the longest needle, whatever overlaps', () => {
    const redactor = createRedactor(needles('abababab'));
    let out = redactor.push(Buffer.from('abababa')).length;
    for (let i = 0; i < 10_000; i++) out += redactor.push(Buffer.from('ba')).length;
    expect(out).toBe(0);
    expect(redactor.push(Buffer.from('!')).toString()).toMatch(/^\[capwrap:S0\]a?!$/);
    expect(redactor.hits).toBe(1);
  });

  it('leaves every other byte as it is', () => {
    const all = Buffer.from(Array.from({ length: 256 * 64 }, (_, index) => (index * 7 + (index >> 8)) & 255));
    expect(mask(inPieces(all, 1000), needles('this-is-not-in-there')).out.equals(all)).toBe(true);
  });

  it('does not change when the caller reuses its buffer', () => {
    const redactor = createRedactor(needles('secret-value'));
    const chunk = Buffer.from('secret-');
    redactor.push(chunk);
    chunk.fill(0);
    expect(redactor.push(Buffer.from('value')).toString()).toBe('[capwrap:S0]');
  });
});

describe('release', () => {
  const prompt = () => createRedactor(needles('abcdefgh', 'gh-12345'));

  it('lets out a held beginning of fewer than four bytes, and masks what follows all the same', () => {
    const redactor = prompt();
    expect(redactor.short).toBe(false);
    expect(redactor.push(Buffer.from('Name: ab')).toString()).toBe('Name: ');
    expect(redactor.short).toBe(true);
    expect(redactor.release().toString()).toBe('ab');
    expect(redactor.short).toBe(false);
    expect(redactor.release().toString()).toBe('');
    expect(redactor.push(Buffer.from('cdefgh!')).toString()).toBe('[capwrap:S0]!');
  });

  it('does not let it out twice where it turns out to be none', () => {
    const redactor = prompt();
    redactor.push(Buffer.from('ab'));
    expect(redactor.release().toString()).toBe('ab');
    expect(redactor.push(Buffer.from('ab')).toString()).toBe('');
    expect(redactor.release().toString()).toBe('ab');
    expect(redactor.push(Buffer.from('c')).toString()).toBe('');
    expect(redactor.flush().toString()).toBe('c');
  });

  it('keeps four bytes and more', () => {
    const redactor = prompt();
    redactor.push(Buffer.from('abcd'));
    expect(redactor.short).toBe(false);
    expect(redactor.release().toString()).toBe('');
    expect(redactor.flush().toString()).toBe('abcd');
  });

  it('lets out three bytes at most of a needle that comes one byte at a time', () => {
    const redactor = prompt();
    let out = '';
    for (const byte of Buffer.from('abcdefgh-12345')) {
      out += redactor.push(Buffer.of(byte)).toString() + redactor.release().toString();
    }
    expect(out + redactor.flush().toString()).toBe('abc[capwrap:S0]');
  });

  it('lets out nothing while matches may still be merged', () => {
    const redactor = prompt();
    expect(redactor.push(Buffer.from('abcdefgh')).toString()).toBe('');
    expect(redactor.short).toBe(false);
    expect(redactor.release().toString()).toBe('');
    expect(redactor.push(Buffer.from('-')).toString()).toBe('');
    expect(redactor.flush().toString()).toBe('[capwrap:S0]-');
  });

  it('changes nothing but that up to three bytes stand before a marker', () => {
    const bytes = (minLength: number, maxLength: number) =>
      fc.array(fc.constantFrom(97, 98), { minLength, maxLength }).map((list) => Buffer.from(list));
    fc.assert(
      fc.property(
        fc.array(bytes(6, 14), { minLength: 1, maxLength: 3 }),
        fc.array(
          fc.oneof(
            { weight: 2, arbitrary: bytes(0, 3) },
            { weight: 1, arbitrary: fc.constant('!') },
            { weight: 3, arbitrary: fc.nat(2) },
          ),
          { maxLength: 12 },
        ),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean()), { minLength: 1, maxLength: 8 }),
        (values, parts, cuts) => {
          const list = values.map((value, index) => ({ bytes: value, name: `N${index}` }));
          const text = Buffer.concat(
            parts.map((part) =>
              typeof part === 'number' ? (values[part % values.length] as Buffer) : Buffer.from(part),
            ),
          );
          const redactor = createRedactor(list);
          const out: Buffer[] = [];
          for (let at = 0, turn = 0; at < text.length; turn++) {
            const [size, pause] = cuts[turn % cuts.length] as [number, boolean];
            out.push(Buffer.from(redactor.push(text.subarray(at, at + size))));
            if (pause) out.push(redactor.release());
            if (pause) expect(redactor.short).toBe(false);
            at += size;
          }
          out.push(redactor.flush());
          const shown = shownBefore(Buffer.concat(out), text, list);
          expect(shown).not.toBeNull();
          expect(Math.max(0, ...(shown ?? []))).toBeLessThan(4);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('room before a chunk', () => {
  const filled = (text: string, room: number) => {
    const memory = Buffer.alloc(room + text.length, '.');
    memory.write(text, room);
    return memory.subarray(room);
  };

  it('takes the held bytes, so that the result is a view of the same memory', () => {
    const redactor = createRedactor(needles('secret-value'));
    redactor.push(filled('a secret-', 0));
    const chunk = filled('ive', 16);
    const out = redactor.push(chunk, 16);
    expect(out.toString()).toBe('secret-ive');
    expect(out.buffer).toBe(chunk.buffer);
  });

  it('is left alone where it does not suffice', () => {
    const redactor = createRedactor(needles('secret-value'));
    redactor.push(filled('a secret-', 0));
    const chunk = filled('value', 16);
    expect(redactor.push(chunk, 6).toString()).toBe('[capwrap:S0]');
    expect(Buffer.from(chunk.buffer, chunk.byteOffset - 16, 16).toString()).toBe('.'.repeat(16));
  });
});

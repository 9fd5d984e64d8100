/** A compressed archive reads as if it weren't, in bounded memory, and damage is never taken for its end. */
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfBuffer } from '../../src/audit/log/bytes.ts';
import { bytesOfGzip } from '../../src/audit/log/gzip-bytes.ts';
import { inflater } from '../../src/audit/log/inflate.ts';
import { readLines, readLinesBackwards } from '../../src/audit/log/lines.ts';

const LIMITS = { most: 64 * 1024 * 1024, tooLarge: () => new Error('too large') };

function open(compressed: Buffer, limits: Partial<Parameters<typeof bytesOfGzip>[1]> = {}) {
  return bytesOfGzip(bytesOfBuffer(compressed).read, { ...LIMITS, ...limits });
}

/** Bytes that compress a little, so that pieces come in many sizes. */
function bytesOf(length: number, seed = 1): Buffer {
  let state = seed;
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 28;
    }),
  );
}

test('any part can be read, in any order, however small the window is', () => {
  const plain = bytesOf(300_000);
  const compressed = gzipSync(plain);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(350_000), fc.nat(200_000)), { minLength: 1, maxLength: 6 }),
      fc.constantFrom(1, 40_000, 150_000, 10_000_000),
      fc.boolean(),
      (parts, window, isSized) => {
        const file = open(compressed, { window });
        if (isSized) expect(file.size()).toBe(plain.length);
        for (const [offset, length] of parts)
          expect(file.read(offset, length).equals(plain.subarray(offset, offset + length))).toBe(true);
        file.close();
      },
    ),
    { numRuns: 40 },
  );
});

test('lines come forwards and backwards, through several members and empty ones', () => {
  const lines = Array.from({ length: 3000 }, (_, at) => `line ${at} ${'x'.repeat(at % 700)}`);
  const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const cuts = [0, 10, 10, 400_000, text.length];
  const members = cuts.slice(1).map((to, at) => gzipSync(text.subarray(cuts[at], to)));
  for (const window of [1, 500_000, 10_000_000]) {
    const file = open(Buffer.concat(members), { window });
    expect([...readLines(file)].map(({ bytes }) => bytes.toString())).toEqual(lines);
    expect([...readLinesBackwards(file)].map(({ bytes }) => bytes.toString())).toEqual(lines.toReversed());
  }
});

test('whatever a file holds, and however it is read, what comes out is what Node inflates at once', () => {
  const member = fc.uint8Array({ maxLength: 300, max: 7 }).map((bytes) => gzipSync(bytes));
  const atOnce = (bytes: Buffer) => attempt(() => gunzipSync(bytes));
  const inPieces = (bytes: Buffer, step: number) =>
    attempt(() => {
      const source = inflater((offset, length) => bytes.subarray(offset, offset + Math.min(length, step)));
      const pieces: Buffer[] = [];
      try {
        for (let piece = source.next(); piece !== null; piece = source.next()) pieces.push(piece);
        return Buffer.concat(pieces);
      } finally {
        source.close();
      }
    });
  fc.assert(
    fc.property(
      fc.array(member, { minLength: 1, maxLength: 4 }).map((members) => Buffer.concat(members)),
      fc.constantFrom('whole', 'cut', 'flipped', 'zeros behind', 'garbage behind'),
      fc.nat(),
      fc.integer({ min: 1, max: 60 }),
      (whole, how, place, step) => {
        const bytes = damaged(whole, how, place % whole.length);
        expect(inPieces(bytes, step)).toEqual(atOnce(bytes));
      },
    ),
    { numRuns: 300 },
  );
});

function damaged(whole: Buffer, how: string, place: number): Buffer {
  if (how === 'cut') return whole.subarray(0, place);
  if (how === 'zeros behind') return Buffer.concat([whole, Buffer.alloc(7)]);
  if (how === 'garbage behind') return Buffer.concat([whole, Buffer.from('garbage')]);
  const bytes = Buffer.from(whole);
  if (how === 'flipped') bytes[place] = (bytes[place] ?? 0) ^ 0x10;
  return bytes;
}

/** What comes out, or null for a fault. */
function attempt(inflate: () => Buffer): Buffer | null {
  try {
    return inflate();
  } catch {
    return null;
  }
}

describe('damage', () => {
  const whole = gzipSync(bytesOf(200_000));
  const changed = Buffer.from(whole);
  changed[60_000] = (changed[60_000] ?? 0) ^ 0xff;
  test.each([
    ['no gzip at all', Buffer.from('{"timestamp":"2026"}\n')],
    ['nothing', Buffer.alloc(0)],
    ['a byte that was changed', changed],
    ['the end cut off', whole.subarray(0, -1)],
    ['half of it', whole.subarray(0, whole.length / 2)],
    ['a second member that is cut', Buffer.concat([whole, whole.subarray(0, 100)])],
  ])('is told: %s', (_, bytes) => {
    const file = open(bytes);
    expect(() => file.size()).toThrow(expect.objectContaining({ code: expect.stringMatching(/^Z_/) }));
    file.close();
  });
});

test('a bomb ends at the limit, and is never held as a whole', () => {
  const bomb = Buffer.concat(Array.from({ length: 40 }, () => gzipSync(Buffer.alloc(1024 * 1024))));
  const file = open(bomb, { most: 32 * 1024 * 1024, window: 1024 * 1024 });
  expect(() => file.size()).toThrow('too large');
  file.close();
});

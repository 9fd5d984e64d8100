import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENESIS, sealRecord } from '../../src/audit/log/chain.ts';
import { verifyLog } from '../../src/audit/log/verify.ts';
import { toJson } from '../../src/base/escape.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { tempDir } from '../helpers/cli.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from './samples.ts';

const LINES = seal([GRANTED, ISSUED_RECORD, DENIED, CLOSED, { event: 'trusted', map_path: '/ü \u2028 map' }]);
const BYTES = Buffer.from(LINES.map((line) => `${line}\n`).join(''));

/** Line of each byte, counted from 1; a newline belongs to the line that it ends. */
const lineOf = (offset: number) => BYTES.subarray(0, offset).filter((byte) => byte === 0x0a).length + 1;

function write(bytes: Uint8Array): string {
  const path = join(tempDir(), 'audit.jsonl');
  writeFileSync(path, bytes);
  return path;
}

describe('a whole log', () => {
  test('verifies, and its head is the last record', async () => {
    const last: unknown = JSON.parse(LINES.at(-1) ?? '');
    expect(await verifyLog(write(BYTES))).toEqual({
      ok: true,
      exists: true,
      currentMissing: false,
      records: 5,
      recovered: 0,
      resumed: 0,
      retired: 0,
      head: { seq: 5, hash: (last as { hash: string }).hash },
      firstBad: null,
      torn: null,
    });
  });

  test('may be empty', async () => {
    expect(await verifyLog(write(Buffer.alloc(0)))).toMatchObject({ ok: true, records: 0, head: GENESIS });
  });

  test('has its first record', async () => {
    expect(await verifyLog(writeLog(tempDir(), LINES.slice(1)))).toMatchObject({
      ok: false,
      records: 0,
      head: GENESIS,
      firstBad: {
        file: 'audit.jsonl',
        line: 1,
        why: 'the log begins with seq 2, and no record says that those before it were removed',
      },
    });
  });

  test('that is missing is not one that was checked', async () => {
    expect(await verifyLog(join(tempDir(), 'audit.jsonl'))).toMatchObject({
      ok: false,
      exists: false,
      records: 0,
    });
  });

  test("can't show by its chain alone that records were cut from its end", async () => {
    expect(await verifyLog(writeLog(tempDir(), LINES.slice(0, 3)))).toMatchObject({ ok: true, records: 3 });
  });
});

describe('a log that somebody touched', () => {
  async function expectNoticed(path: string, offset: number, flip: number): Promise<void> {
    const changed = Buffer.from(BYTES);
    changed[offset] = (changed[offset] ?? 0) ^ flip;
    writeFileSync(path, changed);
    const found = await verifyLog(path);
    expect(found.ok).toBe(false);
    expect(found.firstBad?.line ?? found.torn?.line).toBe(lineOf(offset));
    expect(found.records).toBe(lineOf(offset) - 1);
  }

  test('is noticed at the line of any changed byte', async () => {
    const path = write(BYTES);
    const offsets = fc.nat(BYTES.length - 1);
    const flips = fc.integer({ min: 1, max: 255 });
    await fc.assert(
      fc.asyncProperty(offsets, flips, (offset, flip) => expectNoticed(path, offset, flip)),
      { numRuns: 500 },
    );
    const newlines = [...BYTES.keys()].filter((offset) => BYTES[offset] === 0x0a);
    for (const offset of newlines) await expectNoticed(path, offset, 0x2a);
  });

  const without = (at: number) => LINES.filter((_, index) => index !== at);
  const doubled = (at: number) => LINES.flatMap((line, index) => (index === at ? [line, line] : [line]));
  const swapped = (a: number, b: number) =>
    LINES.map((line, index) => (index === a ? LINES[b] : index === b ? LINES[a] : line) ?? '');

  test('is noticed where a line was taken out, doubled or moved', async () => {
    const folder = tempDir();
    for (let at = 0; at < LINES.length; at++) {
      if (at < LINES.length - 1) {
        expect(await verifyLog(writeLog(folder, without(at)))).toMatchObject({ firstBad: { line: at + 1 } });
      }
      expect(await verifyLog(writeLog(folder, doubled(at)))).toMatchObject({ firstBad: { line: at + 2 } });
      for (let other = at + 1; other < LINES.length; other++) {
        expect(await verifyLog(writeLog(folder, swapped(at, other)))).toMatchObject({
          firstBad: { line: at + 1 },
        });
      }
    }
  });

  test('is noticed where a record was forged onto another one', async () => {
    const forged = sealRecord({ event: 'closed' }, { seq: 3, hash: 'f'.repeat(64) }).line;
    expect(await verifyLog(writeLog(tempDir(), [...LINES.slice(0, 3), forged]))).toMatchObject({
      ok: false,
      records: 3,
      firstBad: { line: 4, why: 'its prev is not the hash of the record before it' },
    });
  });

  test.each([
    ['an empty line', '', 'it is no record: not one JSON object that ends in seq, prev and hash'],
    ['text', 'hello', 'it is no record: not one JSON object that ends in seq, prev and hash'],
    [
      'a line far longer than any record',
      'x'.repeat(3_000_000),
      'it is no record: not one JSON object that ends in seq, prev and hash',
    ],
    [
      'a gap',
      sealRecord({ event: 'closed' }, { seq: 9, hash: GENESIS.hash }).line,
      'its seq is 10 where 3 is due: a record is missing or moved',
    ],
  ])('names %s', async (_what, line, why) => {
    const path = writeLog(tempDir(), [...LINES.slice(0, 2), line, ...LINES.slice(2)]);
    expect(await verifyLog(path)).toMatchObject({ ok: false, records: 2, firstBad: { line: 3, why } });
  });

  test('and a torn end is told apart', async () => {
    const cut = BYTES.subarray(0, BYTES.length - 10);
    const last = LINES.at(-1) ?? '';
    expect(await verifyLog(write(cut))).toMatchObject({
      ok: false,
      records: 4,
      firstBad: null,
      torn: { line: 5, bytes: Buffer.byteLength(last) - 9 },
    });
  });
});

test('one record is one printable line, whatever its values are', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 200 }), (text) => {
      const { line } = sealRecord({ text }, GENESIS);
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
      expect(JSON.parse(line)).toMatchObject({ text });
    }),
  );
  expect(toJson('a\u2028b\u009b\u{e0041}\n')).toBe('"a\\u2028b\\u009b\\udb40\\udc41\\n"');
});

/** Heads are found in whatever they were left in, at every boundary of its chunks. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findHeads } from '../../../src/audit/anchor/find.ts';
import { headText, type LeftHead, LONGEST_HEAD } from '../../../src/audit/anchor/head.ts';

const HEAD: LeftHead = {
  logId: '0123456789abcdef',
  seq: 12,
  hash: 'c3'.repeat(32),
  place: 'fedcba9876543210',
};
const TEXT = headText(HEAD);

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function found(text: string | Buffer, size = 64 * 1024): Promise<readonly (LeftHead | string)[]> {
  const all: (LeftHead | string)[] = [];
  for await (const each of findHeads(inChunks(Buffer.from(text), size)))
    all.push(each.kind === 'head' ? each.head : each.kind === 'anchor' ? each.line : each.kind);
  return all;
}

test('the longest head is as long as is said', () => {
  const longest = { ...HEAD, seq: 999_999_999_999_999 };
  expect(headText(longest)).toHaveLength(LONGEST_HEAD);
});

test.each([
  ['a line of its own', `${TEXT}\n`],
  ['a line without an end', TEXT],
  ['a line of syslog', `Mar  1 12:00:00 build-7 capwrap[4711]: ${TEXT}\n`],
  ['an export of the journal', `{"MESSAGE":"${TEXT}","_UID":"1000"}\n`],
  [
    'an event of CloudTrail',
    JSON.stringify({ requestParameters: { tags: [{ key: 'head', value: TEXT }] } }, null, 2),
  ],
  [
    'binary',
    Buffer.concat([Buffer.from([0, 255, 10, 13, 0xe2, 0x80]), Buffer.from(TEXT), Buffer.from([0, 200])]),
  ],
  ['lines of DOS', `x\r\n${TEXT}\r\n`],
])('in %s', async (_name, text) => {
  for (const size of [1, 7, 100_000]) expect(await found(text, size)).toEqual([HEAD]);
});

test.each([
  ['a digit too many', `${TEXT}0`],
  ['a digit too few', TEXT.slice(0, -1)],
  ['upper case', TEXT.toUpperCase()],
  ['another version', TEXT.replace('v1', 'v2')],
  ['a seq of 0', TEXT.replace(':12:', ':0:')],
  ['a seq beyond what counts exactly', TEXT.replace(':12:', ':1234567890123456:')],
  ['a line end inside', TEXT.replace(':12:', ':12\n:')],
])('not with %s', async (_name, text) => {
  expect(await found(text)).toEqual([]);
});

test('each once, in a text without a line end, wherever it is cut', async () => {
  const gap = fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[0-9a-f]/g, '.'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(gap, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 300 }),
      async (gaps, size) => {
        const long = '.'.repeat(66_000);
        const text = gaps.map((each) => `${each}${long}${TEXT}`).join('');
        expect(await found(text, size * 100)).toEqual(gaps.map(() => HEAD));
      },
    ),
    { numRuns: 20 },
  );
});

test('anchors are told as whole lines, and signatures outside of them too', async () => {
  const anchor = `{"capwrap_audit_anchor":1,"head":"${TEXT}","signature":"-----BEGIN SSH SIGNATURE-----\\n"}`;
  const text = `x ${anchor}\n${anchor}\n-----BEGIN SSH SIGNATURE-----\n`;
  expect(await found(text, 50)).toEqual([HEAD, 'stray_signature', HEAD, anchor, 'stray_signature']);
});

test('a line that never ends takes no memory that grows with it', async () => {
  async function* endless(): AsyncGenerator<Buffer> {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    for (let sent = 0; sent < 128; sent++) yield chunk;
    yield Buffer.from(TEXT);
  }
  const before = process.memoryUsage().rss;
  const all: unknown[] = [];
  for await (const each of findHeads(endless())) all.push(each);
  expect(all).toEqual([{ kind: 'head', head: HEAD }]);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

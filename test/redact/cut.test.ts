/** The rest of an output that capwrap itself has cut off. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/redact/redactor.ts';

const NEEDLES = ['abcdefghij', 'ij-12345678'].map((text, index) => ({
  bytes: Buffer.from(text),
  name: `S${index}`,
}));

describe('flush of an output that was cut off', () => {
  it.each([
    ['most of a needle', 'x abcdefghi', 'x [capwrap:cut]'],
    ['three bytes of one', 'x abc', 'x abc'],
    ['a whole one', 'x abcdefghij', 'x [capwrap:S0]'],
    ['a whole one, and most of the next', 'x abcdefghij-123456', 'x [capwrap:S0][capwrap:cut]'],
    ['nothing that could be one', 'x yz', 'x yz'],
    ['nothing', '', ''],
  ])('%s', (_what, text, expected) => {
    const redactor = createRedactor(NEEDLES);
    const out = [Buffer.from(redactor.push(Buffer.from(text))), redactor.flush(true)];
    expect(Buffer.concat(out).toString()).toBe(expected);
  });

  it('never shows more than three bytes of a needle at its end, wherever it was cut', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 9 }), (cut, size) => {
        const text = Buffer.from('abcdefghij-12345678 abcdefghij abcdefghijij-12345678').subarray(0, cut);
        const redactor = createRedactor(NEEDLES);
        let out = '';
        for (let at = 0; at < text.length; at += size) {
          out += redactor.push(Uint8Array.prototype.slice.call(text, at, at + size)).toString();
        }
        out += redactor.flush(true).toString();
        expect(out).not.toMatch(/abcd|ij-1/);
      }),
    );
  });
});

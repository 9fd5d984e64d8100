/** Output put together in the memory of its text: the same bytes as a copy, and nothing beside its room is touched. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { joined, joinedWithin } from '../../src/redact/pieces.ts';

/** A text's stretches that stay, each with what replaces the bytes before it. */
const parts = fc.array(fc.record({ gone: fc.nat(40), marker: fc.nat(60), stays: fc.nat(40) }), {
  maxLength: 12,
});

it('is what a copy would be', () => {
  fc.assert(
    fc.property(parts, fc.integer({ min: -1, max: 80 }), (list, room) => {
      const before = Math.max(0, room) + 10;
      const length = list.reduce((sum, { gone, stays }) => sum + gone + stays, 0);
      const memory = Uint8Array.from({ length: before + length + 10 }, (_, index) => index % 251);
      const kept = memory.slice();
      const text = memory.subarray(before, before + length);
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const { gone, marker, stays } of list) {
        if (marker > 0) pieces.push(new Uint8Array(marker).fill(252));
        at += gone;
        if (stays > 0) pieces.push(text.subarray(at, at + stays));
        at += stays;
      }
      const expected = Buffer.from(joined(pieces));
      const out = joinedWithin(text, room, pieces);
      expect(out.equals(expected)).toBe(true);
      const free = room < 0 ? 0 : room + length;
      const from = before - Math.max(0, room);
      expect(memory.subarray(0, from)).toEqual(kept.subarray(0, from));
      expect(memory.subarray(from + free)).toEqual(kept.subarray(from + free));
    }),
  );
});

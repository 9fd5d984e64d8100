import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Sink } from '../../src/runner/sink.ts';
import { undoOnlcr } from '../../src/runner/undo-onlcr.ts';

const INDEX = Buffer.from('\x1bD');

/** A way to a sink, and what that one has got so far. */
function open(bareLf = INDEX) {
  const got: Buffer[] = [];
  let ended = 0;
  let hasRoom = true;
  const target: Sink = {
    write(data) {
      got.push(Buffer.from(data));
      return hasRoom;
    },
    onRoom: () => {},
    onBroken: () => {},
    async written() {
      ended += 1;
      return null;
    },
  };
  const undone = undoOnlcr(target, bareLf);
  return {
    undone,
    target,
    give: (chunk: string | Uint8Array) =>
      undone.write(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Buffer.from(chunk)),
    end: () => void undone.written(),
    fill: () => (hasRoom = false),
    text: () => Buffer.concat(got).toString('latin1'),
    ended: () => ended,
  };
}

/** What the kernel makes of it with ONLCR set: each LF becomes CR LF, and nothing else changes. */
function cooked(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([...bytes].flatMap((byte) => (byte === 0x0a ? [0x0d, 0x0a] : [byte])));
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) break;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return at < bytes.length ? [...chunks, bytes.subarray(at)] : chunks;
}

// Mostly what matters here: line ends, carriage returns, and the bytes that they must not be mistaken for.
const BYTES = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0x0a, 0x0d) }, fc.nat(255)), {
  maxLength: 40,
});
const SIZES = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 60 });

describe('undoOnlcr', () => {
  it('gives back what the child wrote, whatever it was and however it was cut', () => {
    fc.assert(
      fc.property(BYTES, SIZES, (bytes, sizes) => {
        const written = Uint8Array.from(bytes);
        const { give, end, text, ended } = open();
        for (const chunk of cut(cooked(written), sizes)) give(chunk);
        end();
        expect(text()).toBe(Buffer.from(written).toString('latin1'));
        expect(ended()).toBe(1);
      }),
      { numRuns: 2000 },
    );
  });

  it('replaces a LF that came without its CR, and only that', () => {
    fc.assert(
      fc.property(BYTES, SIZES, (bytes, sizes) => {
        // With ONLCR off nothing is added; what stands before a LF decides.
        const raw = Uint8Array.from(bytes);
        const expected = Buffer.from(raw)
          .toString('latin1')
          .replace(/\r?\n/g, (found) => (found === '\n' ? '\x1bD' : '\n'));
        const { give, end, text } = open();
        for (const chunk of cut(raw, sizes)) give(chunk);
        end();
        expect(text()).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  const ROWS: readonly (readonly [what: string, chunks: readonly string[], out: string])[] = [
    ['a line', ['a\r\n'], 'a\n'],
    ['a line end that is cut in two', ['a\r', '\nb'], 'a\nb'],
    ['a line end in three reads', ['a', '\r', '\n'], 'a\n'],
    ['empty lines', ['\r\n\r\n\r\n'], '\n\n\n'],
    ['a progress line', ['10%\r20%\r100%\r\n'], '10%\r20%\r100%\n'],
    ['a progress line, read piece by piece', ['10%\r', '20%\r', '100%\r', '\n'], '10%\r20%\r100%\n'],
    ['CR LF of the child’s own', ['a\r\r\n'], 'a\r\n'],
    ['CR LF of the child’s own, cut twice', ['a\r', '\r', '\n'], 'a\r\n'],
    ['many CR before a LF', ['\r\r\r', '\r\n'], '\r\r\r\n'],
    ['a LF at the very beginning', ['\nb'], '\x1bDb'],
    ['bare LF in a row', ['a\n\nb'], 'a\x1bD\x1bDb'],
    ['a bare LF at the beginning of a read', ['a', '\nb'], 'a\x1bDb'],
    ['a LF after a line end', ['a\r\n\n'], 'a\n\x1bD'],
    ['a CR that is the last byte', ['a\r'], 'a\r'],
    ['nothing', [], ''],
  ];
  it.each(ROWS)('%s', (_, chunks, out) => {
    const { give, end, text } = open();
    for (const chunk of chunks) give(chunk);
    end();
    expect(text()).toBe(out);
  });

  it('lets a CR out by itself after a moment: a progress line has one at its end', () => {
    vi.useFakeTimers();
    try {
      const { give, text, end } = open();
      give('10%\r');
      expect(text()).toBe('10%');
      vi.advanceTimersByTime(100);
      expect(text()).toBe('10%\r');
      give('20%');
      vi.advanceTimersByTime(100);
      end();
      expect(text()).toBe('10%\r20%');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves no timer behind, whatever came last', () => {
    vi.useFakeTimers();
    try {
      for (const chunks of [['a\r'], ['a\r', '\n'], ['a\r', 'b'], ['a\r', '\r']]) {
        const { give, end, text } = open();
        for (const chunk of chunks) give(chunk);
        end();
        const before = text();
        expect(vi.getTimerCount()).toBe(0);
        vi.advanceTimersByTime(1000);
        expect(text()).toBe(before);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('takes the line end that follows a CR which is out already for one', () => {
    vi.useFakeTimers();
    try {
      const { give, text, end } = open();
      give('a\r');
      vi.advanceTimersByTime(100); // a reader that was too slow for more
      give('\nb\r\n');
      end();
      // One CR more than needed, which moves nothing.
      expect(text()).toBe('a\r\nb\n');
    } finally {
      vi.useRealTimers();
    }
  });

  it('hands on that there is no room, that there is some again, and that the reader is gone', () => {
    const { give, fill, undone, target } = open();
    const calls: string[] = [];
    undone.onRoom = () => void calls.push('room');
    undone.onBroken = () => void calls.push('broken');
    expect(give('a\r\n')).toBe(true);
    fill();
    expect(give('b\r\n')).toBe(false);
    target.onRoom();
    target.onBroken();
    expect(calls).toEqual(['room', 'broken']);
  });

  it('leaves the chunk as it is: the masker or another reader may have it too', () => {
    const chunk = Buffer.from('a\r\nb\nc\r');
    const { give } = open();
    give(chunk);
    expect(chunk.toString('latin1')).toBe('a\r\nb\nc\r');
  });
});

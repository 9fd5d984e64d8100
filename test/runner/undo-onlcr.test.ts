import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Reader, Source } from '../../src/runner/source.ts';
import { undoOnlcr } from '../../src/runner/undo-onlcr.ts';

const INDEX = Buffer.from('\x1bD');

/** A source that hands out what it is given, and what its reader has got so far. */
function open(bareLf = INDEX) {
  const got: Buffer[] = [];
  let inner: Reader | null = null;
  let ended = 0;
  let goOn = true;
  const calls: string[] = [];
  const source: Source = {
    start: (reader) => (inner = reader),
    resume: () => void calls.push('resume'),
    close: () => void calls.push('close'),
    get closed() {
      return calls.includes('close');
    },
  };
  const undone = undoOnlcr(source, bareLf);
  undone.start({
    onData(chunk) {
      got.push(Buffer.from(chunk));
      return goOn;
    },
    onEnd: () => (ended += 1),
  });
  return {
    undone,
    calls,
    give: (chunk: string | Uint8Array) =>
      inner?.onData(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk, 0),
    end: () => inner?.onEnd(),
    fill: () => (goOn = false),
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

  it('hands on that the reader has no room, and that it has some again', () => {
    const { give, fill, undone, calls } = open();
    expect(give('a\r\n')).toBe(true);
    fill();
    expect(give('b\r\n')).toBe(false);
    // Nothing was handed on, so there is nothing to wait for.
    expect(give('\r')).toBe(true);
    undone.resume();
    undone.close();
    expect(calls).toEqual(['resume', 'close']);
    expect(undone.closed).toBe(true);
  });

  it('leaves the chunk as it is: the masker or another reader may have it too', () => {
    const chunk = Buffer.from('a\r\nb\nc\r');
    const { give } = open();
    give(chunk);
    expect(chunk.toString('latin1')).toBe('a\r\nb\nc\r');
  });
});

/**
 * Where in a text a needle may be, found by looking at four bytes of every few: whichever way a needle lies in the
 * text, one of the samples falls into its beginning, and a table tells whether these four bytes occur there. Samples
 * don't depend on each other, so the processor takes several at once.
 */

/** A stretch of bytes, from `offset` on, that the samples find where it stands in one piece. */
export interface Anchor {
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** The bytes that may stand behind the stretch, besides the one that does. */
  readonly orBehind: readonly number[];
}

export interface Samples {
  /** The first word from `from` on, in samples' steps, that may be in an anchor; the words' end or more if none is. */
  next(words: Int32Array, from: number): number;
  /** Calls `visit` for each place that the word may be: an anchor's index, and how far into it. */
  visit(word: number, visit: (anchor: number, shift: number) => void): void;
}

/** Bytes that are read at once. */
export const WORD = 4;
const WIDEST_STRIDE = 16;
const BITS = 16;

/** How many bytes an anchor has with a sample every `stride` bytes: a word may end one byte behind. */
export function spanOf(stride: number): number {
  return stride + WORD - 2;
}

/** The widest stride for anchors of `span` bytes; 0 if there is none. */
export function strideFor(span: number): number {
  return Math.max(0, Math.min(WIDEST_STRIDE, (span - WORD + 2) & -WORD));
}

export function createSamples(anchors: readonly Anchor[], stride: number): Samples {
  const present = new Uint8Array(1 << BITS);
  // Places with the same hash form a chain; 0 ends it.
  const heads = new Int32Array(1 << BITS);
  const nexts = [0];
  const contents = [0];
  const anchorOf = [0];
  const shifts = [0];

  function add(content: number, anchor: number, shift: number): void {
    const hash = hashOf(content);
    present[hash] = 1;
    nexts.push(heads[hash] as number);
    heads[hash] = contents.push(content) - 1;
    anchorOf.push(anchor);
    shifts.push(shift);
  }

  const bytes = new Uint8Array(WORD);
  const word = new Int32Array(bytes.buffer);
  // The last comes first in its chain: the place that begins earliest in the text.
  for (let shift = 0; shift < stride; shift++) {
    for (const [index, anchor] of anchors.entries()) {
      const from = anchor.offset + shift;
      for (let i = 0; i < WORD; i++) bytes[i] = anchor.bytes[from + i] ?? 0;
      const known = from + WORD <= anchor.bytes.length;
      if (known) add(word[0] as number, index, shift);
      if (shift < stride - 1) continue;
      for (const byte of known ? anchor.orBehind : ANY_BYTE) {
        bytes[WORD - 1] = byte;
        add(word[0] as number, index, shift);
      }
    }
  }

  return {
    next(words, from) {
      const step = stride / WORD;
      let at = nextSample(words, from, step, present);
      while (at < words.length && placeOf(words[at] as number) === 0) {
        at = nextSample(words, at + step, step, present);
      }
      return at;
    },
    visit(content, visit) {
      for (let at = placeOf(content); at !== 0; at = nexts[at] as number) {
        if (contents[at] === content) visit(anchorOf[at] as number, shifts[at] as number);
      }
    },
  };

  function placeOf(content: number): number {
    let at = heads[hashOf(content)] as number;
    while (at !== 0 && contents[at] !== content) at = nexts[at] as number;
    return at;
  }
}

const ANY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);

function hashOf(content: number): number {
  return Math.imul(content, 0x9e3779b1) >>> (32 - BITS);
}

function nextSample(words: Int32Array, from: number, step: number, present: Uint8Array): number {
  const { length } = words;
  const unrolled = length - 3 * step;
  let at = from;
  while (at < unrolled) {
    const found =
      (present[hashOf(words[at] as number)] as number) |
      (present[hashOf(words[at + step] as number)] as number) |
      (present[hashOf(words[at + 2 * step] as number)] as number) |
      (present[hashOf(words[at + 3 * step] as number)] as number);
    if (found !== 0) break;
    at += 4 * step;
  }
  while (at < length && present[hashOf(words[at] as number)] === 0) at += step;
  return at;
}

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
  const { present, heads, places } = tableOf(anchors, stride);
  const nexts = Int32Array.from(places, ({ next }) => next);
  const contents = Int32Array.from(places, ({ content }) => content);
  const table = { present, heads, nexts, contents };
  const step = stride / WORD;

  return {
    next: (words, from) => nextPlace(words, from, step, table),
    visit(content, visit) {
      for (let at = heads[hashOf(content)] as number; at !== 0; at = nexts[at] as number) {
        if (contents[at] !== content) continue;
        const { anchor, shift } = places[at] as Place;
        visit(anchor, shift);
      }
    },
  };
}

interface Place {
  readonly content: number;
  readonly anchor: number;
  readonly shift: number;
  /** The next place with the same hash, or 0. */
  readonly next: number;
}

function tableOf(anchors: readonly Anchor[], stride: number) {
  const present = new Uint8Array(1 << BITS);
  const heads = new Int32Array(1 << BITS);
  const places: Place[] = [{ content: 0, anchor: 0, shift: 0, next: 0 }];

  function add(content: number, anchor: number, shift: number): void {
    const hash = hashOf(content);
    present[hash] = 1;
    heads[hash] = places.push({ content, anchor, shift, next: heads[hash] as number }) - 1;
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
  return { present, heads, places };
}

const ANY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);

function hashOf(content: number): number {
  return Math.imul(content, 0x9e3779b1) >>> (32 - BITS);
}

interface Table {
  readonly present: Uint8Array;
  readonly heads: Int32Array;
  readonly nexts: Int32Array;
  readonly contents: Int32Array;
}

/** The first place of a word, or 0. */
function placeOf(content: number, { present, heads, nexts, contents }: Table): number {
  const hash = hashOf(content);
  if (present[hash] === 0) return 0;
  let place = heads[hash] as number;
  while (place !== 0 && contents[place] !== content) place = nexts[place] as number;
  return place;
}

function nextPlace(words: Int32Array, from: number, step: number, table: Table): number {
  const { present } = table;
  const { length } = words;
  const unrolled = length - 3 * step;
  let at = from;
  for (; at < unrolled; at += 4 * step) {
    const first = words[at] as number;
    const second = words[at + step] as number;
    const third = words[at + 2 * step] as number;
    const fourth = words[at + 3 * step] as number;
    const found =
      (present[hashOf(first)] as number) |
      (present[hashOf(second)] as number) |
      (present[hashOf(third)] as number) |
      (present[hashOf(fourth)] as number);
    if (found === 0) continue;
    if (placeOf(first, table) !== 0) return at;
    if (placeOf(second, table) !== 0) return at + step;
    if (placeOf(third, table) !== 0) return at + 2 * step;
    if (placeOf(fourth, table) !== 0) return at + 3 * step;
  }
  while (at < length && placeOf(words[at] as number, table) === 0) at += step;
  return at;
}

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
  const table = tableOf(anchors, stride);
  const { heads, nexts, contents, spots } = table;
  const step = stride / WORD;

  return {
    next: (words, from) => nextPlace(words, from, step, table),
    visit(content, visit) {
      for (let place = heads[hashOf(content)] as number; place !== 0; place = nexts[place] as number) {
        if (contents[place] !== content) continue;
        const spot = spots[place] as number;
        const shift = spot % WIDEST_STRIDE;
        visit((spot - shift) / WIDEST_STRIDE, shift);
      }
    },
  };
}

/** Words of anchors, chained by their hashes. */
interface Table {
  readonly present: Uint8Array;
  /** The first place for each hash, or 0. */
  readonly heads: Int32Array;
  readonly nexts: readonly number[];
  readonly contents: readonly number[];
  /** The anchor's index, and how far into it. */
  readonly spots: readonly number[];
}

/** This is on the way to every run's start and runs once, so it is written for the interpreter. */
function tableOf(anchors: readonly Anchor[], stride: number): Table {
  const present = new Uint8Array(1 << BITS);
  const heads = new Int32Array(1 << BITS);
  const nexts = [0];
  const contents = [0];
  const spots = [0];

  function add(content: number, spot: number): void {
    const hash = hashOf(content);
    present[hash] = 1;
    nexts.push(heads[hash] as number);
    spots.push(spot);
    heads[hash] = contents.push(content) - 1;
  }

  for (let index = 0; index < anchors.length; index++) {
    const { bytes, offset, orBehind } = anchors[index] as Anchor;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const last = stride - 1;
    // The last comes first in its chain: the place that begins earliest in the text.
    for (let shift = 0; shift < last; shift++) {
      add(view.getInt32(offset + shift, LITTLE_ENDIAN), index * WIDEST_STRIDE + shift);
    }
    const end = offset + last;
    const known = bytes[end + WORD - 1];
    for (const behind of known === undefined ? ANY_BYTE : [known, ...orBehind]) {
      const word = Uint8Array.of(
        bytes[end] as number,
        bytes[end + 1] as number,
        bytes[end + 2] as number,
        behind,
      );
      add(new DataView(word.buffer).getInt32(0, LITTLE_ENDIAN), index * WIDEST_STRIDE + last);
    }
  }
  return { present, heads, nexts, contents, spots };
}

const ANY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);
/** As the processor reads words from the text. */
const LITTLE_ENDIAN = new Uint8Array(Int32Array.of(1).buffer)[0] === 1;

function hashOf(content: number): number {
  return Math.imul(content, 0x9e3779b1) >>> (32 - BITS);
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

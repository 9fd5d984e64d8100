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
  /**
   * The first word from `from` on, in samples' steps, that stands where an anchor does, as far as the text goes; the
   * words' end or more if none does. The words are those of `text`, from some byte on.
   */
  next(text: Uint8Array, words: Int32Array, from: number): number;
  /**
   * Calls `visit` for each place that the word may be: an anchor's index, and how far into it. Returns the least of what
   * it returns.
   */
  visit(word: number, visit: (anchor: number, shift: number) => number): number;
}

/** Bytes that are read at once. */
export const WORD = 4;
const WIDEST_STRIDE = 16;
const HASH_FACTOR = 0x9e3779b1;
/** The filter has 2 to this power as many bits as there are hashes. */
const FILTER_BITS = 6;

/** How many bytes an anchor has with a sample every `stride` bytes: a word may end one byte behind. */
export function spanOf(stride: number): number {
  return stride + WORD - 2;
}

/** The widest stride for anchors of `span` bytes; 0 if there is none. */
export function strideFor(span: number): number {
  return Math.max(0, Math.min(WIDEST_STRIDE, (span - WORD + 2) & -WORD));
}

export function createSamples(anchors: readonly Anchor[], stride: number): Samples {
  const { filter, filterShift, firsts, firstShift, nexts, contents, spots } = tableOf(anchors, stride);
  const step = stride / WORD;
  const span = spanOf(stride);

  /** Whoever asks has its own way to deal with a word that comes again and again. */
  let lastKnown = 0;

  function isKnown(text: Uint8Array, at: number, content: number): boolean {
    let place = firsts[hashOf(content, firstShift)] as number;
    while (place !== 0 && !(contents[place] === content && isWhole(text, at, spots[place] as number))) {
      place = nexts[place] as number;
    }
    return place !== 0;
  }

  /** Many texts are full of words that some anchor has: dates of one in hexadecimal. The bytes around them decide. */
  function isWhole(text: Uint8Array, at: number, spot: number): boolean {
    const shift = spot % WIDEST_STRIDE;
    const { bytes, offset } = anchors[(spot - shift) / WIDEST_STRIDE] as Anchor;
    const start = at - shift;
    const end = Math.min(span, text.length - start);
    let i = Math.max(0, -start);
    while (i < end && text[start + i] === bytes[offset + i]) i++;
    return i >= end;
  }

  return {
    next(text, words, from) {
      const base = words.byteOffset - text.byteOffset;
      let at = nextInFilter(words, from, step, filter, filterShift);
      while (at < words.length) {
        const content = words[at] as number;
        if (content === lastKnown) break;
        if (isKnown(text, base + at * WORD, content)) {
          lastKnown = content;
          break;
        }
        at = nextInFilter(words, at + step, step, filter, filterShift);
      }
      return at;
    },
    visit(content, visit) {
      let least = Number.MAX_SAFE_INTEGER;
      for (
        let place = firsts[hashOf(content, firstShift)] as number;
        place !== 0;
        place = nexts[place] as number
      ) {
        if (contents[place] !== content) continue;
        const spot = spots[place] as number;
        const shift = spot % WIDEST_STRIDE;
        least = Math.min(least, visit((spot - shift) / WIDEST_STRIDE, shift));
      }
      return least;
    },
  };
}

/** Words of anchors, chained by their hashes. */
interface Table {
  /** A bit for each hash that occurs: few enough of them for the processor's nearest memory. */
  readonly filter: Int32Array;
  readonly filterShift: number;
  /** The first place for each hash, or 0. */
  readonly firsts: Int32Array;
  readonly firstShift: number;
  readonly nexts: Int32Array;
  readonly contents: Int32Array;
  /** The anchor's index, and how far into it. */
  readonly spots: readonly number[];
}

function tableOf(anchors: readonly Anchor[], stride: number): Table {
  const { contents, spots } = wordsOf(anchors, stride);
  const size = 32 - Math.clz32(contents.length);
  const firstShift = 32 - size;
  const filterShift = firstShift - FILTER_BITS;
  const filter = new Int32Array(1 << (size + FILTER_BITS - 5));
  const firsts = new Int32Array(1 << size);
  const nexts = new Int32Array(contents.length);
  for (let place = 1; place < contents.length; place++) {
    const content = contents[place] as number;
    const bit = hashOf(content, filterShift);
    (filter[bit >>> 5] as number) |= 1 << bit;
    const hash = hashOf(content, firstShift);
    nexts[place] = firsts[hash] as number;
    firsts[hash] = place;
  }
  return { filter, filterShift, firsts, firstShift, nexts, contents: Int32Array.from(contents), spots };
}

/** Each word of each anchor and its spot, from index 1 on. It runs once, so it is written for the interpreter. */
function wordsOf(anchors: readonly Anchor[], stride: number) {
  const contents = [0];
  const spots = [0];
  for (let index = 0; index < anchors.length; index++) {
    const { bytes, offset, orBehind } = anchors[index] as Anchor;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const last = stride - 1;
    // The last comes first in its chain: the place that begins earliest in the text.
    for (let shift = 0; shift < last; shift++) {
      contents.push(view.getInt32(offset + shift, LITTLE_ENDIAN));
      spots.push(index * WIDEST_STRIDE + shift);
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
      contents.push(new DataView(word.buffer).getInt32(0, LITTLE_ENDIAN));
      spots.push(index * WIDEST_STRIDE + last);
    }
  }
  return { contents, spots };
}

const ANY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);
/** As the processor reads words from the text. */
const LITTLE_ENDIAN = new Uint8Array(Int32Array.of(1).buffer)[0] === 1;

function hashOf(content: number, shift: number): number {
  return Math.imul(content, HASH_FACTOR) >>> shift;
}

/**
 * The first sample from `from` on whose hash is in the filter. The engine compiles so small a loop within the first
 * chunk; a larger one stays interpreted for dozens of chunks, and is no faster then. `| 0` spares it a check of each sum.
 */
function nextInFilter(
  words: Int32Array,
  from: number,
  step: number,
  filter: Int32Array,
  shift: number,
): number {
  const { length } = words;
  let at = from;
  while (at < length) {
    const hash = Math.imul(words[at] as number, HASH_FACTOR) >>> shift;
    if (((filter[hash >>> 5] as number) >>> hash) & 1) break;
    at = (at + step) | 0;
  }
  return at;
}

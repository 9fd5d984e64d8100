/** What the matcher searches for, and at which stretches of it the text is sampled. */
import { FOLD_BYTES } from './folds.ts';
import { type Head, headsOf } from './heads.ts';
import { type Anchor, spanOf, strideFor, WORD } from './samples.ts';

export interface Pattern {
  readonly bytes: Uint8Array;
  /** Finds it folded into lines as well, unless it is short or holds a blank or a backslash, which is ambiguous. */
  readonly folds?: boolean;
}

/** Needles shorter than this are refused: no sample would fall into them. */
export const SHORTEST_NEEDLE = spanOf(WORD);
/** Needles shorter than this are not found folded: a fold would leave no stretch for a sample. */
export const SHORTEST_FOLDED = 2 * SHORTEST_NEEDLE - 1;

/** The second stretch that a needle is found by where the first one is folded. */
export interface Second extends Anchor {
  readonly needle: number;
  /** The index of the needle's head. */
  readonly head: number;
}

export interface Plan {
  readonly needles: readonly Uint8Array[];
  readonly foldable: readonly boolean[];
  /** Bytes between two samples. */
  readonly stride: number;
  /** The anchors are the heads' beginnings and then the second stretches. */
  readonly heads: readonly Head[];
  readonly seconds: readonly Second[];
  readonly anchors: readonly Anchor[];
}

export function planFor(patterns: readonly Pattern[]): Plan {
  // One class of arrays for all, Buffer being another, or else every comparison asks which it is.
  const needles = patterns.map(({ bytes }) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  const foldable = patterns.map(({ bytes, folds }) => folds === true && canFold(bytes));
  const spans = needles.map(({ length }, index) => (foldable[index] ? (length + 1) >> 1 : length));
  const stride = strideFor(spans.reduce((least, span) => Math.min(least, span)));
  if (stride === 0) throw new RangeError(`a needle has fewer than ${SHORTEST_NEEDLE} bytes`);
  const span = spanOf(stride);

  // A sample looks at the byte behind a stretch as well. Needles that are long enough have longer stretches.
  const heads = headsOf(needles, span + 1);
  const seconds: Second[] = [];
  const short = new Set<number>();
  for (const [needle, bytes] of needles.entries()) {
    if (!foldable[needle]) continue;
    const isLong = bytes.length >= 2 * span + 1;
    const head = heads.findIndex(({ needles: all }) => all.includes(needle));
    seconds.push({
      bytes,
      needle,
      head,
      offset: isLong ? span : span - 1,
      orBehind: isLong ? [] : FOLD_BYTES,
    });
    if (!isLong) short.add(needle);
  }
  const firsts = heads.map(({ bytes, needles: all }): Anchor => {
    return { bytes, offset: 0, orBehind: all.some((needle) => short.has(needle)) ? FOLD_BYTES : [] };
  });
  return { needles, foldable, stride, heads, seconds, anchors: [...firsts, ...seconds] };
}

function canFold(bytes: Uint8Array): boolean {
  return bytes.length >= SHORTEST_FOLDED && !FOLD_BYTES.some((byte) => bytes.includes(byte));
}

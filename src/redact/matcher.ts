/**
 * Finds many byte strings in a stream. It knows nothing of secrets.
 *
 * Samples of the text (samples.ts) say where a needle may be, so most bytes are never looked at; there the text is
 * compared with the few needles that fit, no byte twice with the same needle (overlap.ts), so that the search stays
 * linear on hostile input. A needle that may be folded is sampled at two stretches of its beginning: wherever a fold
 * stands, one of them is in one piece. From there on it is compared with the text without its folds (folds.ts).
 */
import { FlatText, FOLD_BYTES, foldBefore, isFoldByte } from './folds.ts';
import { type Head, headsOf } from './heads.ts';
import { type Comparer, createComparer } from './overlap.ts';
import { type Anchor, createSamples, spanOf, strideFor, WORD } from './samples.ts';

export interface Pattern {
  readonly bytes: Uint8Array;
  /** Finds it as well where line ends and indentation stand in it; see `canFold`. */
  readonly folds?: boolean;
}

/** Called for each stretch of matches of one needle that overlap, in order of `start`. */
type OnMatch = (start: number, end: number, needle: number) => void;

export interface Matcher {
  /**
   * Reports each match that begins before the returned position: the first one from where the end of the text may be
   * the beginning of a match, or the text's length. With `final` no text follows. `needle` is the index in the list
   * given to `createMatcher`.
   */
  search(text: Uint8Array, final: boolean, onMatch: OnMatch): number;
  /** Bytes compared with needles so far, a measure of the work done. */
  readonly compared: number;
}

/** Needles shorter than this are refused: no sample would fall into them. */
export const SHORTEST_NEEDLE = spanOf(WORD);
/** Needles that may be folded and are shorter than this are not found where they are. */
export const SHORTEST_FOLDED = 2 * SHORTEST_NEEDLE - 1;

interface Match {
  readonly start: number;
  end: number;
  readonly needle: number;
}

/** Whether `folds` has an effect: long enough, and no blank or backslash in it, which would be ambiguous. */
export function canFold(bytes: Uint8Array): boolean {
  return bytes.length >= SHORTEST_FOLDED && !bytes.some(isFoldByte);
}

const NOTHING: Uint8Array = new Uint8Array(0);

export function createMatcher(patterns: readonly Pattern[]): Matcher {
  if (patterns.length === 0) return { search: (text) => text.length, compared: 0 };
  // One class of arrays for all, Buffer being another: the comparing loops run twice as fast.
  const needles = patterns.map(({ bytes }) => new Uint8Array(bytes));
  const lengths = Int32Array.from(needles, ({ length }) => length);
  const foldable = patterns.map(({ bytes, folds }) => folds === true && canFold(bytes));
  const spans = needles.map(({ length }, index) => (foldable[index] ? (length + 1) >> 1 : length));
  const stride = strideFor(Math.min(...spans));
  if (stride === 0) throw new RangeError(`a needle has fewer than ${SHORTEST_NEEDLE} bytes`);
  const span = spanOf(stride);
  // The byte behind an anchor is looked at as well.
  const heads = headsOf(needles, span + 1);
  const folding = needles.flatMap((_, index) => (foldable[index] ? [index] : []));
  const folds = ({ needles }: Head) => needles.some((index) => foldable[index]);
  const anchors: Anchor[] = [
    ...heads.map((head) => ({ bytes: head.bytes, offset: 0, orBehind: folds(head) ? FOLD_BYTES : [] })),
    ...folding.map((index) => ({
      bytes: needles[index] as Uint8Array,
      offset: span - 1,
      orBehind: FOLD_BYTES,
    })),
  ];
  const samples = createSamples(anchors, stride);
  const all = byFirstByte(heads);
  const foldableOnly = byFirstByte(heads.filter(folds));
  const inText = createComparer(needles);
  // Each is asked in order; candidates that are found by their second stretch lag behind the others.
  const inFlat = createComparer(needles);
  const inFlatBehind = createComparer(needles);
  const flat = new FlatText();

  let text = NOTHING;
  let place = 0;
  let final = false;
  let stalled = 0;
  let found: Match[] = [];
  const lastOf = new Map<number, Match>();

  function report(needle: number, start: number, end: number): void {
    const last = lastOf.get(needle);
    if (last !== undefined && start >= last.start && start < last.end) {
      last.end = Math.max(last.end, end);
      return;
    }
    const match = { start, end, needle };
    lastOf.set(needle, match);
    found.push(match);
  }

  /** Compares with all needles of a head; what two of them share is compared once. */
  function compareAt(at: number, head: Head): void {
    const { length } = text;
    let count = 0;
    for (let turn = 0; turn < head.needles.length; turn++) {
      const needle = head.needles[turn] as number;
      const shared = head.shared[turn] as number;
      if (shared < count) count = shared;
      else if (shared === count) count = inText.equal(text, length, at, needle, shared);
      if (count === lengths[needle]) report(needle, at, at + count);
      else if (at + count === length) stalled = Math.min(stalled, at);
      else if (count > 0 && foldable[needle] && isFoldByte(text[at + count]))
        compareFolded(at, needle, inFlat);
    }
  }

  function compareFolded(at: number, needle: number, comparer: Comparer): void {
    const length = lengths[needle] as number;
    let from = flat.indexOf(at);
    if (from < 0) {
      from = flat.restart(at);
      inFlat.reset();
      inFlatBehind.reset();
    }
    let count = 0;
    for (let wanted = 64; ; wanted *= 4) {
      flat.extend(from + Math.min(length, wanted));
      count = comparer.equal(flat.bytes, flat.size, from, needle, 0);
      if (count === length || from + count < flat.size || flat.ended) break;
    }
    const whole = count === length;
    if (!whole && from + count < flat.size) return;
    if (!flat.allows(from, from + count, !whole)) return;
    if (whole) report(needle, at, flat.placeOf(from + count - 1) + 1);
    else stalled = Math.min(stalled, at);
  }

  /** Looks for the beginning of a needle whose second stretch begins at `at`, with a fold in between. */
  function compareBefore(at: number, needle: number): void {
    const bytes = needles[needle] as Uint8Array;
    const stretch = span - 1;
    let left = stretch;
    while (left > 0 && text[at - stretch + left - 1] === bytes[left - 1]) left--;
    if (left === 0) return; // no fold: the first stretch finds it
    // An "n" may be the end of an escape, and so of the fold, though the needle has one there too.
    let end = at;
    let fold = -1;
    for (left = stretch; left > 0 && end > 0; left--) {
      if (fold < 0) fold = foldBefore(text, end);
      if (fold >= 0 && fold < end) end = fold;
      end -= 1;
      if (text[end] !== bytes[left - 1]) return;
    }
    if (left === 0) compareFolded(end, needle, inFlatBehind);
  }

  function visit(anchor: number, shift: number): void {
    const second = anchor - heads.length;
    const at = place - shift;
    if (second >= 0) compareBefore(at, folding[second] as number);
    else if (at >= 0) compareAt(at, heads[anchor] as Head);
  }

  function search(given: Uint8Array, noneFollows: boolean, onMatch: OnMatch): number {
    text = new Uint8Array(given.buffer, given.byteOffset, given.length);
    final = noneFollows;
    stalled = text.length;
    inText.reset();
    inFlat.reset();
    inFlatBehind.reset();
    flat.take(text, final);
    // 1. Compare where the samples say so.
    const unaligned = -text.byteOffset & (WORD - 1);
    const count = Math.max(0, text.length - unaligned) >> 2;
    const words = new Int32Array(text.buffer, count === 0 ? 0 : text.byteOffset + unaligned, count);
    const step = stride / WORD;
    let at = samples.next(words, 0);
    for (; at < count; at = samples.next(words, at + step)) {
      place = unaligned + at * WORD;
      samples.visit(words[at] as number, visit);
    }
    // 2. What begins so near to the end that no sample may have hit it is compared in any case.
    const sampled = unaligned + at * WORD;
    for (let start = Math.max(0, sampled - stride + 1); start < text.length; start++) {
      for (const head of all[text[start] as number] as readonly Head[]) compareAt(start, head);
    }
    for (let start = Math.max(0, sampled - 2 * stride - 33); start < sampled - stride + 1; start++) {
      for (const head of foldableOnly[text[start] as number] as readonly Head[]) compareAt(start, head);
    }
    if (found.length > 0) handOver(onMatch);
    // The text's memory is the caller's.
    text = NOTHING;
    flat.take(NOTHING, true);
    return final ? given.length : stalled;
  }

  function handOver(onMatch: OnMatch): void {
    found.sort((a, b) => a.start - b.start || a.needle - b.needle);
    for (const { start, end, needle } of found) {
      if (final || start < stalled) onMatch(start, end, needle);
    }
    found = [];
    lastOf.clear();
  }

  return {
    search,
    get compared() {
      return inText.compared + inFlat.compared + inFlatBehind.compared;
    },
  };
}

function byFirstByte(heads: readonly Head[]): readonly (readonly Head[])[] {
  const groups: Head[][] = Array.from({ length: 256 }, () => []);
  for (const head of heads) groups[head.bytes[0] as number]?.push(head);
  return groups;
}

/**
 * Finds many byte strings in a stream. It knows nothing of secrets.
 *
 * Samples of the text (samples.ts) say where a needle may be, so most bytes are never looked at; there the text is
 * compared with the few needles that fit, no byte twice with the same needle (overlap.ts), so that the search stays
 * linear on hostile input. A needle that may be folded is sampled at two stretches of its beginning: wherever a fold
 * stands, one of them is in one piece. From there on it is compared with the text without its folds (folds.ts).
 */
import { FlatText } from './flat-text.ts';
import { endsFold, foldBefore, foldEnd, isFoldByte, LONGEST_FOLD, mayGoOn } from './folds.ts';
import type { Head } from './heads.ts';
import { Matches, type OnMatch } from './matches.ts';
import { type Comparer, createComparer } from './overlap.ts';
import { type Pattern, planFor, type Second } from './patterns.ts';
import { createRuns } from './runs.ts';
import { createSamples, spanOf, WORD } from './samples.ts';

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

export function createMatcher(patterns: readonly Pattern[]): Matcher {
  if (patterns.length === 0) return { search: (text) => text.length, compared: 0 };
  const { needles, foldable, stride, heads, seconds, anchors } = planFor(patterns);
  const lengths = Int32Array.from(needles, ({ length }) => length);
  const samples = createSamples(anchors, stride);
  const all = byFirstByte(heads);
  const thatFold = byFirstByte(heads.filter((head) => head.needles.some((needle) => foldable[needle])));
  const inText = createComparer(needles);
  // Each is asked in order; candidates that are found by their second stretch lag behind the others.
  const inFlat = createComparer(needles);
  const inFlatBehind = createComparer(needles);
  const flat = new FlatText();
  const runs = createRuns(heads, needles, spanOf(stride));
  const matches = new Matches();
  let text = NOTHING;
  let stalled = 0;
  // No fold ends behind the one and up to the other.
  let plainFrom = 0;
  let plainTo = 0;
  /** Where the text was sampled last. */
  let place = 0;

  /** Compares with all needles of a head; what two of them share is compared once. */
  function compareAt(at: number, head: Head): void {
    const { length } = text;
    let count = 0;
    for (let turn = 0; turn < head.needles.length; turn++) {
      const needle = head.needles[turn] as number;
      const shared = head.shared[turn] as number;
      if (shared < count) count = shared;
      else if (shared === count) count = inText.equal(text, length, at, needle, shared);
      const end = at + count;
      if (count === lengths[needle]) matches.add(needle, at, end);
      else if (end === length) stalled = Math.min(stalled, at);
      else if (count > 0 && foldable[needle] && mayGoOn(text, end, needles[needle]?.[count])) {
        compareFolded(at, needle, inFlat);
      }
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
    for (let wanted = 2 * stride; ; wanted *= 4) {
      flat.extend(from + Math.min(length, wanted));
      count = comparer.equal(flat.bytes, flat.size, from, needle, 0);
      if (count === length || from + count < flat.size || flat.ended) break;
    }
    const whole = count === length;
    if (!whole && from + count < flat.size) return;
    if (!flat.allows(from, from + count, !whole)) return;
    if (whole) matches.add(needle, at, flat.placeOf(from + count - 1) + 1);
    else stalled = Math.min(stalled, at);
  }

  /** Looks for the beginning of a needle whose second stretch begins at `at`, with a fold in between. */
  function compareBefore(at: number, { bytes, needle, offset: stretch }: Second): void {
    if (at === 0 || (text[at - 1] !== bytes[stretch - 1] && !endsFold(text, at))) return;
    // Without a fold the first stretch finds it.
    if (isPlain(at - stretch, at)) return;
    let end = at;
    let fold = -1;
    let left = stretch;
    for (; left > 0 && end > 0; left--) {
      if (left === 1 && fold < 0) {
        compareFirst(end, needle);
        return;
      }
      if (fold < 0) fold = foldBefore(text, end);
      if (fold >= 0 && fold < end) end = fold;
      end -= 1;
      if (text[end] !== bytes[left - 1]) return;
    }
    if (left === 0 && fold >= 0) compareFolded(end, needle, inFlatBehind);
  }

  /**
   * Looks for a needle's first byte with a fold behind it that ends at `end`. That byte may stand behind a backslash, and
   * seem to be the end of an escape. Of several such places the first is enough: all matches end alike.
   */
  function compareFirst(end: number, needle: number): void {
    const first = needles[needle]?.[0];
    for (let at = Math.max(0, end - 1 - LONGEST_FOLD); at < end - 1; at++) {
      if (text[at] !== first || foldEnd(text, at + 1) !== end) continue;
      compareFolded(at, needle, inFlatBehind);
      return;
    }
  }

  /** Whether no fold ends behind `from` and up to `to`. Where that was found out before, it isn't again. */
  function isPlain(from: number, to: number): boolean {
    for (let end = to; end > from && end > 0; ) {
      if (end > plainFrom && end <= plainTo) end = plainFrom;
      else if (endsFold(text, end)) return false;
      else end -= 1;
    }
    const apart = from > plainTo || to < plainFrom;
    plainFrom = apart ? from : Math.min(plainFrom, from);
    plainTo = apart ? to : Math.max(plainTo, to);
    return true;
  }

  /** Returns up to where the same word says nothing more of the same anchor. */
  function visit(anchor: number, shift: number): number {
    const at = place - shift;
    if (anchor < heads.length) {
      const next = runs.noneBefore(anchor, at);
      if (at < next) return next;
      if (at >= 0) compareAt(at, heads[anchor] as Head);
      return 0;
    }
    const second = seconds[anchor - heads.length] as Second;
    // There are no folds in a run.
    const end = runs.endOf(second.head, at - second.offset - 1);
    if (at < end) return end;
    compareBefore(at, second);
    return 0;
  }

  function search(given: Uint8Array, final: boolean, onMatch: OnMatch): number {
    text = new Uint8Array(given.buffer, given.byteOffset, given.length);
    stalled = text.length;
    flat.take(text, final);
    runs.take(text);
    plainFrom = 0;
    plainTo = 0;
    for (const comparer of [inText, inFlat, inFlatBehind]) comparer.reset();
    // 1. Compare where the samples say so.
    const unaligned = -text.byteOffset & (WORD - 1);
    const count = Math.max(0, text.length - unaligned) >> 2;
    const words = new Int32Array(text.buffer, count === 0 ? 0 : text.byteOffset + unaligned, count);
    let at = samples.next(text, words, 0);
    let last = 0;
    let next = 0;
    for (; at < count; at = samples.next(text, words, at + stride / WORD)) {
      place = unaligned + at * WORD;
      const word = words[at] as number;
      if (word === last && place < next) continue;
      next = samples.visit(word, visit);
      last = word;
    }
    // 2. What begins so near to the end that no sample may have hit it is compared in any case.
    const sampled = unaligned + at * WORD;
    compareFrom(sampled - stride + 1, text.length, all);
    compareFrom(sampled - stride - spanOf(stride) - LONGEST_FOLD, sampled - stride + 1, thatFold);
    const limit = final ? text.length : stalled;
    // The text's memory is the caller's.
    text = NOTHING;
    flat.take(NOTHING, true);
    runs.take(NOTHING);
    matches.handOver(limit, onMatch);
    return limit;
  }

  function compareFrom(start: number, end: number, groups: readonly (readonly Head[])[]): void {
    for (let at = Math.max(0, start); at < end; at++) {
      const group = groups[text[at] as number] as readonly Head[];
      // Most differ in their second byte already; it may also come later, or stand behind a fold.
      const second = text[at + 1];
      const isOpen = second === undefined || isFoldByte(second);
      for (let turn = 0; turn < group.length; turn++) {
        const head = group[turn] as Head;
        if (isOpen || head.bytes[1] === second) compareAt(at, head);
      }
    }
  }

  return {
    search,
    get compared() {
      return [inText, inFlat, inFlatBehind, runs].reduce((sum, part) => sum + part.compared(), 0);
    },
  };
}

const NOTHING: Uint8Array = new Uint8Array(0);

function byFirstByte(heads: readonly Head[]): readonly (readonly Head[])[] {
  const groups: Head[][] = Array.from({ length: 256 }, () => []);
  for (const head of heads) groups[head.bytes[0] as number]?.push(head);
  return groups;
}

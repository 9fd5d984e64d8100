/**
 * Finds many byte strings in a stream. It knows nothing of secrets.
 *
 * The search is Wu and Manber's ("A fast algorithm for multi-pattern searching", TR-94-17): a table says for
 * three bytes of the text how far the next place can be where any needle may begin, so most bytes are never
 * looked at. A place that is left is compared with the few needles that fit. Where one needle overlaps itself,
 * its Z array tells how much is known to be equal, so no byte is compared twice with the same needle and the
 * search stays linear on hostile input.
 */

/** Called for each match, in order of `start`; `needle` is the index in the list given to `createMatcher`. */
type OnMatch = (start: number, end: number, needle: number) => void;

export interface Matcher {
  /**
   * Reports each match that begins before the returned position: the first one from where the end of the text
   * may be the beginning of a match, or the text's length. With `final` no text follows.
   */
  search(text: Uint8Array, final: boolean, onMatch: OnMatch): number;
}

/** Needles shorter than this are refused: three bytes of them must fit the table. */
const SHORTEST_NEEDLE = 4;

const BLOCK = 3;
const TABLE = 1 << 16;
/** Further bytes of a needle would let the search skip little more and fill the table. */
const WIDEST_WINDOW = 16;

export function createMatcher(needles: readonly Uint8Array[]): Matcher {
  if (needles.length === 0) return { search: (text) => text.length };
  const window = needles.reduce((least, { length }) => Math.min(least, length), WIDEST_WINDOW);
  if (window < SHORTEST_NEEDLE) throw new RangeError(`a needle has fewer than ${SHORTEST_NEEDLE} bytes`);
  const { shift, bucketOf, buckets } = tables(needles, window);
  const byFirstByte = groupByFirstByte(needles);
  const z: (Int32Array | undefined)[] = [];
  // The last stretch of the text that equals the beginning of each needle: [origin, reach).
  const origin = new Int32Array(needles.length);
  const reach = new Int32Array(needles.length);

  /** How many bytes from `at` on equal the beginning of a needle. */
  function equalBytes(text: Uint8Array, at: number, index: number): number {
    const needle = needles[index] as Uint8Array;
    const known = reach[index] as number;
    let count = 0;
    if (at < known) {
      const offset = at - (origin[index] as number);
      z[index] ??= zArray(needle);
      count = z[index][offset] as number;
      if (at + count < known) return count;
      count = known - at;
    }
    const limit = Math.min(needle.length, text.length - at);
    while (count < limit && text[at + count] === needle[count]) count++;
    if (at + count > known) {
      origin[index] = at;
      reach[index] = at + count;
    }
    return count;
  }

  function search(text: Uint8Array, final: boolean, onMatch: OnMatch): number {
    const { length } = text;
    reach.fill(0);
    // 1. Skip to where the last three bytes of a window are those of a needle's.
    let last = window - 1;
    while (last < length) {
      const hash = hashAt(text, last);
      const skip = shift[hash] as number;
      if (skip !== 0) {
        last += skip;
        continue;
      }
      // 2. Compare with the needles whose window ends in these bytes; stop where one runs over the end.
      const at = last - window + 1;
      let matched: number[] | null = null;
      for (const index of buckets[bucketOf[hash] as number] as readonly number[]) {
        const count = equalBytes(text, at, index);
        if (count === (needles[index] as Uint8Array).length) matched = [...(matched ?? []), index];
        else if (at + count === length && !final) return at;
      }
      for (const index of matched ?? []) onMatch(at, at + (needles[index] as Uint8Array).length, index);
      last += 1;
    }
    // 3. What is shorter than a window can only be a beginning.
    if (final) return length;
    for (let at = last - window + 1; at < length; at++) {
      for (const index of byFirstByte[text[at] as number] ?? []) {
        if (at + equalBytes(text, at, index) === length) return at;
      }
    }
    return length;
  }

  return { search };
}

function hashAt(text: Uint8Array, last: number): number {
  const first = text[last - 2] as number;
  const second = text[last - 1] as number;
  return ((first << 10) ^ (second << 5) ^ (text[last] as number)) & (TABLE - 1);
}

/** `shift`: how far to move for each hash; where that is 0, `buckets[bucketOf[hash]]` lists the needles to compare. */
function tables(needles: readonly Uint8Array[], window: number) {
  const shift = new Uint8Array(TABLE).fill(window - BLOCK + 1);
  const bucketOf = new Uint16Array(TABLE);
  const buckets: number[][] = [[]];
  needles.forEach((needle, index) => {
    for (let last = BLOCK - 1; last < window; last++) {
      const hash = hashAt(needle, last);
      const distance = window - 1 - last;
      if (distance < (shift[hash] as number)) shift[hash] = distance;
      if (distance !== 0) continue;
      const bucket = buckets[bucketOf[hash] as number] as number[];
      if (bucketOf[hash] !== 0) bucket.push(index);
      else bucketOf[hash] = buckets.push([index]) - 1;
    }
  });
  return { shift, bucketOf, buckets };
}

function groupByFirstByte(needles: readonly Uint8Array[]): readonly (readonly number[])[] {
  const groups: number[][] = Array.from({ length: 256 }, () => []);
  needles.forEach((needle, index) => {
    groups[needle[0] as number]?.push(index);
  });
  return groups;
}

/** For each offset, how many bytes from there on equal the needle's own beginning (Gusfield 1997, 1.3). */
function zArray(needle: Uint8Array): Int32Array {
  const { length } = needle;
  const z = new Int32Array(length);
  z[0] = length;
  let left = 0;
  let right = 0;
  for (let i = 1; i < length; i++) {
    let count = i < right ? Math.min(right - i, z[i - left] as number) : 0;
    while (i + count < length && needle[count] === needle[i + count]) count++;
    z[i] = count;
    if (i + count > right) [left, right] = [i, i + count];
  }
  return z;
}

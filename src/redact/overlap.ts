/**
 * Compares needles with a text without comparing a byte twice, whatever the text is: where a needle has been compared
 * before, and overlaps itself, its Z array (Gusfield 1997, 1.3) tells how much is known to be equal.
 */

export interface Comparer {
  /**
   * How many bytes of `text`, which ends at `length`, equal the beginning of needle `index` from `at` on; the caller
   * knows it of the first `base`.
   */
  equal(text: Uint8Array, length: number, at: number, index: number, base: number): number;
  /** To be called before another text: what is known holds for one. */
  reset(): void;
  /** Bytes compared so far, a measure of the work done. */
  compared(): number;
}

export function createComparer(needles: readonly Uint8Array[]): Comparer {
  const views: (DataView | undefined)[] = [];
  const z: (Int32Array | undefined)[] = [];
  // The stretch of the text that reaches furthest of those that equal each needle's beginning: [from, reach).
  const from = new Int32Array(needles.length);
  const reach = new Int32Array(needles.length);
  let viewed: Uint8Array | null = null;
  let view: DataView = NO_VIEW;
  let used = false;
  let compared = 0;

  function equal(text: Uint8Array, length: number, at: number, index: number, base: number): number {
    used = true;
    const needle = needles[index] as Uint8Array;
    const limit = Math.min(needle.length, length - at);
    const origin = from[index] as number;
    const known = reach[index] as number;
    let count = base;
    if (at < known && known - origin >= WORTH_KNOWING) {
      count = 0;
      z[index] ??= zArray(needle);
      if (at >= origin) {
        count = Math.min(z[index][at - origin] as number, known - at);
      } else {
        const before = Math.min(origin - at, limit);
        while (count < before && text[at + count] === needle[count]) count++;
        compared += count + 1;
        if (count < origin - at || count === limit) return count;
        count += Math.min(z[index][origin - at] as number, known - origin);
      }
      if (at + count < known) return count;
    }
    const start = count;
    const near = Math.min(limit, start + WORTH_WORDS);
    while (count < near && text[at + count] === needle[count]) count++;
    if (count === near && count < limit) count = equalOn(text, at, index, count, limit);
    compared += count - start + 1;
    if (at + count > known) {
      from[index] = at;
      reach[index] = at + count;
    }
    return count;
  }

  /** The rest of a long comparison, four bytes at once. */
  function equalOn(text: Uint8Array, at: number, index: number, start: number, limit: number): number {
    if (text !== viewed) {
      viewed = text;
      view = viewOf(text);
    }
    views[index] ??= viewOf(needles[index] as Uint8Array);
    const other = views[index];
    let count = start;
    while (count + 4 <= limit && view.getInt32(at + count) === other.getInt32(count)) count += 4;
    while (count < limit && view.getUint8(at + count) === other.getUint8(count)) count++;
    return count;
  }

  return {
    equal,
    reset() {
      if (!used) return;
      used = false;
      reach.fill(0);
      viewed = null;
      view = NO_VIEW;
    },
    compared: () => compared,
  };
}

/** Fewer bytes are compared again sooner than a Z array is made, of which most needles never need one. */
const WORTH_KNOWING = 16;

/** Most comparisons end before; only longer ones are worth another way of reading. */
const WORTH_WORDS = 16;

const NO_VIEW = new DataView(new ArrayBuffer(0));

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** For each offset, how many bytes from there on equal the needle's own beginning. */
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

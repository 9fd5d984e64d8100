/** Needles that begin with the same bytes: forms of one value often differ far behind only. */

export interface Head {
  readonly bytes: Uint8Array;
  /** Indices of the needles, in the order of their bytes. */
  readonly needles: readonly number[];
  /** For each of them, how many bytes it shares with the one before. */
  readonly shared: readonly number[];
}

/** The needles grouped by their first `size` bytes; those that have no more are on their own. */
export function headsOf(needles: readonly Uint8Array[], size: number): Head[] {
  const groups = new Map<string, number[]>();
  needles.forEach((needle, index) => {
    const key = Buffer.from(needle.buffer, needle.byteOffset, Math.min(size, needle.length)).toString(
      'latin1',
    );
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  return [...groups.values()].map((group) => {
    const sorted = group.sort((a, b) => Buffer.compare(bytesOf(needles, a), bytesOf(needles, b)));
    const shared = sorted.map((index, turn) => {
      return turn === 0 ? 0 : sharedBytes(bytesOf(needles, sorted[turn - 1]), bytesOf(needles, index));
    });
    return { bytes: bytesOf(needles, sorted[0]), needles: sorted, shared };
  });
}

function bytesOf(needles: readonly Uint8Array[], index: number | undefined): Uint8Array {
  return needles[index as number] as Uint8Array;
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  while (count < a.length && a[count] === b[count]) count++;
  return count;
}

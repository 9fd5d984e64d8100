/**
 * Runs: stretches of a text that repeat the few bytes which a head's needles begin by repeating. A needle could begin at
 * each byte of a run, but matches only where its own repetition ends together with the run, so that hardly anything has
 * to be compared there.
 */
import { isFoldByte } from './folds.ts';
import type { Head } from './heads.ts';

export interface Runs {
  /** Forgets the text before. */
  take(text: Uint8Array): void;
  /**
   * The position before which no needle of head `index` begins, folded or not, from `at` on, whatever text follows;
   * `at` or less where that isn't known.
   */
  noneBefore(index: number, at: number): number;
  /** The end of the head's run that `at` lies in; 0 if it lies in none that was met. */
  endOf(index: number, at: number): number;
  /** Bytes compared so far, a measure of the work done. */
  compared(): number;
}

/** Heads whose first `span` bytes aren't at least two repetitions have no runs. */
export function createRuns(heads: readonly Head[], needles: readonly Uint8Array[], span: number): Runs {
  // For each head: the bytes that are repeated, 0 where there is none; how far its needles repeat them, at least and at
  // most; and the last run met.
  const periods = new Int32Array(heads.length);
  const least = new Int32Array(heads.length);
  const most = new Int32Array(heads.length);
  const from = new Int32Array(heads.length);
  const end = new Int32Array(heads.length);
  for (const [index, head] of heads.entries()) {
    const period = periodOf(head.bytes, span);
    if (period === 0) continue;
    const ownNeedles = head.needles.map((needle) => needles[needle] as Uint8Array);
    const repeated = ownNeedles.map((bytes) => endOfRepetition(bytes, 0, period));
    // One that is nothing but repetition does match wherever it may begin.
    if (repeated.some((length, turn) => length === ownNeedles[turn]?.length)) continue;
    periods[index] = period;
    least[index] = Math.min(...repeated);
    most[index] = Math.max(...repeated);
  }
  const any = periods.some((period) => period !== 0);
  let text: Uint8Array = new Uint8Array(0);
  let size = 0;
  let compared = 0;

  /** Whether the head's repetition stands at `at`, and up to where. */
  function meet(index: number, at: number, period: number): void {
    const { bytes } = heads[index] as Head;
    if (at + period > size) return;
    for (let turn = 0; turn < period; turn++) if (text[at + turn] !== bytes[turn]) return;
    from[index] = at;
    end[index] = endOfRepetition(text, at, period);
    compared += (end[index] as number) - at;
  }

  return {
    take(given) {
      text = given;
      size = given.length;
      if (any) end.fill(0);
    },
    noneBefore(index, at) {
      const period = periods[index] as number;
      if (period === 0 || at < 0) return 0;
      if (at >= (end[index] as number)) meet(index, at, period);
      const start = from[index] as number;
      const stop = end[index] as number;
      if (at < start || at >= stop) return 0;
      // The text goes on repeating where each needle has already stopped.
      if (at + (most[index] as number) < stop) return stop - (most[index] as number);
      // The text has stopped, and not for a fold, where each needle still repeats.
      if ((at - start) % period !== 0 || at + (least[index] as number) <= stop) return 0;
      return stop < size && !isFoldByte(text[stop]) ? at + 1 : 0;
    },
    endOf(index, at) {
      const stop = end[index] as number;
      return at >= (from[index] as number) && at < stop ? stop : 0;
    },
    compared: () => compared,
  };
}

/** How many bytes the first `span` repeat at least twice; 0 if they don't. */
function periodOf(bytes: Uint8Array, span: number): number {
  for (let period = 1; 2 * period <= span; period++) {
    if (endOfRepetition(bytes, 0, period) >= span) return period;
  }
  return 0;
}

function endOfRepetition(bytes: Uint8Array, start: number, period: number): number {
  const { length } = bytes;
  let end = start + period;
  while (end < length && bytes[end] === bytes[end - period]) end++;
  return end;
}

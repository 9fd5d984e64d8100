/** Many numbers, and what is to be known of them. Exact: eight bytes a number are little even for a million runs. */

export interface Numbers {
  add(value: number): void;
  /** Null where there are none. */
  summary(): Summary | null;
}

/** `median` and `p95` are numbers that were added: the smallest that half, and 95 %, of them don't exceed. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** Ignores what is no number. */
export function newNumbers(): Numbers {
  let values = new Float64Array(64);
  let count = 0;
  return {
    add(value) {
      if (!Number.isFinite(value)) return;
      if (count === values.length) {
        const larger = new Float64Array(2 * count);
        larger.set(values);
        values = larger;
      }
      values[count++] = value;
    },
    summary() {
      if (count === 0) return null;
      const sorted = values.slice(0, count).sort();
      const rank = (share: number) => sorted[Math.max(1, Math.ceil(share * count)) - 1] ?? 0;
      return { count, min: rank(0), median: rank(0.5), p95: rank(0.95), max: rank(1) };
    },
  };
}

export interface Tally {
  add(key: string, amount?: number): void;
  /** Most frequent first. */
  counts(): readonly (readonly [key: string, count: number])[];
}

/** Keys beyond the first thousand are counted as `others`. */
export function newTally(others = 'others'): Tally {
  const counts = new Map<string, number>();
  return {
    add(key, amount = 1) {
      const under = counts.size < MOST_KEYS || counts.has(key) ? key : others;
      counts.set(under, (counts.get(under) ?? 0) + amount);
    },
    counts: () => [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)),
  };
}

/** A log that somebody wrote could have as many as it has lines. */
const MOST_KEYS = 1000;

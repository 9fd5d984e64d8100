/** Where the milliseconds of a run go; printed with `--debug`. */

export interface Phases {
  /** Ends the current phase and names it. */
  mark(name: string): void;
  /** One line: each phase with its milliseconds, and the sum. */
  summary(): string;
  /** The same as an object, for `--json`. */
  event(): object;
}

/** Starts at the process's own start, so that Node's share is seen too. */
export function startPhases(): Phases {
  const spans: [string, number][] = [];
  let last = 0;
  return {
    mark(name) {
      const now = performance.now();
      spans.push([name, now - last]);
      last = now;
    },
    summary() {
      return [...spans, ['total', last] as const].map(([name, ms]) => `${name}=${ms.toFixed(1)}ms`).join(' ');
    },
    event() {
      const rounded = [...spans, ['total', last] as const].map(([name, ms]) => [
        name,
        Math.round(ms * 10) / 10,
      ]);
      return { event: 'debug.phases', milliseconds: Object.fromEntries(rounded) };
    },
  };
}

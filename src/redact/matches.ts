/** Called for each stretch of matches of one needle that overlap, in order of `start`. */
export type OnMatch = (start: number, end: number, needle: number) => void;

interface Match {
  readonly start: number;
  end: number;
  readonly needle: number;
}

/** The matches of one text. They are found nearly in order; a run that matches at each byte is one entry. */
export class Matches {
  #found: Match[] = [];
  readonly #lastOf = new Map<number, Match>();

  add(needle: number, start: number, end: number): void {
    const last = this.#lastOf.get(needle);
    if (last !== undefined && start >= last.start && start < last.end) {
      last.end = Math.max(last.end, end);
      return;
    }
    const match = { start, end, needle };
    this.#lastOf.set(needle, match);
    this.#found.push(match);
  }

  /** Reports and forgets them; those that begin at `limit` or later are found again with the next text. */
  handOver(limit: number, onMatch: OnMatch): void {
    if (this.#found.length === 0) return;
    const found = this.#found.sort((a, b) => a.start - b.start || a.needle - b.needle);
    this.#found = [];
    this.#lastOf.clear();
    for (const { start, end, needle } of found) if (start < limit) onMatch(start, end, needle);
  }
}

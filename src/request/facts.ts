/** What is known about a request, and how. */

/**
 * How a fact is known, strongest first: `verified` from a token whose signature was checked, `observed` from
 * git's files or the operating system (the running user could have edited them), `claimed` from a flag or variable.
 */
export const FACT_SOURCES = ['verified', 'observed', 'claimed'] as const;
export type FactSource = (typeof FACT_SOURCES)[number];

/** A fact that was learnt. `from` names the place: `.git/config`, `--environment`, `GITHUB_ACTIONS`, … */
export interface KnownFact {
  readonly value: string;
  readonly source: FactSource;
  readonly from: string;
}

/** A fact that could not be told; it matches no pattern. `from` says why. */
export interface UnknownFact {
  readonly value: null;
  readonly source: 'unknown';
  readonly from: string;
}

export type Fact = KnownFact | UnknownFact;

/** The names of the facts that a rule may look at. `commit_clean` and `ci` hold `true` or `false`. */
export const FACT_NAMES = ['repo', 'branch', 'commit', 'commit_clean', 'environment', 'actor', 'ci'] as const;
export type FactName = (typeof FACT_NAMES)[number];

export type Facts = Readonly<Record<FactName, Fact>>;

export function known(value: string, source: FactSource, from: string): KnownFact {
  return { value, source, from };
}

export function unknown(from: string): UnknownFact {
  return { value: null, source: 'unknown', from };
}

/** How well each fact is known at best, and whether the caller can set it: what `gatherFacts` gives. */
import { FACT_SOURCES, type FactName, type FactSource } from '../../request/facts.ts';
import type { Capability, Conditions } from '../capability.ts';

/**
 * The best source that each fact has. `verified` is in no row: no token is read for facts yet. An environment that the
 * capability fixes is the map's, and so observed.
 */
export const BEST_SOURCE: Readonly<Record<FactName, FactSource>> = {
  repo: 'observed',
  branch: 'observed',
  commit: 'observed',
  commit_clean: 'observed',
  environment: 'claimed',
  actor: 'observed',
  ci: 'claimed',
};

/** The best source that a fact can have in requests for a capability. */
export function bestSource(fact: FactName, { environment }: Capability): FactSource {
  return fact === 'environment' && environment !== null ? 'observed' : BEST_SOURCE[fact];
}

/** True where a rule takes the word of the caller for a fact: it looks at it and demands no better source. */
export function takesClaim(when: Conditions, fact: FactName): boolean {
  const demanded = when.sources?.[fact] ?? 'claimed';
  return demanded === 'claimed';
}

export function isWeaker(a: FactSource, b: FactSource): boolean {
  return FACT_SOURCES.indexOf(a) > FACT_SOURCES.indexOf(b);
}

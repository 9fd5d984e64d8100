/** How well each fact is known at best, and whether the caller can set it: what `gatherFacts` gives. */
import { FACT_SOURCES, type FactName, type FactSource } from '../../request/facts.ts';
import { isVerifiable } from '../../request/verified.ts';
import type { Capability, Conditions } from '../capability.ts';

/**
 * The best source that each fact has without a demand. `verified` is in no row: a token is read only for a fact of which
 * a rule demands it. An environment that the capability fixes is the map's, and so observed.
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

/** True where a signed token can prove the fact. An environment that the map fixes is the map's word, whatever a token says. */
export function canBeVerified(fact: FactName, { environment }: Capability): boolean {
  return isVerifiable(fact) && !(fact === 'environment' && environment !== null);
}

/** True where a rule takes the word of the caller for a fact: it looks at it and demands no better source. */
export function takesClaim(when: Conditions, fact: FactName): boolean {
  const demanded = when.sources?.[fact] ?? 'claimed';
  return demanded === 'claimed';
}

export function isWeaker(a: FactSource, b: FactSource): boolean {
  return FACT_SOURCES.indexOf(a) > FACT_SOURCES.indexOf(b);
}

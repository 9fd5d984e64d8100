/** Which conditions cover which; the counterpart of match-rule.ts. */
import { FACT_SOURCES, type FactName, type FactSource } from '../../request/facts.ts';
import type { Conditions } from '../capability.ts';
import { areCommandsDisjoint, coversCommand } from './command-covers.ts';
import { areDisjoint, covers } from './pattern-covers.ts';

const PATTERN_FACTS = ['repo', 'branch', 'environment', 'actor'] as const;
const BOOLEAN_FACTS = ['commit_clean', 'ci'] as const;
type Compared = (typeof PATTERN_FACTS)[number] | (typeof BOOLEAN_FACTS)[number] | 'command' | 'sources';
/** Does not compile where a condition is added that nothing here compares. */
const ALL_COMPARED: Exclude<keyof Conditions, Compared> extends never ? true : never = true;

/**
 * True only where every request that `narrower` matches is matched by `broader`, and every request that `narrower` can't
 * be ruled out for can't be ruled out for `broader` either. So it holds for allow rules and for deny rules.
 */
export function coversConditions(broader: Conditions, narrower: Conditions): boolean {
  return (
    ALL_COMPARED &&
    PATTERN_FACTS.every((fact) => coversPatterns(broader[fact], patternsOf(narrower, fact))) &&
    BOOLEAN_FACTS.every((fact) => broader[fact] === undefined || broader[fact] === narrower[fact]) &&
    demands(broader).every(([fact, source]) => isAtLeast(leastSource(narrower, fact), source)) &&
    (broader.command === undefined ||
      (narrower.command !== undefined && coversCommand(broader.command, narrower.command)))
  );
}

/** True only where a request that matches the one certainly fails to match the other. */
export function areConditionsDisjoint(one: Conditions, other: Conditions): boolean {
  return (
    PATTERN_FACTS.some((fact) => arePatternsDisjoint(one[fact], other[fact])) ||
    BOOLEAN_FACTS.some(
      (fact) => one[fact] !== undefined && other[fact] !== undefined && one[fact] !== other[fact],
    ) ||
    (one.command !== undefined &&
      other.command !== undefined &&
      areCommandsDisjoint(one.command, other.command))
  );
}

/** True where a rule looks at the environment at all. */
export function looksAtEnvironment({ environment, sources }: Conditions): boolean {
  return environment !== undefined || sources?.environment !== undefined;
}

/** Null where any value does, an unknown one included. A demand on the source alone asks for some known value. */
function patternsOf(when: Conditions, fact: (typeof PATTERN_FACTS)[number]): readonly string[] | null {
  return when[fact] ?? (when.sources?.[fact] === undefined ? null : ['**']);
}

/** Steps through the pairs of two lists, each as long as the two patterns multiplied at worst: a moment. */
const MAX_STEPS = 250_000;

function coversPatterns(broader: readonly string[] | undefined, narrower: readonly string[] | null): boolean {
  if (broader === undefined) return true;
  if (narrower === null || length(broader.filter(isWild)) * length(narrower) > MAX_STEPS) return false;
  return narrower.every((pattern) => broader.some((other) => covers(other, pattern)));
}

function arePatternsDisjoint(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): boolean {
  if (one === undefined || other === undefined || length(one) * length(other) > MAX_STEPS) return false;
  return one.every((pattern) => other.every((another) => areDisjoint(pattern, another)));
}

function length(patterns: readonly string[]): number {
  return patterns.reduce((sum, pattern) => sum + pattern.length, 0);
}

function isWild(pattern: string): boolean {
  return pattern.includes('*');
}

function demands(when: Conditions): [FactName, FactSource][] {
  return Object.entries(when.sources ?? {}) as [FactName, FactSource][];
}

/** The weakest source of a fact that still matches; null where the fact may be unknown. */
function leastSource(when: Conditions, fact: FactName): FactSource | null {
  const looked = (when as Readonly<Record<string, unknown>>)[fact] !== undefined;
  return when.sources?.[fact] ?? (looked ? 'claimed' : null);
}

/** `verified` is the strongest. */
function isAtLeast(source: FactSource | null, demanded: FactSource): boolean {
  return source !== null && FACT_SOURCES.indexOf(source) <= FACT_SOURCES.indexOf(demanded);
}

/**
 * What can be shown about two lists of rules, whichever rule of the one became which of the other.
 *
 * A newer allow gives nothing new where an older one matched all that it matches, and no older allow up to that one,
 * which would have given its terms first, had stricter terms for any of it. A newer list refuses no less where each
 * older deny is covered by a newer one.
 */
import type { Capability, Conditions, Rule } from '../capability.ts';
import { argvOf } from './command-covers.ts';
import { compareTerms } from './compare-terms.ts';
import { areConditionsDisjoint, coversConditions } from './condition-covers.ts';

/** Rules that were shown to be harmless; of all others it isn't known. */
export interface RuleProof {
  /** Newer allows that give nothing new. */
  readonly allows: ReadonlySet<Rule>;
  /** Older denies that still hold. */
  readonly denies: ReadonlySet<Rule>;
}

/** Comparisons of one rule with another that a proof may take; beyond, nothing is shown. */
const MAX_COMPARISONS = 20_000;
/** Steps through pairs of patterns, each as long as the two multiplied at worst: some seconds. */
const MAX_STEPS = 20_000_000;
/** Single rules that a rule with lists for values is split into. */
const MAX_PARTS = 32;

export function proveRules(before: Capability, after: Capability): RuleProof {
  const parts = [partsOf, wholeOf]
    .map((split) => [before.rules.flatMap(split), after.rules.flatMap(split)] as const)
    .find(([older, newer]) => areFew(older, newer));
  if (parts === undefined) return { allows: new Set(), denies: new Set() };
  const [older, newer] = parts;
  const allows = proveAllows(only('allow', older), only('allow', newer), { before, after });
  const denies = provenWhole(only('deny', older), (part) =>
    only('deny', newer).some((other) => coversConditions(other.when, part.when)),
  );
  return { allows, denies };
}

/** A rule, or one of those that it says the same as together. */
interface Part {
  readonly rule: Rule;
  readonly when: Conditions;
}

function proveAllows(
  older: readonly Part[],
  newer: readonly Part[],
  caps: { readonly before: Capability; readonly after: Capability },
): Set<Rule> {
  // Uses are counted by the place of a rule, so a limited rule that stands elsewhere starts from nothing.
  const countsAnew = ({ rule }: Part, other: Part) => rule.limits !== null && rule.at !== other.rule.at;
  const isWider = (one: Part, other: Part) =>
    countsAnew(one, other) ||
    compareTerms(one.rule, other.rule, caps).some(({ direction }) => direction === 'wider');
  /** For each older part the place of the first newer one that takes all that it matches. */
  const takers = older.map((part) => firstCovering(newer, part));

  return provenWhole(newer, (part, index) => {
    if (firstCovering(newer, part) < index) return true; // never reached
    const source = older.findIndex((other) => coversConditions(other.when, part.when));
    if (source < 0) return false;
    const stricterFirst = older
      .slice(0, source + 1)
      .some(
        (other, place) =>
          isWider(other, part) &&
          (takers[place] ?? index) >= index &&
          !areConditionsDisjoint(other.when, part.when),
      );
    return !stricterFirst;
  });
}

/** The place of the first part that matches all that `part` matches; of none, one behind the last. */
function firstCovering(parts: readonly Part[], part: Part): number {
  const place = parts.findIndex((other) => coversConditions(other.when, part.when));
  return place < 0 ? parts.length : place;
}

/** The rules all of whose parts hold. */
function provenWhole(parts: readonly Part[], holds: (part: Part, index: number) => boolean): Set<Rule> {
  const failed = new Set<Rule>();
  parts.forEach((part, index) => {
    if (!holds(part, index)) failed.add(part.rule);
  });
  return new Set(parts.map(({ rule }) => rule).filter((rule) => !failed.has(rule)));
}

function only(effect: Rule['effect'], parts: readonly Part[]): readonly Part[] {
  return parts.filter(({ rule }) => rule.effect === effect);
}

/** True where comparing each part with each takes a moment at most, whatever their patterns are like. */
function areFew(older: readonly Part[], newer: readonly Part[]): boolean {
  if (older.length * newer.length > MAX_COMPARISONS) return false;
  const [before, after] = [patternsIn(older), patternsIn(newer)];
  return before.wild * after.all + after.wild * before.all <= MAX_STEPS;
}

/** Characters of all patterns, and of those with wildcards: two others are compared at once. */
function patternsIn(parts: readonly Part[]): { readonly all: number; readonly wild: number } {
  const patterns = parts.flatMap(({ when: { repo, branch, environment, actor, command } }) => [
    ...[repo, branch, environment, actor].flatMap((list) => list ?? []),
    ...(command === undefined ? [] : argvOf(command)),
  ]);
  const size = (texts: readonly string[]) => texts.reduce((sum, { length }) => sum + length, 0);
  return { all: size(patterns), wild: size(patterns.filter((text) => text.includes('*'))) };
}

function wholeOf(rule: Rule): readonly Part[] {
  return [{ rule, when: rule.when }];
}

/** One part for each combination of the alternatives of its lists; the rule itself where there are too many. */
function partsOf(rule: Rule): readonly Part[] {
  let whens: Conditions[] = [rule.when];
  for (const fact of ['repo', 'branch', 'environment', 'actor'] as const) {
    const patterns = rule.when[fact];
    if (patterns === undefined) continue;
    if (whens.length * patterns.length > MAX_PARTS) return wholeOf(rule);
    whens = whens.flatMap((when) => patterns.map((pattern) => ({ ...when, [fact]: [pattern] })));
  }
  return whens.map((when) => ({ rule, when }));
}

/** Which rule of the older list became which of the newer one. It decides how a change is told, not whether it widens. */
import type { Rule } from '../capability.ts';
import { canonical } from './change.ts';

export interface RulePair {
  readonly before: Rule | null;
  readonly after: Rule | null;
}

/** Above this many leftovers on both sides multiplied, rules are paired by position. */
const MAX_LOOKS = 20_000;

/**
 * Rules with equal conditions first, in order; then the ones that have most in common, the nearer ones of equals; then
 * what is left where one rule is left on each side. The rest was dropped or added. In the newer order, dropped ones last.
 */
export function pairRules(before: readonly Rule[], after: readonly Rule[]): RulePair[] {
  const partners = new Map<Rule, Rule>();
  const left = new Set(before);
  const join = (newer: Rule, older: Rule | undefined) => {
    if (older === undefined) return;
    partners.set(newer, older);
    left.delete(older);
  };

  const byText = groupByText(before);
  for (const newer of after) join(newer, byText.get(canonical(newer.when))?.shift());

  const open = () => after.filter((rule) => !partners.has(rule));
  const many = open().length * left.size > MAX_LOOKS;
  for (const newer of open()) join(newer, many ? undefined : likest(newer, [...left], before, after));
  const [first, ...others] = open();
  if (first !== undefined && others.length === 0 && left.size === 1) join(first, [...left][0]);

  return [
    ...after.map((rule) => ({ before: partners.get(rule) ?? null, after: rule })),
    ...[...left].map((rule) => ({ before: rule, after: null })),
  ];
}

function groupByText(rules: readonly Rule[]): Map<string, Rule[]> {
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) {
    const text = canonical(rule.when);
    groups.set(text, [...(groups.get(text) ?? []), rule]);
  }
  return groups;
}

function likest(
  newer: Rule,
  candidates: readonly Rule[],
  before: readonly Rule[],
  after: readonly Rule[],
): Rule | undefined {
  const distance = (rule: Rule) => Math.abs(before.indexOf(rule) - after.indexOf(newer));
  return candidates
    .map((rule) => ({ rule, score: inCommon(rule, newer) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || distance(a.rule) - distance(b.rule))[0]?.rule;
}

function inCommon(one: Rule, other: Rule): number {
  const terms = (rule: Rule) => Object.entries(rule.when).map((entry) => canonical(entry));
  const others = terms(other);
  return terms(one).filter((term) => others.includes(term)).length;
}

/** Rules that never count, because another one is there first. */
import type { Capability, Rule } from '../capability.ts';
import { compareTerms, type TermChange } from '../diff/compare-terms.ts';
import { coversConditions } from '../diff/condition-covers.ts';
import { compilePattern } from '../pattern.ts';
import type { CapabilitySubject, Check, Found, RuleSubject } from './check.ts';
import { wordsOf } from './command-words.ts';

/**
 * Characters of a capability's patterns, times patterns and wildcards, beyond which its rules are not held against one
 * another. The most takes a few seconds where all patterns begin alike.
 */
const MAX_COST = 3_000_000;

export const NO_ALLOW: Check<CapabilitySubject> = {
  code: 'no_allow',
  severity: 'warning',
  why: 'every request for it is denied',
  *find({ capability: { name, rules } }) {
    if (rules.some((rule) => rule.effect === 'allow')) return;
    yield {
      at: `capabilities.${name}.rules`,
      message: `"${name}" has no allow rule`,
      fix: 'add "- allow: {...}"',
    };
  },
};

export const REACH_CHECKS: readonly Check<RuleSubject>[] = [
  {
    code: 'rule_unreachable',
    severity: 'warning',
    why: 'it never counts, so whatever it is there for does not happen',
    find: unreachable,
  },
  {
    code: 'rule_shadowed',
    severity: 'warning',
    why: 'the first allow that matches gives the terms, so those of this rule never count',
    *find(subject) {
      const { rule } = subject;
      const earlier = earlierAllow(subject);
      const lost = earlier === undefined ? [] : lostTerms(subject, earlier);
      if (earlier === undefined || lost.length === 0) return;
      yield {
        at: rule.at,
        message: `"${rule.at}" is covered by ${earlier.at}, with other terms: ${lost.map(describeLoss).join('; ')}`,
        fix: `move the rule before ${earlier.at}, or make ${earlier.at} narrower`,
      };
    },
  },
  {
    code: 'rule_ttl_no_effect',
    severity: 'warning',
    why: 'the shorter one counts',
    *find({ rule: { maxTtl, at }, capability }) {
      if (maxTtl === null || maxTtl <= capability.maxTtl) return;
      yield {
        at: `${at}.max_ttl`,
        message: `"max_ttl" of ${at} is longer than that of ${capability.name}`,
        fix: `raise max_ttl of ${capability.name}, or delete this one`,
      };
    },
  },
];

/** One reason for a rule; the first that holds. */
function* unreachable(subject: RuleSubject): Generator<Found> {
  const { rule, index, capability } = subject;
  const { at } = rule;
  const fixed = capability.environment;
  if (fixed !== null && rule.when.environment?.some((pattern) => matches(pattern, fixed)) === false) {
    yield {
      at: `${at}.${rule.effect}.environment`,
      message: `"${at}" is for another environment than ${capability.name}, which is for ${fixed}`,
      fix: `write "environment: ${fixed}" in the rule, or delete it`,
    };
    return;
  }
  if (!isComparable(capability)) return;
  const deny = capability.rules.find(
    (other, position) =>
      other.effect === 'deny' &&
      other !== rule &&
      coversConditions(other.when, rule.when) &&
      // Of two denies that say the same, the second one is superfluous.
      (rule.effect === 'allow' || position < index || !coversConditions(rule.when, other.when)),
  );
  if (deny !== undefined) {
    yield {
      at,
      message: `"${at}" is covered by ${deny.at}, which denies all that it matches`,
      fix:
        rule.effect === 'deny'
          ? `delete ${at}`
          : `make ${deny.at} narrower, or delete the one that is not meant`,
    };
    return;
  }
  const earlier = earlierAllow(subject);
  if (earlier === undefined || lostTerms(subject, earlier).length > 0) return;
  yield {
    at,
    message: `"${at}" is covered by ${earlier.at}, which allows all that it matches on the same terms`,
    fix: `delete ${at}`,
  };
}

/** The first earlier allow that matches whatever this one does. */
function earlierAllow({ rule, index, capability }: RuleSubject): Rule | undefined {
  if (rule.effect === 'deny' || !isComparable(capability)) return undefined;
  return capability.rules
    .slice(0, index)
    .find((other) => other.effect === 'allow' && coversConditions(other.when, rule.when));
}

function isComparable({ rules }: Capability): boolean {
  const patterns = rules.flatMap(({ when: { repo, branch, environment, actor, command } }) => [
    ...[repo, branch, environment, actor].flatMap((list) => list ?? []),
    ...(command === undefined ? [] : wordsOf(command)),
  ]);
  const text = patterns.join('');
  return text.length * (patterns.length + text.split('*').length) <= MAX_COST;
}

function lostTerms({ rule, capability }: RuleSubject, earlier: Rule): readonly TermChange[] {
  return compareTerms(rule, earlier, { before: capability, after: capability }).filter(
    ({ direction }) => direction !== 'same',
  );
}

function describeLoss({ key, before, after }: TermChange): string {
  return `${key} ${before ?? 'none'} is lost to ${after ?? 'none'}`;
}

function matches(pattern: string, value: string): boolean {
  const compiled = compilePattern(pattern);
  return compiled.ok && compiled.matches(value);
}

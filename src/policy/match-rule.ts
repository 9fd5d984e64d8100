/** Holds one rule against the facts of a request; every condition is looked at, for `explain`. */
import type { Fact, FactName, FactSource, Facts } from '../request/facts.ts';
import { FACT_SOURCES } from '../request/facts.ts';
import type { ResolvedCommand, RuleUsage } from '../request/run-request.ts';
import type { CommandPattern, Conditions, Rule } from './capability.ts';
import type { ConditionResult, RuleResult } from './decision.ts';
import { holdLimits } from './limits.ts';
import { describeCommandPattern, matchCommand } from './match-command.ts';
import { compilePattern } from './pattern.ts';

const PATTERN_FACTS = ['repo', 'branch', 'environment', 'actor'] as const;
const BOOLEAN_FACTS = ['commit_clean', 'ci'] as const;

export function matchRule(
  rule: Rule,
  facts: Facts,
  command: ResolvedCommand | null,
  usage: readonly RuleUsage[] | null,
): RuleResult {
  const conditions = [...factConditions(rule.when, facts)];
  if (rule.when.command !== undefined) conditions.push(commandCondition(rule.when.command, command));
  return {
    at: rule.at,
    effect: rule.effect,
    approval: rule.approval,
    demand: rule.demand,
    matched: conditions.every((condition) => condition.matched),
    conditions,
    limits: holdLimits(rule, usage),
  };
}

function* factConditions(when: Conditions, facts: Facts): Generator<ConditionResult> {
  for (const name of PATTERN_FACTS) {
    const patterns = when[name];
    if (patterns === undefined) continue;
    const matches = (value: string) => patterns.some((text) => matchesPattern(text, value));
    yield condition(name, patterns.join(' or '), facts[name], matches, when);
  }
  for (const name of BOOLEAN_FACTS) {
    const wanted = when[name];
    if (wanted === undefined) continue;
    yield condition(name, String(wanted), facts[name], (value) => value === String(wanted), when);
  }
  // A demand on how a fact is known stands by itself where the rule does not look at the value.
  for (const name of Object.keys(when.sources ?? {}) as FactName[]) {
    if ((when as Readonly<Record<string, unknown>>)[name] !== undefined) continue;
    yield condition(name, 'any', facts[name], () => true, when);
  }
}

function condition(
  name: FactName,
  expected: string,
  fact: Fact,
  matches: (value: string) => boolean,
  when: Conditions,
): ConditionResult {
  const demanded = when.sources?.[name];
  const inValue = fact.value !== null && matches(fact.value);
  const strong = fact.source !== 'unknown' && isStrongEnough(fact.source, demanded);
  return {
    condition: name,
    expected: demanded === undefined ? expected : `${expected} (${demanded})`,
    observed: fact.value,
    source: fact.source,
    from: fact.from,
    matched: inValue && strong,
    tooWeak: inValue && !strong,
  };
}

/** `verified` is the strongest; a rule without a demand takes any. */
function isStrongEnough(source: FactSource, demanded: FactSource | undefined): boolean {
  return demanded === undefined || FACT_SOURCES.indexOf(source) <= FACT_SOURCES.indexOf(demanded);
}

function commandCondition(pattern: CommandPattern, command: ResolvedCommand | null): ConditionResult {
  const { matched, observed, from } = matchCommand(pattern, command);
  return {
    condition: 'command',
    expected: describeCommandPattern(pattern),
    observed,
    source: matched === null ? 'unknown' : 'observed',
    from,
    matched: matched === true,
    tooWeak: false,
  };
}

function matchesPattern(text: string, value: string): boolean {
  const pattern = compilePattern(text);
  return pattern.ok && pattern.matches(value);
}

/**
 * The decision: one pure function that `run`, `explain`, `list`, `check` and the inline tests share.
 *
 * 1. Any matching deny wins, wherever it stands.
 * 2. Else the first matching allow gives the terms; none is a denial.
 * 3. What can't be told matches nothing, neither allow nor deny. But an allow is not given while a deny can't be
 *    ruled out: where all that is known of a deny matches and the rest is unknown, the answer is `fact_unknown`.
 * 4. An allow whose limits are used up, or may be, is a denial; no later allow takes its place.
 */
import { formatDuration } from '../base/duration.ts';
import { type Fact, type Facts, known, unknown } from '../request/facts.ts';
import type { RunRequest } from '../request/run-request.ts';
import { VERIFIABLE, type Verifiable } from '../request/verified.ts';
import type { Capability, Rule } from './capability.ts';
import type { ConditionResult, Decision, DenyReason, RuleResult } from './decision.ts';
import { holdLimits, limitFault } from './limits.ts';
import { matchRule } from './match-rule.ts';
import { isMatchable } from './pattern.ts';

/** Decides about a request. Reads no clock, no file and no environment; the justification's text is not looked at. */
export function evaluate(capability: Capability, request: RunRequest): Decision {
  const facts = readableFacts(request.facts, capability);
  const rules = capability.rules.map((rule) => matchRule(rule, facts, request.command, request.usage));
  const deny = (reason: DenyReason, why: string, rule: string | null = null): Decision => ({
    effect: 'deny',
    reason,
    message: `"${capability.name}" is denied: ${why}`,
    rule,
    rules,
  });

  const denying = rules.find((rule) => rule.effect === 'deny' && rule.matched);
  if (denying !== undefined) {
    return deny('denied_by_rule', `${denying.at} denies ${describeConditions(denying)}`, denying.at);
  }

  const claimed = request.facts.environment.value;
  if (capability.environment !== null && claimed !== null && claimed !== capability.environment) {
    return deny('environment_mismatch', `it is for environment ${capability.environment}, not ${claimed}`);
  }

  const index = rules.findIndex((rule) => rule.effect === 'allow' && rule.matched);
  const allowing = capability.rules[index];
  if (allowing === undefined) return noAllow(rules, deny);

  const doubtful = rules.find(cannotBeRuledOut);
  if (doubtful !== undefined) {
    const facts = doubtful.conditions.filter(isUnknown).map((it) => `${it.condition} (${it.from})`);
    const why = `${doubtful.at} may deny it, and this can't be told: ${facts.join(', ')}`;
    return deny('fact_unknown', why, doubtful.at);
  }
  return grant(capability, request, allowing, rules, deny);
}

/** True where a rule pins a program's content, so that the caller must hash it. */
export function needsSha256(capability: Capability): boolean {
  return capability.rules.some((rule) => rule.when.command?.kind === 'pinned');
}

/** True where a rule asks whether the work tree is clean, which takes time to find out. */
export function needsCommitClean(capability: Capability): boolean {
  return capability.rules.some(
    ({ when }) => when.commit_clean !== undefined || when.sources?.commit_clean !== undefined,
  );
}

/** The facts that some rule takes only where a signed token proves them, which takes a request to its issuer. */
export function needsVerified(capability: Capability): readonly Verifiable[] {
  return VERIFIABLE.filter((name) =>
    capability.rules.some(({ when }) => when.sources?.[name] === 'verified'),
  );
}

/** The terms of an allow, and what they ask for besides the rules. */
function grant(
  capability: Capability,
  request: RunRequest,
  rule: Rule,
  rules: readonly RuleResult[],
  deny: (reason: DenyReason, why: string, rule?: string) => Decision,
): Decision {
  const cap = Math.min(capability.maxTtl, rule.maxTtl ?? capability.maxTtl);
  const asked = request.ttlRequested;
  if (asked !== null && asked > cap && capability.ttlOver === 'deny') {
    const why = `${formatDuration(asked)} was asked for, and the cap is ${formatDuration(cap)}`;
    return deny('ttl_over_cap', why, rule.at);
  }
  if (capability.justification === 'required' && !request.justification?.trim()) {
    return deny('justification_missing', 'it asks for a justification', rule.at);
  }
  const limited = limitFault(rule.at, holdLimits(rule, request.usage));
  if (limited !== null) return deny(limited.reason, limited.why, rule.at);
  const ttlRequested = asked ?? capability.ttl;
  return {
    effect: 'allow',
    grant: {
      capability: capability.name,
      config: capability.config,
      rule: rule.at,
      approval: rule.approval,
      demand: rule.demand,
      ttlRequested,
      ttl: Math.min(ttlRequested, cap),
    },
    rules,
  };
}

/** No allow matched: say what stands in the way of the one that came nearest. */
function noAllow(
  rules: readonly RuleResult[],
  deny: (reason: DenyReason, why: string, rule?: string) => Decision,
): Decision {
  const allows = rules.filter((rule) => rule.effect === 'allow');
  const weak = allows.find((rule) => rule.conditions.every((it) => it.matched || it.tooWeak));
  if (weak !== undefined) {
    const facts = weak.conditions
      .filter((it) => it.tooWeak)
      .map((it) => `${it.condition} ${describeMiss(it)}`);
    return deny('source_too_weak', `${weak.at} demands better proof: ${facts.join(', ')}`, weak.at);
  }
  const failing = (rule: RuleResult) => rule.conditions.filter((it) => !it.matched);
  const nearest = allows.toSorted((a, b) => failing(a).length - failing(b).length)[0];
  if (nearest === undefined) return deny('no_rule_matched', 'no rule allows anything');
  const reasons = failing(nearest).map((it) => `${it.condition} ${describeMiss(it)}`);
  return deny('no_rule_matched', `no rule matched; nearest is ${nearest.at}: ${reasons.join('; ')}`);
}

function describeMiss({ observed, expected, source, from, tooWeak }: ConditionResult): string {
  if (tooWeak) return `is only ${source} (${from})`;
  return observed === null ? `can't be told (${from}), not ${expected}` : `is ${observed}, not ${expected}`;
}

function describeConditions({ conditions }: RuleResult): string {
  return conditions.map((it) => `${it.condition} ${it.observed}`).join(', ') || 'every request';
}

function cannotBeRuledOut(rule: RuleResult): boolean {
  return rule.effect === 'deny' && rule.conditions.every((it) => it.matched || isUnknown(it));
}

function isUnknown(condition: ConditionResult): boolean {
  return condition.source === 'unknown';
}

/** The facts that rules look at: the capability's own environment where it has one, and no value that hides a line end. */
function readableFacts(facts: Facts, capability: Capability): Facts {
  const { environment } = capability;
  return {
    repo: readable(facts.repo),
    branch: readable(facts.branch),
    commit: readable(facts.commit),
    commit_clean: readable(facts.commit_clean),
    environment:
      environment === null ? readable(facts.environment) : known(environment, 'observed', 'the map'),
    actor: readable(facts.actor),
    ci: readable(facts.ci),
  };
}

function readable(fact: Fact): Fact {
  if (fact.value === null || isMatchable(fact.value)) return fact;
  return unknown(`${fact.from}: it holds a newline or control character`);
}

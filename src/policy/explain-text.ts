/** A decision for people (`explain`, `run --dry-run`) and for tools (`--json`). */
import type { ChalkInstance } from 'chalk';
import { formatDuration } from '../base/duration.ts';
import { escapeText, escapeValue } from '../base/escape.ts';
import type { ApprovalDemand } from './capability.ts';
import type { ConditionResult, Decision, LimitResult, RuleResult } from './decision.ts';
import { demandWords } from './demand-text.ts';
import { describeLimit } from './limits.ts';

/** Colours of the stream that the lines go to. */
export type ExplainColors = Pick<ChalkInstance, 'dim' | 'green' | 'red'>;

type Paint = (text: string) => string;

/**
 * The decision with every condition of every rule: what was asked, what was observed, and where that was learnt.
 * Plain without `colors`; every value is escaped.
 */
export function describeDecision(decision: Decision, colors?: ExplainColors): string[] {
  const good: Paint = (text) => colors?.green(text) ?? text;
  const bad: Paint = (text) => colors?.red(text) ?? text;
  const faint: Paint = (text) => colors?.dim(text) ?? text;
  return [
    ...(decision.effect === 'allow' ? describeGrant(decision, good) : describeDenial(decision, bad)),
    ...decision.rules.flatMap((rule) => ['', ...describeRule(rule, { good, bad, faint })]),
  ];
}

function describeGrant({ grant, rules }: Extract<Decision, { effect: 'allow' }>, good: Paint): string[] {
  const limits = rules.find(({ at }) => at === grant.rule)?.limits ?? [];
  const ttl = formatDuration(grant.ttl);
  const shortened =
    grant.ttl < grant.ttlRequested ? ` (${formatDuration(grant.ttlRequested)} shortened to the cap)` : '';
  return [
    `${good('allowed')}  ${grant.capability}`,
    `rule      ${grant.rule}`,
    `approval  ${grant.approval}${grant.demand === null ? '' : `: ${describeDemand(grant.demand)}`}`,
    `ttl       ${ttl}${shortened}`,
    ...(limits.length === 0 ? [] : [`limits    ${describeLimits(limits)}`]),
  ];
}

function describeDenial(decision: Extract<Decision, { effect: 'deny' }>, bad: Paint): string[] {
  return [
    `${bad('denied')}    ${escapeText(decision.message)}`,
    `reason    ${decision.reason}`,
    ...(decision.rule === null ? [] : [`rule      ${decision.rule}`]),
  ];
}

interface Paints {
  readonly good: Paint;
  readonly bad: Paint;
  readonly faint: Paint;
}

function describeRule(rule: RuleResult, paints: Paints): string[] {
  const approval = rule.approval === 'none' ? '' : `, approval ${rule.approval}`;
  const verdict = rule.matched ? 'matches' : 'does not match';
  const paint = rule.matched ? (rule.effect === 'allow' ? paints.good : paints.bad) : paints.faint;
  const conditions = rule.conditions.map((condition) => describeCondition(condition, paints));
  return [
    `${rule.at}  ${rule.effect}${approval}: ${paint(verdict)}`,
    ...(conditions.length === 0 ? ['  no conditions: every request'] : conditions.flat()),
    ...(rule.demand === null ? [] : [`  approval needs   ${describeDemand(rule.demand)}`]),
    ...(rule.limits.length === 0 ? [] : [`  limits used      ${describeLimits(rule.limits)}`]),
  ];
}

function describeDemand(demand: ApprovalDemand): string {
  const hook = demand.command === null ? [] : [`command=${demand.command.map(escapeValue).join(' ')}`];
  return [...demandWords(demand).map(escapeText), ...hook].join(' ');
}

function describeLimits(limits: readonly LimitResult[]): string {
  return limits.map(describeLimit).join(', ');
}

function describeCondition(condition: ConditionResult, paints: Paints): string[] {
  const mark = condition.matched ? paints.good('yes') : paints.bad('no ');
  const name = condition.condition.padEnd(12);
  return [
    `  ${mark} ${name} wants ${escapeText(condition.expected)}`,
    `      ${' '.repeat(12)} ${observation(condition)}${condition.tooWeak ? ' (not known well enough)' : ''}`,
  ];
}

function observation({ observed, source, from }: ConditionResult): string {
  if (observed === null) return `unknown: ${escapeText(from)}`;
  return `is    ${escapeValue(observed)}, ${source} from ${escapeText(from)}`;
}

/** The decision for tools. Keys are only ever added. */
export function decisionJson(decision: Decision): Readonly<Record<string, unknown>> {
  const rules = decision.rules.map(ruleJson);
  if (decision.effect === 'deny') {
    const { reason, message, rule } = decision;
    return { effect: 'deny', reason, message, rule, rules };
  }
  const { grant } = decision;
  return {
    effect: 'allow',
    capability: grant.capability,
    rule: grant.rule,
    approval: grant.approval,
    approval_demand: demandJson(grant.demand),
    ttl_seconds: grant.ttl,
    ttl_requested: grant.ttlRequested,
    limits: decision.rules.find(({ at }) => at === grant.rule)?.limits ?? [],
    rules,
  };
}

function ruleJson({
  at,
  effect,
  approval,
  demand,
  matched,
  conditions,
  limits,
}: RuleResult): Readonly<Record<string, unknown>> {
  return {
    at,
    effect,
    approval,
    approval_demand: demandJson(demand),
    matched,
    conditions: conditions.map(({ tooWeak, ...condition }) => ({ ...condition, too_weak: tooWeak })),
    limits,
  };
}

/** By the names that the map has for them; null where nobody is asked. */
function demandJson(demand: ApprovalDemand | null): Readonly<Record<string, unknown>> | null {
  return (
    demand && {
      grade: demand.grade,
      approvers: demand.approvers,
      count: demand.count,
      self_approval: demand.selfApproval,
      uses: demand.uses,
      for_seconds: demand.standsFor,
      command: demand.command,
      cooldown_seconds: demand.cooldown,
      max_per_hour: demand.perHour,
    }
  );
}

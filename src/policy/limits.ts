/** How a rule's limits stand against how often it has been used. */
import type { RuleUsage } from '../request/run-request.ts';
import type { Capability, Limits, Rule } from './capability.ts';
import type { DenyReason, LimitResult } from './decision.ts';

/** True where the caller must count how often the rules were used. */
export function needsUsage(capability: Capability): boolean {
  return capability.rules.some((rule) => rule.limits !== null);
}

/** Each limit of a rule with its figures, in the order of the schema. Usage that can't be told reaches every limit. */
export function holdLimits({ at, limits }: Rule, usage: readonly RuleUsage[] | null): LimitResult[] {
  if (limits === null) return [];
  const counted = usage?.find(({ rule }) => rule === at);
  return LIMITS.flatMap(({ limit, most, used }) => {
    const bound = limits[most];
    if (bound === null) return [];
    const count = counted?.[used] ?? null;
    return [{ limit, most: bound, used: count, reached: count === null || count >= bound }];
  });
}

/** Why the limits of the rule at `at` refuse one more use, as a reason and the end of a sentence; null where they don't. */
export function limitFault(
  at: string,
  limits: readonly LimitResult[],
): { readonly reason: DenyReason; readonly why: string } | null {
  const reached = limits.filter((limit) => limit.reached);
  if (reached.length === 0) return null;
  if (reached.some(({ used }) => used === null)) {
    const why = `${at} has limits, and how often it was used can't be told: the audit log can't be read`;
    return { reason: 'limit_unknown', why };
  }
  return { reason: 'limit_reached', why: `${at} ${reached.map(describeReached).join(', and ')}` };
}

/** `per_hour 3 of 10`. */
export function describeLimit({ limit, most, used }: LimitResult): string {
  return `${limit} ${used ?? 'unknown'} of ${most}`;
}

interface LimitKind {
  readonly limit: LimitResult['limit'];
  readonly most: keyof Limits;
  readonly used: Exclude<keyof RuleUsage, 'rule'>;
}

const LIMITS: readonly LimitKind[] = [
  { limit: 'per_hour', most: 'perHour', used: 'lastHour' },
  { limit: 'per_task', most: 'perTask', used: 'forTask' },
  { limit: 'open', most: 'open', used: 'open' },
];

function describeReached({ limit, most, used }: LimitResult): string {
  const times = used === 1 ? 'once' : `${used} times`;
  switch (limit) {
    case 'per_hour':
      return `was used ${times} in the last hour (per_hour: ${most})`;
    case 'per_task':
      return `was used ${times} for this task (per_task: ${most})`;
    case 'open':
      return `has ${used} open ${used === 1 ? 'lease' : 'leases'} (open: ${most})`;
  }
}

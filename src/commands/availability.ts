/** Whether a capability would be granted here and now, as far as that can be said without knowing the command. */
import type { ApprovalKind, Capability } from '../policy/capability.ts';
import type { Decision, LimitResult, RuleResult } from '../policy/decision.ts';
import { coversCommand } from '../policy/diff/command-covers.ts';
import { evaluate } from '../policy/evaluate.ts';
import { limitFault } from '../policy/limits.ts';
import { describeCommandPattern } from '../policy/match-command.ts';
import type { RunRequest } from '../request/run-request.ts';

export type Availability =
  | { readonly granted: 'yes'; readonly approval: ApprovalKind; readonly except: readonly string[] }
  | { readonly granted: 'no'; readonly reason: string; readonly why: string }
  | {
      readonly granted: 'for_commands';
      readonly commands: readonly string[];
      readonly except: readonly string[];
    };

export interface Standing {
  readonly availability: Availability;
  /** Of each rule that has some. */
  readonly limits: readonly { readonly rule: string; readonly limits: readonly LimitResult[] }[];
}

/** `except`: commands that a deny refuses, whatever else is allowed. The request names no command. */
export function standingOf(capability: Capability, request: RunRequest): Standing {
  const { rules } = evaluate(capability, request);
  return {
    availability: availabilityOf(capability, request, rules),
    limits: rules.filter(({ limits }) => limits.length > 0).map(({ at, limits }) => ({ rule: at, limits })),
  };
}

function availabilityOf(
  capability: Capability,
  request: RunRequest,
  results: readonly RuleResult[],
): Availability {
  const open = (index: number) => {
    const result = results[index];
    return result?.effect === 'deny' && lacksCommandOnly(result);
  };
  const refused = capability.rules.filter((_, index) => open(index));
  const rest = { ...capability, rules: capability.rules.filter((_, index) => !open(index)) };
  const decision = evaluate(rest, request);
  const except = refused.flatMap(({ when }) => (when.command ? [describeCommandPattern(when.command)] : []));
  if (decision.effect === 'allow') return { granted: 'yes', approval: decision.grant.approval, except };
  const denied: Availability = { granted: 'no', reason: decision.reason, why: decision.message };
  if (decision.reason !== 'no_rule_matched') return denied;
  return forCommands(rest, decision, refused, except) ?? denied;
}

function lacksCommandOnly({ conditions }: RuleResult): boolean {
  const failed = conditions.filter(({ matched }) => !matched);
  return failed.length === 1 && failed[0]?.condition === 'command';
}

/** A rule that lacks nothing but its command tells which commands would be granted. Null where there is none. */
function forCommands(
  capability: Capability,
  decision: Decision,
  refused: Capability['rules'],
  except: readonly string[],
): Availability | null {
  const lacking = decision.rules.filter((rule) => rule.effect === 'allow' && lacksCommandOnly(rule));
  const [fault] = lacking.flatMap(({ at, limits }) => limitFault(at, limits) ?? []);
  const open = lacking.filter(({ at, limits }) => limitFault(at, limits) === null);
  const patterns = open.flatMap(
    ({ at }) => capability.rules.find((rule) => rule.at === at)?.when.command ?? [],
  );
  const left = patterns.filter(
    (one) => !refused.some(({ when }) => when.command && coversCommand(when.command, one)),
  );
  if (left.length > 0) return { granted: 'for_commands', commands: left.map(describeCommandPattern), except };
  const name = `"${capability.name}" is denied`;
  if (patterns.length > 0)
    return {
      granted: 'no',
      reason: 'denied_by_rule',
      why: `${name}: ${refused[0]?.at} denies ${except.join(', ')}`,
    };
  return fault ? { granted: 'no', reason: fault.reason, why: `${name}: ${fault.why}` } : null;
}

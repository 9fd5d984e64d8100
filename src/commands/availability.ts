/** Whether a capability would be granted here and now, as far as that can be said without knowing the command. */
import type { ApprovalKind, Capability, CommandPattern, Rule } from '../policy/capability.ts';
import type { Decision, Denial, LimitResult } from '../policy/decision.ts';
import { coversCommand } from '../policy/diff/command-covers.ts';
import { evaluate } from '../policy/evaluate.ts';
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

/** `except`: commands that a deny or a limit refuses, whatever else is allowed. The request names no command. */
export function standingOf(capability: Capability, request: RunRequest): Standing {
  const { rules } = evaluate(capability, request);
  return {
    availability: availabilityOf(capability, request),
    limits: rules.filter(({ limits }) => limits.length > 0).map(({ at, limits }) => ({ rule: at, limits })),
  };
}

/** A rule that names a command, and the decision for the commands that it names. */
interface Named {
  readonly rule: Rule;
  readonly command: CommandPattern;
  readonly decision: Decision;
}

function availabilityOf(capability: Capability, request: RunRequest): Availability {
  const others = evaluate(knowing(capability, null), request);
  const named = capability.rules.flatMap((rule): Named[] => {
    const { command } = rule.when;
    return command ? [{ rule, command, decision: evaluate(knowing(capability, command), request) }] : [];
  });
  const refused = named.filter(
    ({ rule, decision }) => decision.effect === 'deny' && decision.rule === rule.at,
  );
  const except = refused.map(({ command }) => describeCommandPattern(command));
  if (others.effect === 'allow') return { granted: 'yes', approval: others.grant.approval, except };
  const granted = named.filter(
    ({ rule, decision }) => decision.effect === 'allow' && decision.grant.rule === rule.at,
  );
  if (granted.length > 0) {
    return {
      granted: 'for_commands',
      commands: granted.map(({ command }) => describeCommandPattern(command)),
      except,
    };
  }
  // The most telling reason: of every command, of those that an allow names, or that none was named.
  const allowed = named.filter(({ rule }) => rule.effect === 'allow');
  const denials = [others, ...allowed.map(({ decision }) => decision), evaluate(capability, request)].filter(
    isDenial,
  );
  return denied(
    capability,
    denials.find(({ reason }) => reason !== 'no_rule_matched') ?? denials.at(-1) ?? others,
  );
}

/** The capability for a command of which is known only that `command` matches it; null for one that no rule names. */
function knowing(capability: Capability, command: CommandPattern | null): Capability {
  const rules = capability.rules.flatMap((rule): Rule[] => {
    const { command: asked, ...when } = rule.when;
    if (asked === undefined) return [rule];
    return command !== null && coversCommand(asked, command) ? [{ ...rule, when }] : [];
  });
  return { ...capability, rules };
}

function isDenial(decision: Decision): decision is Denial {
  return decision.effect === 'deny';
}

function denied({ name, rules }: Capability, decision: Denial): Availability {
  const { reason, message, rule: at } = decision;
  const command = rules.find((rule) => rule.at === at)?.when.command;
  if (reason !== 'denied_by_rule' || command === undefined) return { granted: 'no', reason, why: message };
  return {
    granted: 'no',
    reason,
    why: `"${name}" is denied: ${at} denies ${describeCommandPattern(command)}`,
  };
}

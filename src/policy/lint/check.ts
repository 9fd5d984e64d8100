/** The one shape of all checks: a code, its weight, its reason, and the function that looks. */
import type { Capability, CapabilityMap, Rule } from '../capability.ts';
import type { Finding, FindingCode, Severity } from '../finding.ts';
import type { IamActions } from './iam-actions.ts';

export interface CapabilitySubject {
  readonly map: CapabilityMap;
  readonly capability: Capability;
  /** What AWS publishes about its actions; null where no capability of the map speaks of them. */
  readonly iam: IamActions | null;
}

export interface RuleSubject extends CapabilitySubject {
  readonly rule: Rule;
  /** Index of the rule in the capability. */
  readonly index: number;
}

/** What a check says about one place. */
export interface Found {
  /** Place in the map, the rule's or capability's own included: `capabilities.deploy.rules[0].allow.repo`. */
  readonly at: string;
  /** One sentence, the subject first in double quotes. */
  readonly message: string;
  /** Where it is not the check's own. */
  readonly why?: string;
  readonly fix: string;
}

export interface Check<Subject> {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What could go wrong. */
  readonly why: string;
  readonly find: (subject: Subject) => Iterable<Found>;
}

/** A finding before its line and column are known. */
export type PlacelessFinding = Omit<Finding, 'line' | 'column'>;

/** What the checks find in a subject, in their order. */
export function runChecks<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
): readonly PlacelessFinding[] {
  return checks.flatMap(({ code, severity, why, find }) =>
    [...find(subject)].map((found) => ({ code, severity, why, ...found })),
  );
}

/** `a, b, c and 4 more`. */
export function someOf(words: readonly string[], shown = 3): string {
  const rest = words.length - shown;
  return rest > 0 ? `${words.slice(0, shown).join(', ')} and ${rest} more` : words.join(', ');
}

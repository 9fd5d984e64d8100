/** What is allowed in a map and still worth a second look. A finding never makes a map unusable. */
import type { CapabilityMap } from '../capability.ts';
import type { Finding } from '../finding.ts';
import { parsePlace } from '../map-place.ts';
import type { Positions } from '../positions.ts';
import { APPROVAL_CHECKS } from './approval-checks.ts';
import { type CapabilitySubject, type Check, type RuleSubject, runChecks } from './check.ts';
import { CLAIM_CHECKS, CLAIMED_REPO } from './claim-checks.ts';
import { COMMAND_CHECKS } from './command-checks.ts';
import { CONDITION_CHECKS } from './condition-checks.ts';
import { GRANT_CHECKS } from './grant-checks.ts';
import type { IamActions } from './iam-actions.ts';
import { IAM_CHECKS } from './iam-checks.ts';
import { PAPER_CHECKS } from './paper-checks.ts';
import { NO_ALLOW, REACH_CHECKS } from './reach-checks.ts';

/** What is looked at once for each capability. */
export const CAPABILITY_CHECKS: readonly Check<CapabilitySubject>[] = [
  ...GRANT_CHECKS,
  ...IAM_CHECKS,
  NO_ALLOW,
  CLAIMED_REPO,
  ...PAPER_CHECKS,
];

/** What is looked at for each rule. */
export const RULE_CHECKS: readonly Check<RuleSubject>[] = [
  ...REACH_CHECKS,
  ...CONDITION_CHECKS,
  ...CLAIM_CHECKS,
  ...COMMAND_CHECKS,
  ...APPROVAL_CHECKS,
];

/**
 * The findings of a map, in the order of the file. `iam` is what AWS publishes about its actions; null leaves them
 * unlooked at, which is right where `needsIamActions` is false.
 */
export function lintMap(map: CapabilityMap, positions: Positions, iam: IamActions | null): Finding[] {
  const findings = [...map.capabilities.values()].flatMap((capability) => {
    const subject = { map, capability, iam };
    return [
      ...runChecks(CAPABILITY_CHECKS, subject),
      ...capability.rules.flatMap((rule, index) => runChecks(RULE_CHECKS, { ...subject, rule, index })),
    ];
  });
  return findings
    .map((finding): Finding => {
      const { line, column } = positions.of(parsePlace(finding.at));
      return { ...finding, line, column };
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** True where a map speaks of IAM actions. */
export function needsIamActions(map: CapabilityMap): boolean {
  return [...map.capabilities.values()].some(({ config }) => config.provider === 'aws-sts');
}

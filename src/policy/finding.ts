/** What `check` finds in a map that is valid. */

/** Stable keys of findings, in the order of docs/review.md. */
export const FINDING_CODES = [
  'long_lived',
  'pass_sensitive',
  'broad',
  'kv',
  'set_sensitive',
  'leak_unseen',
  'iam_service_unknown',
  'iam_action_unknown',
  'iam_write_any',
  'iam_write_account',
  'iam_escalation',
  'any_request',
  'any_repo',
  'any_branch',
  'any_command',
  'broad_pattern',
  'claimed_environment',
  'claimed_actor',
  'claimed_ci',
  'claimed_repo',
  'source_never',
  'deny_on_claim',
  'deny_needs_fact',
  'deny_with_sources',
  'no_allow',
  'rule_unreachable',
  'rule_shadowed',
  'rule_ttl_no_effect',
  'bare_program',
  'any_program',
  'any_folder',
  'program_with_blank',
  'any_code',
  'code_by_option',
  'script_by_cwd',
  'prompt_forgeable',
  'touch_impossible',
  'no_description',
  'no_tests',
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

/** Findings that stand for standing access or wide scope that the map allows by name: what is still to be removed. */
export const STILL_TO_REMOVE: readonly FindingCode[] = ['long_lived', 'pass_sensitive', 'broad', 'kv'];

/** `warning`: more can happen, or less is stopped, than the map seems to say. `note`: worth a second look. */
export type Severity = 'warning' | 'note';

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Place in the map. */
  readonly at: string;
  /** Both count from 1, columns in UTF-16 code units. */
  readonly line: number;
  readonly column: number;
  /** One sentence: what was found. */
  readonly message: string;
  /** What could go wrong. */
  readonly why: string;
  readonly fix: string;
}

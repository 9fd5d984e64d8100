/** What `check` finds in a map that is valid. */

/** Stable keys of findings. */
export type FindingCode =
  | 'long_lived'
  | 'pass_sensitive'
  | 'broad'
  | 'set_sensitive'
  | 'claimed_environment'
  | 'bare_program'
  | 'program_with_blank'
  | 'any_code'
  | 'any_program'
  | 'any_command'
  | 'any_request'
  | 'rule_unreachable'
  | 'rule_ttl_no_effect'
  | 'deny_needs_fact'
  | 'deny_with_sources'
  | 'no_allow'
  | 'no_tests'
  | 'no_description';

export interface Finding {
  readonly code: FindingCode;
  readonly severity: 'warning' | 'note';
  /** Place in the map. */
  readonly at: string;
  /** Where the positions of the map were given. */
  readonly line?: number;
  readonly column?: number;
  /** One sentence: what was found. */
  readonly message: string;
  /** What could go wrong. */
  readonly why: string;
  readonly fix: string;
}

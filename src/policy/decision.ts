/** The decision: a value that says what was decided, by which rule, and from which observed facts. */
import type { FactName, FactSource } from '../request/facts.ts';
import type { ApprovalDemand, ApprovalKind, ProviderConfig } from './capability.ts';

/** Stable keys of a denial; scripts and records rely on them. */
export const DENY_REASONS = [
  'no_rule_matched',
  'denied_by_rule',
  'fact_unknown',
  'source_too_weak',
  'ttl_over_cap',
  'justification_missing',
  'environment_mismatch',
  'limit_reached',
  'limit_unknown',
] as const;
export type DenyReason = (typeof DENY_REASONS)[number];

/** One condition of one rule, held against what was observed. */
export interface ConditionResult {
  readonly condition: FactName | 'command';
  /** The patterns or value that the rule asks for, as text. */
  readonly expected: string;
  /** What was observed; null where it could not be told. */
  readonly observed: string | null;
  readonly source: FactSource | 'unknown';
  /** Where the observed value was learnt. */
  readonly from: string;
  readonly matched: boolean;
  /** True where the value matched and only its source is weaker than the rule demands. */
  readonly tooWeak: boolean;
}

/** One limit of one rule, held against how often it has been used. */
export interface LimitResult {
  /** As the map calls it. */
  readonly limit: 'per_hour' | 'per_task' | 'open';
  readonly most: number;
  /** Null where it could not be told. */
  readonly used: number | null;
  /** True where one more is not allowed, or may not be. */
  readonly reached: boolean;
}

export interface RuleResult {
  readonly at: string;
  readonly effect: 'allow' | 'deny';
  readonly approval: ApprovalKind;
  /** What the approval must be like; null where none is asked for. */
  readonly demand: ApprovalDemand | null;
  readonly matched: boolean;
  readonly conditions: readonly ConditionResult[];
  /** Empty where the rule limits nothing. No limit changes whether the rule matches. */
  readonly limits: readonly LimitResult[];
}

/** An allowed request after narrowing. */
export interface Grant {
  readonly capability: string;
  readonly config: ProviderConfig;
  /** Place of the rule that allowed it. */
  readonly rule: string;
  readonly approval: ApprovalKind;
  /** What the approval must be like; null where none is asked for. */
  readonly demand: ApprovalDemand | null;
  readonly ttlRequested: number;
  /** Seconds granted, never more than the cap. */
  readonly ttl: number;
}

export interface Denial {
  readonly effect: 'deny';
  readonly reason: DenyReason;
  /** One sentence for people. */
  readonly message: string;
  readonly rule: string | null;
  readonly rules: readonly RuleResult[];
}

export type Decision =
  | { readonly effect: 'allow'; readonly grant: Grant; readonly rules: readonly RuleResult[] }
  | Denial;

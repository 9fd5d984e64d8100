/** The record of a lease that was held against CloudTrail: what was searched, what was found, what can't be told. */
import type { AuditFields } from './record.ts';

export const VERDICTS = ['expired_without_reuse', 'reuse_detected', 'unverifiable'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Why absence of an event says nothing; one is enough to keep `expired_without_reuse` out. */
export const OPEN_REASONS = [
  'not_expired',
  'delivery_delay',
  'run_end_unknown',
  'calls_at_run_end',
  'clock_unknown',
  'issue_not_seen',
  'coverage_not_stated',
  'end_not_covered',
  'too_old',
  'regions_not_searched',
  'global_region_not_searched',
  'data_events_not_recorded',
  'recording_unknown',
  'scope_unknown',
  'events_unreadable',
  'search_cut',
  'other_session_seen',
  'service_acted_after_end',
  'credentials_obtained',
  'reuse_recorded_before',
  'no_credential_recorded',
  'issue_record_missing',
] as const;
export type OpenReason = (typeof OPEN_REASONS)[number];

/** What the operator said and capwrap did not see. */
export const STATEMENTS = ['complete', 'only_regions', 'data_events'] as const;
export type Statement = (typeof STATEMENTS)[number];

export const SEARCH_SOURCES = ['files', 'lookup'] as const;
export type SearchSource = (typeof SEARCH_SOURCES)[number];

/**
 * `after_run`: the lease's key, after the end of its run. `no_child`: the lease's key, although no command was started.
 * `other_session`: another key under the lease's session name, after the run. `obtained`: a credential that was obtained
 * with the lease, after the run.
 */
export const REUSE_KINDS = ['after_run', 'no_child', 'other_session', 'obtained'] as const;
export type ReuseKind = (typeof REUSE_KINDS)[number];

/** How many events of a reuse a record lists; `reuse_seen` counts all of them. */
export const REUSE_LISTED = 12;

export interface ReuseRecord {
  readonly kind: ReuseKind;
  /** RFC 3339, UTC, as CloudTrail has it: whole seconds. */
  readonly time: string;
  readonly event_id: string;
  /** Such as `s3.amazonaws.com:GetObject`. */
  readonly event: string;
  readonly region: string;
  readonly address: string;
  readonly agent: string;
  /** The error that AWS answered with; null for a call that succeeded. */
  readonly error: string | null;
}

/** IAM actions, compared with the actions of the lease's scope; resources are not compared. */
export interface ActionsRecord {
  /** Succeeded at least once. */
  readonly used: readonly string[];
  /** Granted, and in no event of what was searched. */
  readonly never_seen: readonly string[];
  /** Granted, and no event of them could be in what was searched. */
  readonly not_visible: readonly string[];
  /** AWS refused it at least once. */
  readonly refused: readonly string[];
  /** Succeeded although the scope doesn't name it. */
  readonly outside: readonly string[];
  /** Events of which it isn't known which action they took. */
  readonly not_told: readonly string[];
}

export interface SearchRecord {
  readonly source: SearchSource;
  /** Named by the operator; none: every region that the files hold. */
  readonly regions: readonly string[];
  readonly stated: readonly Statement[];
  /** The time in which an event of the lease was looked for. RFC 3339, UTC. */
  readonly from: string;
  readonly until: string;
  /** When it was searched: by AWS's clock where AWS was asked. */
  readonly at: string;
  /** How long after the end of a run an event still counts as the run's. */
  readonly tolerance_seconds: number;
}

/** All of a verdict that is recorded, beside the facts of the lease. */
export interface Reconciliation {
  readonly verdict: Verdict;
  /** True where more events may still come: the credential had not expired, or the delivery delay was not over. */
  readonly provisional: boolean;
  readonly reasons: readonly OpenReason[];
  readonly searched: SearchRecord;
  /** Calls of the lease, each once: its own, those of services for it, and those of what was obtained with it. */
  readonly events_seen: number;
  readonly reuse_seen: number;
  readonly reuse: readonly ReuseRecord[];
  readonly actions: ActionsRecord;
  /** Where its calls came from: a fact, from which nothing is concluded. */
  readonly seen_from: { readonly addresses: readonly string[]; readonly agents: readonly string[] };
}

/** Facts of the lease's own records, as they stand there. */
export type ReconciledLease = Pick<
  AuditFields,
  | 'lease_id'
  | 'task_id'
  | 'actor'
  | 'repo'
  | 'capability'
  | 'provider'
  | 'principal'
  | 'session_name'
  | 'access_key_id'
  | 'expires_at'
>;

/** Why a lease can't be looked for at all. */
export type UnsearchableReason = Extract<OpenReason, 'no_credential_recorded' | 'issue_record_missing'>;

/** The verdict on a lease that can't be looked for: nothing of it was searched, and it never changes. */
export function unsearchableVerdict(
  reason: UnsearchableReason,
): Pick<Reconciliation, 'verdict' | 'provisional' | 'reasons'> {
  return { verdict: 'unverifiable', provisional: false, reasons: [reason] };
}

/** `mask` is for what the caller of AWS chose. */
export function reconciledRecord(
  lease: ReconciledLease,
  found: Reconciliation,
  mask: (text: string) => string,
): AuditFields {
  const { reuse, seen_from, ...rest } = found;
  return {
    event: 'reconciled',
    ...lease,
    ...rest,
    reuse: reuse.slice(0, REUSE_LISTED).map((event) => ({ ...event, agent: mask(event.agent) })),
    seen_from: { addresses: seen_from.addresses, agents: seen_from.agents.map(mask) },
  };
}

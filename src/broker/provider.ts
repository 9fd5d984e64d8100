/** The contract that every issuer fulfils: issue, end with a probe, and preview for `explain`. */
import type { ApprovalKind, Capability, ProviderConfig } from '../policy/capability.ts';

/** One value of a lease. Secret values are masked everywhere; public ones may be recorded. */
export interface LeaseValue {
  readonly value: string;
  readonly secret: boolean;
}

/** A credential that was issued. It lives in memory only. */
export interface Lease {
  readonly leaseId: string;
  readonly provider: ProviderConfig['provider'];
  /** Values by the provider's own names (`access_key_id`, `token`, …). */
  readonly values: Readonly<Record<string, LeaseValue>>;
  /** Child variable → name in `values`, used where the map has no `inject`. */
  readonly defaultInject: Readonly<Record<string, string>>;
  /** When the issuer lets it expire. */
  readonly expiresAt: Date;
  /** Who the credential speaks as, as the issuer said. */
  readonly principal: string;
  /** What it may do, as short words for event lines and records. */
  readonly scope: readonly string[];
  /** Public facts of this lease for the record: `session_name`, `access_key_id`, `jti`, … */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** Things the operator should read, each one line (clock skew, policy nearly full). */
  readonly warnings: readonly string[];
}

/** What a provider gets to issue from: an allowed request, after approval. */
export interface IssueRequest {
  readonly leaseId: string;
  readonly capability: Capability;
  /** Seconds granted. */
  readonly ttl: number;
  /** capwrap's own end of the grant: start + ttl. */
  readonly deadline: Date;
  readonly approval: ApprovalKind;
  readonly actor: string;
  readonly taskId: string;
}

/** What a provider may use of the world. */
export interface BrokerContext {
  /** The caller's variables; a source reads only the names it documents. */
  readonly env: Readonly<Record<string, string>>;
  /** Directory of capwrap's state (keys of the local issuer). */
  readonly stateDir: string;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Tells the masker of a secret before anything can print it; also for proofs that never reach the child. */
  readonly registerSecret: (name: string, value: string) => void;
}

export const OUTCOMES = [
  'revoked_verified',
  'revoked_unverified',
  'revoke_failed',
  'expires',
  'expired',
  'not_issued',
] as const;
/** How a lease ended, as observed. */
export type Outcome = (typeof OUTCOMES)[number];

/** What was done and seen at the end of a lease; goes to the record as it is. */
export interface Revocation {
  readonly outcome: Exclude<Outcome, 'not_issued'>;
  /** The step that was taken at the issuer, or null where it has none. */
  readonly end: string | null;
  /** What the probe saw, or null where there is none. */
  readonly probe: string | null;
  /** Why an end failed, masked, one line; null where none failed. */
  readonly error: string | null;
}

/** A module for one issuer. */
export interface Provider {
  /**
   * Obtains a fresh credential that meets the grant. Throws a CapwrapError whose message says what to change.
   * Never retries a request that may have succeeded.
   */
  issue(request: IssueRequest, context: BrokerContext): Promise<Lease>;
  /** Ends the lease as far as the issuer can, and probes it. Never throws. */
  end(lease: Lease, context: BrokerContext): Promise<Revocation>;
  /** What would be sent to the issuer, for `explain`; offline, contains no secret. */
  preview(request: IssueRequest): Readonly<Record<string, unknown>>;
}

/** What an audit record may say. Records are built field by field from this list, so none can hold a secret. */

import type { ApprovalGrade } from '../../base/approval-grade.ts';
import type { MapTrust } from '../../base/map-trust.ts';
import type { LeaseHandle, Outcome, Revocation } from '../../broker/provider.ts';
import type { CapwrapError } from '../../errors.ts';
import type { Facts } from '../../request/facts.ts';
import type { DeliveryKind } from '../../runner/delivery.ts';
import type { EndReason } from '../../runner/ending.ts';
import type { TerminalMode } from '../../runner/outputs.ts';
import type { LogBook } from '../log/book.ts';
import type { Reconciliation } from './reconciled-record.ts';

export const AUDIT_EVENTS = [
  'denied',
  'granted',
  'issued',
  'closed',
  'approval_requested',
  'approval_given',
  'approval_denied',
  'trusted',
  'untrusted',
  'lease_ended',
  'recovered',
  'rotated',
  'retired',
  'reconciled',
] as const;
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** How the child ended: the raw pair, because 143 from `exit 143` and from SIGTERM look alike outside. */
interface ChildRecord {
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly duration_ms: number;
}

/** The fields of a record. `timestamp`, `seq`, `prev`, `hash`, `host`, `pid` and `version` are added by the log. */
export interface AuditFields {
  readonly event: AuditEvent;
  readonly task_id?: string;
  readonly actor?: string | null;
  readonly repo?: string | null;
  readonly branch?: string | null;
  readonly commit?: string | null;
  readonly environment?: string | null;
  readonly capability?: string;
  readonly lease_id?: string;
  readonly parent_lease_id?: string;
  readonly provider?: string;
  readonly scope?: readonly string[];
  readonly ttl_seconds?: number;
  readonly ttl_requested?: number;
  readonly approval?: 'none' | 'granted' | 'denied';
  readonly approval_grade?: ApprovalGrade;
  readonly approval_id?: string;
  /** The program of the map that handed the request to the approvers. */
  readonly asked_through?: readonly string[];
  readonly approver?: string;
  /** Fingerprint of the key that signed. */
  readonly approver_key?: string;
  /** How many runs the approval permits, and until when. RFC 3339, UTC. */
  readonly approval_uses?: number;
  readonly approval_until?: string;
  /** What was said with a denial. */
  readonly said?: string;
  readonly justification?: string | null;
  readonly facts?: Facts;
  readonly map_path?: string;
  readonly map_sha256?: string;
  readonly map_trust?: MapTrust | 'untrusted';
  /** Digest of the version that was trusted before; null for the first. */
  readonly replaces_sha256?: string | null;
  /** How many changes against that version widen what the map allows. */
  readonly widening?: number;
  /** True where the lineage was dropped, too: nobody has to approve the next version. */
  readonly forgotten?: boolean;
  readonly rule?: string | null;
  /** Stable reason key of a denial. */
  readonly reason?: string;
  readonly command?: readonly string[];
  readonly command_path?: string | null;
  readonly cwd?: string;
  /** RFC 3339, UTC. */
  readonly deadline?: string;
  /** RFC 3339, UTC. */
  readonly expires_at?: string;
  readonly principal?: string;
  readonly session_name?: string;
  readonly access_key_id?: string;
  readonly jti?: string;
  /** Base64 of the token's SHA-256: by it GitHub's audit log names the token. */
  readonly hashed_token?: string;
  readonly source?: string;
  /** True where the proof was a key without an expiry, which the map allows by name. */
  readonly long_lived_source?: boolean;
  /** True where a program of the map issues, or has the proof: a run like this starts more than the command. */
  readonly second_process?: boolean;
  readonly clock_skew_seconds?: number;
  /** The process that holds the lease, as lock-holder.ts writes it: tells later whether it still runs. */
  readonly owner?: string;
  /** By what another process can end the lease: names of it at the issuer, never a credential. */
  readonly handle?: LeaseHandle;
  /** Ways beside variables in which the child gets the lease, and where its files lie. */
  readonly delivery?: readonly DeliveryKind[];
  readonly child?: ChildRecord;
  /** Replacements by stream. */
  readonly masked?: { readonly stdout: number; readonly stderr: number };
  /** Secret values that were too short to be masked, by name. */
  readonly unmasked?: readonly string[];
  readonly outcome?: Outcome;
  readonly revocation?: Revocation;
  readonly time_limit_reached?: boolean;
  /** Why capwrap asked the child to end, where it did. */
  readonly end_reason?: EndReason;
  /** How the child had the terminal, where its output went to one. */
  readonly terminal?: TerminalMode;
  /** Code and masked message of the error that ended the run. */
  readonly error?: { readonly code: string; readonly message: string };
  /** Length and hash of a torn tail that was set aside. */
  readonly recovered?: { readonly bytes: number; readonly sha256: string; readonly file: string };
  /** The file that became an archive, and its records. */
  readonly rotated?: {
    readonly file: string;
    readonly first: number;
    readonly last: number;
    readonly bytes?: number;
    readonly log_id?: string;
    /** True where the file behind that archive was missing, so that records may be lost. */
    readonly resumed?: boolean;
  };
  /** An archive that retention removes; `hash` is of its last record. */
  readonly retired?: {
    readonly file: string;
    readonly first: number;
    readonly last: number;
    readonly bytes: number;
    readonly hash: string;
  };
  /** What CloudTrail was found to say of the lease. */
  readonly verdict?: Reconciliation['verdict'];
  readonly provisional?: boolean;
  readonly reasons?: Reconciliation['reasons'];
  readonly searched?: Reconciliation['searched'];
  readonly events_seen?: number;
  readonly reuse_seen?: number;
  readonly reuse?: Reconciliation['reuse'];
  readonly actions?: Reconciliation['actions'];
  readonly seen_from?: Reconciliation['seen_from'];
  /** Where state lives when an override moved it. */
  readonly state_override?: string;
}

export interface AppendOptions<Refusal> {
  /** Settle only once the record would survive a crash of the machine, and once its head was offered to the witnesses. */
  readonly durable?: boolean;
  /**
   * Asked under the log's lock, right before the record is written: an answer other than null
   * keeps the record out. So what it finds in the log still holds when the record stands there.
   */
  readonly unless?: ((book: LogBook) => Refusal | null) | undefined;
  /** Also tell the head behind the record. */
  readonly wantsHead?: boolean;
}

export interface Appended<Refusal> {
  /** Why `unless` kept the record out; null where it is written. */
  readonly refusal: Refusal | null;
  /** The head behind the record, as `headText` writes it; null where nobody wants it. */
  readonly head: string | null;
  /** ERR_AUDIT_WITNESS where a witness that the settings require hasn't got that head; else null. */
  readonly unwitnessed: CapwrapError | null;
}

/** The log as the run sees it: append one record. */
export interface AuditLog {
  readonly path: string;
  append<Refusal = never>(fields: AuditFields, options?: AppendOptions<Refusal>): Promise<Appended<Refusal>>;
}

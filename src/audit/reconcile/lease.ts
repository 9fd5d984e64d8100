/** An AWS session of the audit log, with what its records say that a reconciliation needs. */
import type { ReconciledLease, Verdict } from '../record/reconciled-record.ts';
import { numberAt, type StoredRecord, textAt, textsAt, valueAt } from '../record/stored-record.ts';

export interface AwsLease {
  readonly leaseId: string;
  readonly facts: ReconciledLease;
  readonly accessKeyId: string;
  readonly sessionName: string;
  /** ARN of the session. */
  readonly principal: string;
  readonly partition: string;
  readonly account: string;
  /** Actions of the grant, with IAM's wildcards; null where the record doesn't hold all of them. */
  readonly scope: readonly string[] | null;
  /** By this machine's clock then. */
  readonly issuedAt: Date;
  /** By the issuer's clock. */
  readonly expiresAt: Date;
  /** Seconds that this machine's clock was ahead of the issuer's; null where that isn't known. */
  readonly clockSkew: number | null;
  /** The end of its run, by this machine's clock, and whether a command was started; null where no end is recorded. */
  readonly run: LeaseRun | null;
  /** The last verdict on it; null for none. */
  readonly last: { readonly verdict: Verdict; readonly provisional: boolean } | null;
  /** True where some verdict before was that it was used again. */
  readonly reusedBefore: boolean;
}

export interface LeaseRun {
  readonly endedAt: Date;
  readonly hadChild: boolean;
  /** How long its command ran, by a clock that nobody can set; null where that isn't recorded. */
  readonly childMs: number | null;
}

const KEY_ID = /^ASIA[A-Z0-9]{12,124}$/;
const PRINCIPAL = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/[\w+=,.@-]{1,64}\/([\w+=,.@-]{2,64})$/;

/** A lease of which nothing is known but its `issued` record; null where that doesn't hold what it must. */
export function leaseOf(leaseId: string, issued: StoredRecord): AwsLease | null {
  const accessKeyId = textAt(issued, 'access_key_id') ?? '';
  const principal = textAt(issued, 'principal') ?? '';
  const [, partition = '', account = '', sessionName = ''] = PRINCIPAL.exec(principal) ?? [];
  const issuedAt = timeAt(issued, 'timestamp');
  const expiresAt = timeAt(issued, 'expires_at');
  if (!KEY_ID.test(accessKeyId) || sessionName === '' || !issuedAt || !expiresAt) return null;
  return {
    leaseId,
    facts: factsOf(leaseId, issued),
    accessKeyId,
    sessionName,
    principal,
    partition,
    account,
    scope: scopeOf(issued),
    issuedAt,
    expiresAt,
    clockSkew: numberAt(issued, 'clock_skew_seconds') ?? null,
    run: null,
    last: null,
    reusedBefore: false,
  };
}

/** The lease, with what its `closed` record says of its run. */
export function withRun(lease: AwsLease, closed: StoredRecord): AwsLease {
  const endedAt = timeAt(closed, 'timestamp');
  const hadChild = valueAt(closed, 'child') !== undefined;
  const childMs = numberAt(closed, 'child', 'duration_ms') ?? null;
  return { ...lease, run: endedAt && { endedAt, hadChild, childMs } };
}

/** The lease, with a verdict that was recorded on it. */
export function withVerdict(lease: AwsLease, reconciled: StoredRecord): AwsLease {
  const verdict = textAt(reconciled, 'verdict') as Verdict;
  const last = { verdict, provisional: valueAt(reconciled, 'provisional') !== false };
  return { ...lease, last, reusedBefore: lease.reusedBefore || verdict === 'reuse_detected' };
}

const FACTS = [
  'task_id',
  'actor',
  'repo',
  'capability',
  'provider',
  'principal',
  'session_name',
  'access_key_id',
  'expires_at',
] as const;

/** What a verdict repeats of a record of the lease. */
export function factsOf(leaseId: string, issued: StoredRecord): ReconciledLease {
  const known = FACTS.map((name) => [name, textAt(issued, name)] as const);
  return { lease_id: leaseId, ...Object.fromEntries(known.filter(([, value]) => value !== undefined)) };
}

function scopeOf(issued: StoredRecord): readonly string[] | null {
  return valueAt(issued, 'cut', 'scope') === undefined ? (textsAt(issued, 'scope') ?? null) : null;
}

/** A record's moment; null where there is none. */
export function timeAt(record: StoredRecord, name: string): Date | null {
  const time = new Date(textAt(record, name) ?? '');
  return Number.isNaN(time.getTime()) ? null : time;
}

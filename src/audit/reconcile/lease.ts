/** The AWS sessions of the audit log, with what their records say that a reconciliation needs. */
import type { LogBook } from '../log/book.ts';
import type { ReconciledLease, Verdict } from '../record/reconciled-record.ts';
import {
  numberAt,
  parseRecord,
  type StoredRecord,
  textAt,
  textsAt,
  valueAt,
} from '../record/stored-record.ts';

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
  readonly run: { readonly endedAt: Date; readonly hadChild: boolean } | null;
  /** The last verdict on it; null for none. */
  readonly last: { readonly verdict: Verdict; readonly provisional: boolean } | null;
}

export interface LeaseScan {
  /** First issued first. */
  readonly leases: readonly AwsLease[];
  /** AWS leases of which no credential is recorded: the run died, or refused what it got. */
  readonly withoutCredential: number;
  /** Leases of other providers, which CloudTrail doesn't know. */
  readonly ofOthers: number;
  /** Lines that are no record, and leases whose records don't hold what they must. */
  readonly unreadable: number;
}

/** Reads the whole log: an end or a verdict can stand long behind the lease. */
export function awsLeases(book: Pick<LogBook, 'lines'>): LeaseScan {
  const found = new Map<string, Records>();
  let ofOthers = 0;
  let unreadable = 0;
  for (const { bytes, ended } of book.lines()) {
    const [, event] = HEAD.exec(bytes.toString('latin1', 0, 80)) ?? [];
    if (!ended || (event !== undefined && !TELLING.has(event))) continue;
    if (event !== undefined && !bytes.includes(AWS)) {
      if (event === 'issued') ofOthers++;
      continue;
    }
    const record = parseRecord(bytes);
    const leaseId = record === null ? undefined : textAt(record, 'lease_id');
    if (record === null) unreadable++;
    if (record === null || leaseId === undefined || textAt(record, 'provider') !== 'aws-sts') continue;
    const kind = textAt(record, 'event') as keyof Records;
    if (TELLING.has(kind)) found.set(leaseId, { ...found.get(leaseId), [kind]: record });
  }
  const leases: AwsLease[] = [];
  let withoutCredential = 0;
  for (const [leaseId, records] of found) {
    if (records.issued === undefined) {
      if (mayHaveBeenIssued(records)) withoutCredential++;
      continue;
    }
    const lease = toLease(leaseId, records.issued, records);
    if (lease === null) unreadable++;
    else leases.push(lease);
  }
  return {
    leases: leases.sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime()),
    withoutCredential,
    ofOthers,
    unreadable,
  };
}

/** The last record of each kind. */
interface Records {
  readonly granted?: StoredRecord;
  readonly issued?: StoredRecord;
  readonly closed?: StoredRecord;
  readonly reconciled?: StoredRecord;
}

const TELLING = new Set<string>(['granted', 'issued', 'closed', 'reconciled']);

/** Told by the first bytes of a line, since parsing each takes far longer. A line that begins otherwise is looked at. */
const HEAD = /^\{"timestamp":"[^"]*","event":"([a-z_]+)"/;

/** As a record has it; inside a text the quotes would be escaped. */
const AWS = '"provider":"aws-sts"';

function mayHaveBeenIssued({ granted, closed }: Records): boolean {
  return granted !== undefined && (closed === undefined || textAt(closed, 'outcome') !== 'not_issued');
}

const KEY_ID = /^ASIA[A-Z0-9]{12,124}$/;
const PRINCIPAL = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/[\w+=,.@-]{1,64}\/([\w+=,.@-]{2,64})$/;

function toLease(leaseId: string, issued: StoredRecord, { closed, reconciled }: Records): AwsLease | null {
  const accessKeyId = textAt(issued, 'access_key_id') ?? '';
  const principal = textAt(issued, 'principal') ?? '';
  const [, partition = '', account = '', sessionName = ''] = PRINCIPAL.exec(principal) ?? [];
  const issuedAt = timeAt(issued, 'timestamp');
  const expiresAt = timeAt(issued, 'expires_at');
  const endedAt = closed === undefined ? null : timeAt(closed, 'timestamp');
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
    run: closed && endedAt ? { endedAt, hadChild: valueAt(closed, 'child') !== undefined } : null,
    last: lastOf(reconciled),
  };
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

function factsOf(leaseId: string, issued: StoredRecord): ReconciledLease {
  const known = FACTS.map((name) => [name, textAt(issued, name)] as const);
  return { lease_id: leaseId, ...Object.fromEntries(known.filter(([, value]) => value !== undefined)) };
}

function scopeOf(issued: StoredRecord): readonly string[] | null {
  return valueAt(issued, 'cut', 'scope') === undefined ? (textsAt(issued, 'scope') ?? null) : null;
}

function lastOf(reconciled: StoredRecord | undefined): AwsLease['last'] {
  if (reconciled === undefined) return null;
  const verdict = textAt(reconciled, 'verdict') as Verdict;
  return { verdict, provisional: valueAt(reconciled, 'provisional') !== false };
}

function timeAt(record: StoredRecord, name: string): Date | null {
  const time = new Date(textAt(record, name) ?? '');
  return Number.isNaN(time.getTime()) ? null : time;
}

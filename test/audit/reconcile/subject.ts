/** The lease of the samples, and what a search for it found. */
import { parseTrailEvent } from '../../../src/audit/reconcile/event.ts';
import { judge } from '../../../src/audit/reconcile/judge.ts';
import type { AwsLease } from '../../../src/audit/reconcile/lease.ts';
import { type Search, Witness } from '../../../src/audit/reconcile/search.ts';
import { Gathering } from '../../../src/audit/reconcile/sightings.ts';
import type { Reconciliation, Statement } from '../../../src/audit/record/reconciled-record.ts';
import { readIamActions } from '../../../src/policy/lint/iam-file.ts';
import { ACCOUNT, KEY, PRINCIPAL, type RawEvent, SESSION } from '../../issuers/cloudtrail/events.ts';

export const LEASE: AwsLease = {
  leaseId: '9f8c6b6a41d2e07c',
  facts: { lease_id: '9f8c6b6a41d2e07c', capability: 'publish-preview-build', provider: 'aws-sts' },
  accessKeyId: KEY,
  sessionName: SESSION,
  principal: PRINCIPAL,
  partition: 'aws',
  account: ACCOUNT,
  scope: ['s3:PutObject', 'cloudfront:CreateInvalidation'],
  issuedAt: new Date('2026-03-01T12:00:02.000Z'),
  expiresAt: new Date('2026-03-01T12:15:00.000Z'),
  clockSkew: 0,
  run: { endedAt: new Date('2026-03-01T12:00:05.000Z'), hadChild: true, childMs: null },
  last: null,
  reusedBefore: false,
};

export interface Case {
  readonly lease?: Partial<AwsLease>;
  readonly search?: Partial<Search>;
}

const ALL_STATED: ReadonlySet<Statement> = new Set<Statement>(['complete', 'data_events']);

/** The verdict on these events, from files of which everything was said, an hour later. */
export function verdictOn(
  events: readonly RawEvent[],
  { lease = {}, search = {} }: Case = {},
): Reconciliation {
  const subject = { ...LEASE, ...lease };
  const witness = new Witness();
  const gathering = new Gathering([subject]);
  const parsed = events.map((event) => parseTrailEvent(event)).filter((event) => event !== null);
  do {
    for (const event of parsed) {
      witness.see(event);
      gathering.take(event);
    }
  } while (gathering.takeGrown());
  const found: Search = {
    source: 'files',
    regions: [],
    stated: ALL_STATED,
    at: new Date('2026-03-01T13:00:00Z'),
    unreadable: false,
    cut: false,
    witness,
    ...search,
  };
  return judge(subject, gathering.of(subject), found, IAM);
}

const IAM = readIamActions();

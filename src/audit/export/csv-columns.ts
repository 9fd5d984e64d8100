/** The columns of an exported table. Their names are paths: a dot leads into an object. */
import type { AuditRow } from '../leases/row.ts';
import { RECORD_FIELDS } from '../record/build-record.ts';
import { type StoredRecord, valueAt } from '../record/stored-record.ts';

const OF_A_ROW = ['status', 'started', 'ended'] as const;

/** Of the records of a lease, the last one that has the field. `seq` and `hash` are those of the lease's last record. */
const OF_A_LEASE = [
  'lease_id',
  'parent_lease_id',
  'capability',
  'task_id',
  'actor',
  'repo',
  'branch',
  'commit',
  'environment',
  'provider',
  'scope',
  'ttl_requested',
  'ttl_seconds',
  'approval',
  'approval_grade',
  'approver',
  'approval_id',
  'justification',
  'rule',
  'reason',
  'command',
  'cwd',
  'map_path',
  'map_sha256',
  'map_trust',
  'principal',
  'session_name',
  'access_key_id',
  'jti',
  'deadline',
  'expires_at',
  'outcome',
  'revocation.end',
  'revocation.probe',
  'revocation.error',
  'child.exit_code',
  'child.signal',
  'child.duration_ms',
  'masked.stdout',
  'masked.stderr',
  'end_reason',
  'error.code',
  'error.message',
  'host',
  'version',
  'seq',
  'hash',
];

export const LEASE_COLUMNS: readonly string[] = [...OF_A_ROW, ...OF_A_LEASE];

/** Every field that a record can have. */
export const RECORD_COLUMNS = RECORD_FIELDS;

export function leaseValues(row: AuditRow): unknown[] {
  return [...OF_A_ROW.map((name) => row[name]), ...valuesAt(row.record, OF_A_LEASE)];
}

export function recordValues(record: StoredRecord): unknown[] {
  return valuesAt(record, RECORD_COLUMNS);
}

function valuesAt(record: StoredRecord, paths: readonly string[]): unknown[] {
  return paths.map((path) => valueAt(record, ...path.split('.')));
}

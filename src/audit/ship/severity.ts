/** How much a record matters to somebody who watches: the severity of its OpenTelemetry log record. */
import { type StoredRecord, textAt, valueAt } from '../record/stored-record.ts';

/** Numbers of the OpenTelemetry log data model. */
export const SEVERITIES = { INFO: 9, WARN: 13, ERROR: 17 } as const;
export type Severity = keyof typeof SEVERITIES;

/**
 * ERROR: a secret got out, a credential may still live that should not, or one was used after its end. WARN: somebody was
 * refused, a run or a witness had a fault, or capwrap found the log other than it had left it. INFO: all else.
 */
export function severityOf(record: StoredRecord): Severity {
  const [event = '', outcome, verdict] = ['event', 'outcome', 'verdict'].map((name) => textAt(record, name));
  const leaked = textAt(record, 'end_reason') === 'leak';
  if (leaked || outcome === 'revoke_failed' || verdict === 'reuse_detected') return 'ERROR';
  const found = WARNING_FIELDS.some((name) => record[name] !== undefined);
  const resumed = valueAt(record, 'rotated', 'resumed') === true;
  return found || resumed || WARNING_EVENTS.has(event) ? 'WARN' : 'INFO';
}

const WARNING_EVENTS: ReadonlySet<string> = new Set(['denied', 'approval_denied', 'recovered']);
const WARNING_FIELDS = ['error', 'repaired_mode', 'repaired_dir_mode', 'witness_error'];

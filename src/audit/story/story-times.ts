/** What only several records together can say: how long something took. */
import { formatDuration } from '../../base/duration.ts';
import { numberAt, type StoredRecord, textAt } from '../record/stored-record.ts';

/** Sentences about a record, from it and those before it. */
export function sayTimes(record: StoredRecord, before: readonly StoredRecord[]): string[] {
  const event = textAt(record, 'event');
  if (event === 'approval_given' || event === 'approval_denied') {
    const id = textAt(record, 'approval_id');
    const asked = before.find(
      (each) => textAt(each, 'event') === 'approval_requested' && textAt(each, 'approval_id') === id,
    );
    return asked ? [`the answer took ${timeBetween(asked, record)}`] : [];
  }
  if (event !== 'closed') return [];
  const issued = before.findLast((each) => textAt(each, 'event') === 'issued');
  const ttl = numberAt(issued ?? {}, 'ttl_seconds');
  if (!issued) return [];
  const granted = ttl === undefined ? '' : `, of ${formatDuration(ttl)} granted`;
  return [`the lease was open for ${timeBetween(issued, record)}${granted}`];
}

/** With milliseconds below ten seconds, else whole. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'a time not recorded';
  return seconds < 10 ? `${Number(seconds.toFixed(3))}s` : formatDuration(Math.round(seconds));
}

function timeBetween(from: StoredRecord, to: StoredRecord): string {
  const at = (record: StoredRecord) => Date.parse(textAt(record, 'timestamp') ?? '');
  return formatSeconds((at(to) - at(from)) / 1000);
}

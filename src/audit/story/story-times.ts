/** What only several records together can say: how long something took. */
import { formatDuration } from '../../base/duration.ts';
import { numberAt, type StoredRecord, textAt } from '../record/stored-record.ts';

/** Sentences about each of a lease's records, given first to last. */
export function timesTeller(): (record: StoredRecord) => string[] {
  const asked = new Map<string | undefined, StoredRecord>();
  let issued: StoredRecord | null = null;
  return (record) => {
    const event = textAt(record, 'event');
    const id = textAt(record, 'approval_id');
    if (event === 'approval_requested') asked.set(id, record);
    if (event === 'issued') issued = record;
    const request = event === 'approval_given' || event === 'approval_denied' ? asked.get(id) : undefined;
    if (request) return [`the answer took ${timeBetween(request, record)}`];
    if (event !== 'closed' || issued === null) return [];
    const ttl = numberAt(issued, 'ttl_seconds');
    const granted = ttl === undefined ? '' : `, of ${formatDuration(ttl)} granted`;
    return [`the lease was open for ${timeBetween(issued, record)}${granted}`];
  };
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

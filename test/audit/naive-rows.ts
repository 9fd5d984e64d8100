/** The list of rows, made the plain way: every line is parsed, and everything is held. */
import type { LogBook } from '../../src/audit/log/book.ts';
import { parseRecord, type StoredRecord, textAt } from '../../src/audit/record/stored-record.ts';

interface NaiveRow {
  readonly status: string;
  readonly started: string;
  readonly ended: string | null;
  readonly record: StoredRecord;
}

const LEASE_EVENTS = ['granted', 'issued', 'closed', 'lease_ended'];

/** All rows, first granted first; `wanted` keeps those whose joined record it likes. */
export function naiveRows(book: LogBook, wanted: (record: StoredRecord) => boolean): NaiveRow[] {
  const rows: NaiveRow[] = [];
  const open = new Map<string, StoredRecord[]>();
  const add = (records: readonly StoredRecord[]) => {
    const record: StoredRecord = Object.assign(Object.create(null), ...records);
    if (wanted(record)) rows.push({ ...standing(records), record });
  };
  for (const line of [...book.lines()].reverse()) {
    const record = parseRecord(line.bytes);
    if (record === null) continue;
    const lease = textAt(record, 'lease_id');
    const event = textAt(record, 'event') ?? '';
    if (lease === undefined || !LEASE_EVENTS.includes(event)) {
      if (event === 'denied') add([record]);
      continue;
    }
    const records = [record, ...(open.get(lease) ?? [])];
    open.set(lease, records);
    if (event !== 'granted') continue;
    open.delete(lease);
    add(records);
  }
  for (const records of open.values()) add(records);
  return rows.reverse();
}

function standing(records: readonly StoredRecord[]): Omit<NaiveRow, 'record'> {
  const time = (record: StoredRecord | undefined) => textAt(record ?? {}, 'timestamp') ?? '';
  const of = (...events: string[]) =>
    records.findLast((record) => events.includes(textAt(record, 'event') ?? ''));
  const end = of('closed', 'lease_ended');
  const status = of('denied') ? 'denied' : of('closed') ? 'closed' : end ? 'ended' : 'unfinished';
  return { status, started: time(records[0]), ended: end ? time(end) : null };
}

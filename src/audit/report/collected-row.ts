/** A lease that was collected, as the filter looks at it. */
import { statusOf } from '../leases/row.ts';
import type { JudgedRow } from '../leases/row-filter.ts';
import { RECORD_FIELDS } from '../record/build-record.ts';
import type { StoredRecord } from '../record/stored-record.ts';
import type { RecordStore } from './record-store.ts';

/** Each lease of the log has one of these, once. */
export const STARTS = new Set(['granted', 'denied']);

/** `records` are its places in the store, in order. */
export function asRow(store: RecordStore, records: readonly number[]): JudgedRow {
  const textOf = (record: number, name: string) => {
    const value = store.value(record, name);
    return typeof value === 'string' ? value : '';
  };
  const events = records.map((record) => textOf(record, 'event'));
  const start = Math.max(
    0,
    events.findIndex((event) => STARTS.has(event)),
  );
  return {
    events,
    status: statusOf(events),
    started: textOf(records[start] ?? 0, 'timestamp'),
    value: (name) => records.map((record) => store.value(record, name)).findLast((value) => value != null),
    recordOf(event) {
      const record = records[events.lastIndexOf(event)];
      return record === undefined ? undefined : storedFields(store, record);
    },
  };
}

/** Those fields of a record that are no objects. */
function storedFields(store: RecordStore, record: number): StoredRecord {
  const fields = RECORD_FIELDS.map((name) => [name, store.value(record, name)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** Secrets that got into a child's output. */
import { numberAt, type StoredRecord } from './stored-record.ts';

/** How often one was masked there, by the record that closed the lease. */
export function leaksIn(closed: StoredRecord): number {
  return (numberAt(closed, 'masked', 'stdout') ?? 0) + (numberAt(closed, 'masked', 'stderr') ?? 0);
}

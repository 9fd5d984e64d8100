/** Whether a secret was in the output of a run: one meaning for every reader of the log. */
import { numberAt, type StoredRecord, textAt } from './stored-record.ts';

/** How often a secret value stood in the child's output, by the record that closed the lease. */
export function leaksIn(closed: StoredRecord): number {
  return (numberAt(closed, 'masked', 'stdout') ?? 0) + (numberAt(closed, 'masked', 'stderr') ?? 0);
}

/** True where one did, whether the run went on with it masked or was ended for it. */
export function isLeaked(closed: StoredRecord): boolean {
  return (
    leaksIn(closed) > 0 ||
    textAt(closed, 'end_reason') === 'leak' ||
    textAt(closed, 'error', 'code') === 'ERR_LEAK'
  );
}

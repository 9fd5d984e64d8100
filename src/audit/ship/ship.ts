/** Sends to a collector what stands in the log behind the cursor, batch by batch, and moves the cursor behind each. */
import { abortableWait } from '../../base/abortable-wait.ts';
import { CapwrapError } from '../../errors.ts';
import { logIdOf } from '../anchor/head.ts';
import { withBook } from '../log/book.ts';
import { BATCH_LIMITS, type Batch, batchesOf } from './batch.ts';
import { type ShipCursor, writeCursor } from './cursor.ts';
import { type DeliverJob, type DeliverNews, deliver, type TakenBatch } from './deliver.ts';
import { replaced, unsentRecords } from './unsent.ts';

export interface ShipJob extends Omit<DeliverJob, 'tell'> {
  /** Path of the log's current file. */
  readonly log: string;
  readonly cursorFile: string;
  /** Between two looks at the log, in milliseconds. */
  readonly lookMs: number;
  readonly tell: (news: ShipNews) => void;
}

/** What somebody who watches wants to know at once. */
export type ShipNews =
  | DeliverNews
  | { readonly kind: 'missed'; readonly first: number; readonly last: number }
  | { readonly kind: 'rejected'; readonly count: number; readonly batch: Batch; readonly said: string | null }
  | { readonly kind: 'warning'; readonly said: string };

export interface Shipped {
  readonly cursor: ShipCursor;
  /** Accepted by this call; of these the collector rejected, and before them the log lacked, so many. */
  readonly records: number;
  readonly rejected: number;
  readonly missed: number;
  /** False where it was told to stop before everything was sent. */
  readonly complete: boolean;
}

/**
 * Resolves once everything is sent, or once it is told to stop. The cursor moves only behind what was accepted; what was
 * sent without an answer is sent again as the same batch. Throws ERR_AUDIT_UNSAFE as `unsentRecords`,
 * ERR_COLLECTOR_UNAVAILABLE for a collector that stays away (never where the job goes on), ERR_COLLECTOR_REFUSED for an
 * answer that no waiting changes.
 */
export async function ship(job: ShipJob, start: ShipCursor): Promise<Shipped> {
  const state: State = { cursor: start, records: 0, mostRecords: BATCH_LIMITS.records, doubtful: false };
  let outcome: RoundOutcome = 'again';
  while (!job.stop.aborted) {
    outcome = await shipRound(job, state);
    if (outcome === 'again') continue;
    if (!job.follow) break;
    await abortableWait(job.lookMs, job.stop);
  }
  return {
    cursor: state.cursor,
    records: state.records,
    rejected: state.cursor.rejected - start.rejected,
    missed: state.cursor.missed - start.missed,
    complete: outcome === 'complete',
  };
}

interface State {
  cursor: ShipCursor;
  records: number;
  /** Less after a collector said that a batch was too large. */
  mostRecords: number;
  /** True after a look at the log that met a line it can't send: archives may have been removed during that look. */
  doubtful: boolean;
}

/** `again`: the log is to be looked at anew, since it has grown, or been rotated, in between. */
type RoundOutcome = 'complete' | 'again' | 'stopped';

async function shipRound(job: ShipJob, state: State): Promise<RoundOutcome> {
  const { head } = state.cursor;
  const outcome = await withBook(job.log, async (book): Promise<RoundOutcome> => {
    const limits = { ...BATCH_LIMITS, records: state.mostRecords };
    const batches = batchesOf(unsentRecords(book, state.cursor), limits, state.cursor.sending);
    const logId = state.cursor.logId ?? logIdOf(book);
    try {
      for (const batch of batches) {
        const sent = await sendBatch(job, state, batch, logId);
        if (sent !== 'accepted') return sent;
      }
    } catch (error) {
      if (!(error instanceof CapwrapError && error.code === 'ERR_AUDIT_UNSAFE')) throw error;
      const moved = state.cursor.head.seq !== head.seq;
      if (!moved && state.doubtful) throw error;
      state.doubtful = !moved;
      return 'again';
    }
    state.doubtful = false;
    if (logId !== state.cursor.logId) move(job, state, { ...state.cursor, logId });
    return state.cursor.head.seq === head.seq ? 'complete' : 'again';
  });
  if (outcome === null && head.seq > 0) throw replaced(head);
  return outcome ?? 'complete';
}

/** The cursor says first what is sent: should this process die, the next one sends that batch again, and no other. */
async function sendBatch(
  job: ShipJob,
  state: State,
  batch: Batch,
  logId: string | null,
): Promise<'accepted' | 'again' | 'stopped'> {
  if (job.stop.aborted) return 'stopped';
  const { missed, first, last } = batch;
  if (missed > 0) job.tell({ kind: 'missed', first: first - missed, last: first - 1 });
  move(job, state, { ...state.cursor, logId, sending: last.seq });
  const answer = await deliver(job, batch);
  if (answer === 'stopped') return 'stopped';
  if (answer === 'too_large') {
    state.mostRecords = Math.ceil(batch.count / 2);
    move(job, state, { ...state.cursor, sending: null });
    return 'again';
  }
  accept(job, state, batch, answer);
  return 'accepted';
}

function accept(job: ShipJob, state: State, batch: Batch, { rejected, said }: TakenBatch): void {
  const { cursor } = state;
  move(job, state, {
    ...cursor,
    head: batch.last,
    acceptedAt: new Date().toISOString(),
    sending: null,
    rejected: cursor.rejected + rejected,
    missed: cursor.missed + batch.missed,
  });
  state.records += batch.count;
  if (rejected > 0) job.tell({ kind: 'rejected', count: rejected, batch, said });
  else if (said !== null) job.tell({ kind: 'warning', said });
}

function move(job: ShipJob, state: State, cursor: ShipCursor): void {
  writeCursor(job.cursorFile, cursor);
  state.cursor = cursor;
}

/** Sends one batch until the collector has answered it for good. */
import { abortableWait } from '../../base/abortable-wait.ts';
import { CapwrapError } from '../../errors.ts';
import type { Batch } from './batch.ts';
import { type Collector, compress, sendLogs } from './collector.ts';

export interface DeliverJob {
  readonly collector: Collector;
  /** Wait for a collector that is away for as long as it takes. */
  readonly follow: boolean;
  readonly pauses: Pauses;
  /** No further request once it is aborted. */
  readonly stop: AbortSignal;
  /** Cuts off a request that is under way; aborted after `stop`. */
  readonly cut: AbortSignal;
  readonly tell: (news: DeliverNews) => void;
}

export type DeliverNews = { readonly kind: 'away'; readonly why: string } | { readonly kind: 'back' };

/** In milliseconds. */
export interface Pauses {
  /** Before the second attempt; each further pause is twice as long, up to `longest`. */
  readonly first: number;
  readonly longest: number;
  /** What all pauses of one batch may take together, where the job doesn't go on. */
  readonly patience: number;
}

/** What the collector said of a batch that is its own now. */
export interface TakenBatch {
  /** Records of it that it did not take; they must not be sent again. */
  readonly rejected: number;
  readonly said: string | null;
}

/**
 * Sends the same bytes again after a fault of the network and after 429, 502, 503 and 504, when the collector asks for it,
 * else with growing pauses. `stopped` leaves open whether the collector has it. Throws ERR_COLLECTOR_UNAVAILABLE when
 * patience is over, and ERR_COLLECTOR_REFUSED for an answer that no waiting changes.
 */
export async function deliver(job: DeliverJob, batch: Batch): Promise<TakenBatch | 'too_large' | 'stopped'> {
  const { collector, pauses } = job;
  const body = await compress(batch.body);
  let waited = 0;
  for (let attempt = 1; !job.stop.aborted; attempt++) {
    const answer = await sendLogs(collector, body, job.cut);
    if (answer.kind === 'accepted') {
      if (attempt > 1) job.tell({ kind: 'back' });
      return { rejected: Math.min(answer.rejected, batch.count), said: answer.said };
    }
    if (answer.kind === 'too_large') {
      if (batch.count === 1) throw tooLarge(collector, batch);
      return 'too_large';
    }
    if (answer.kind === 'refused') throw fault('ERR_COLLECTOR_REFUSED', answer.why, batch, answer.hint);
    if (job.stop.aborted) break;
    const pause = answer.waitMs === null ? pauseOf(attempt, pauses) : askedPause(answer.waitMs, pauses);
    waited += pause;
    if (!job.follow && waited > pauses.patience) {
      throw fault('ERR_COLLECTOR_UNAVAILABLE', answer.why, batch, NOTHING_LOST);
    }
    if (attempt === 1) job.tell({ kind: 'away', why: answer.why });
    await abortableWait(pause, job.stop);
  }
  return 'stopped';
}

/** Twice as long each time, and never the same for two who were refused together. */
function pauseOf(attempt: number, { first, longest }: Pauses): number {
  return Math.min(first * 2 ** (attempt - 1), longest) * (0.5 + Math.random());
}

/** Neither without a break, nor put off for more than an hour. */
function askedPause(waitMs: number, { first }: Pauses): number {
  return Math.min(Math.max(waitMs, first), 3600_000);
}

const NOTHING_LOST = 'nothing is lost, the next time goes on from there: capwrap audit ship';

function fault(
  code: 'ERR_COLLECTOR_UNAVAILABLE' | 'ERR_COLLECTOR_REFUSED',
  why: string,
  batch: Batch,
  hint: string,
): CapwrapError {
  return new CapwrapError(code, `${why}; ${recordsOf(batch)} and later wait`, { hint });
}

function tooLarge({ endpoint }: Collector, batch: Batch): CapwrapError {
  return new CapwrapError(
    'ERR_COLLECTOR_REFUSED',
    `"${endpoint}" answered 413 to ${recordsOf(batch)} alone: it takes no request of ${Math.ceil(batch.body.length / 1024)} KiB`,
    { hint: 'raise the limit of the collector, or of the proxy before it' },
  );
}

function recordsOf({ first, last }: Batch): string {
  return first === last.seq ? `record ${first}` : `records ${first} to ${last.seq}`;
}

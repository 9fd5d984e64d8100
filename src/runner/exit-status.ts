/** From the child's end to capwrap's own. */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CapwrapError, EXIT_STATUS } from '../errors.ts';
import type { ChildResult } from './run-child.ts';
import type { EndingSignal } from './signals.ts';

/** How capwrap is to end. */
export interface Ended {
  readonly status: number;
  /** The signal to end by, or null to end with `status`. */
  readonly signal: NodeJS.Signals | null;
  /** See `ChildResult.written`; to be awaited before the process ends. */
  readonly written: Promise<string | null>;
}

/**
 * The child's own status, 128 + s for signal s, 124 where the grant's time was over. Without a child: the signal that
 * kept it from being started, or else 125. (An end by a real-time signal reaches Node as status 0.)
 */
export function endOf(child: ChildResult | null, pending: EndingSignal | null): Ended {
  const written = child?.written ?? Promise.resolve(null);
  if (child?.timeLimitReached) return { status: EXIT_STATUS.ERR_TIME_LIMIT, signal: null, written };
  const signal = child ? child.signal : pending;
  if (signal !== null) return { status: 128 + constants.signals[signal], signal, written };
  return { status: child?.exitCode ?? EXIT_STATUS.ERR_INTERNAL, signal: null, written };
}

/**
 * Waits for the output, then ends this process by the child's signal, so that a shell sees what it would have seen
 * of the child (an interrupted loop stops). Returns the status to exit with where there was no signal, where it would
 * write a core file of a process that has held secrets, or where it had no effect (as for process 1).
 * Throws ERR_OUTPUT_WRITE where output was lost and the status would not tell.
 */
export async function endLike({ status, signal, written }: Ended): Promise<number> {
  const lost = await written;
  if (lost !== null && status === 0) {
    throw new CapwrapError('ERR_OUTPUT_WRITE', `the child's output could not be written (${lost})`);
  }
  if (signal === null || WITH_CORE_FILE.has(signal)) return status;
  process.removeAllListeners(signal);
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') {
    // Node ignores SIGPIPE from its start; a listener that comes and goes leaves the default action.
    const listener = () => {};
    process.on(signal, listener).off(signal, listener);
  }
  process.kill(process.pid, signal);
  await sleep(SIGNAL_GRACE_MS);
  return status;
}

/** A signal to oneself arrives at once; the wait is for systems where it doesn't. */
const SIGNAL_GRACE_MS = 100;

/** signal(7), action "Core". */
const WITH_CORE_FILE: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGSYS',
  'SIGXCPU',
  'SIGXFSZ',
]);

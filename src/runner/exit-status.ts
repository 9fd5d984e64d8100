/** From the child's end to capwrap's own. */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { within } from '../base/abortable-wait.ts';
import { CapwrapError, EXIT_STATUS } from '../errors.ts';
import type { ChildResult } from './child-result.ts';
import type { Signals } from './signals.ts';

/** How capwrap is to end. */
export interface Ended {
  readonly status: number;
  /** The signal to end by, or null to end with `status`. */
  readonly signal: NodeJS.Signals | number | null;
  /** True where the child could change the settings of the real terminal. */
  readonly hadTerminal: boolean;
  /** See `ChildResult.written`; to be awaited before the process ends. */
  readonly written: Promise<string | null>;
  /** A signal that asks for an end although the output is not yet written. */
  readonly asked: Promise<NodeJS.Signals>;
}

/**
 * The child's own status, 128 + s for signal s, 124 where the grant's time was over. Without a child: the signal that
 * kept it from being started, or else 125.
 */
export function endOf(
  child: ChildResult | null,
  signals: Pick<Signals, 'pending' | 'askedAfterwards'>,
): Ended {
  const written = child ? writtenInTime(child) : Promise.resolve(null);
  const hadTerminal = child !== null && child.terminal !== 'masked' && [0, 1, 2].some((fd) => isatty(fd));
  const how = { hadTerminal, written, asked: signals.askedAfterwards };
  if (child?.endReason === 'time_limit') return { status: EXIT_STATUS.ERR_TIME_LIMIT, signal: null, ...how };
  const signal = child ? (child.signal ?? child.realTimeSignal) : signals.pending;
  if (signal !== null) return { status: 128 + numberOf(signal), signal, ...how };
  return { status: child?.exitCode ?? EXIT_STATUS.ERR_INTERNAL, signal: null, ...how };
}

/** The number of a signal, which may have no name. */
function numberOf(signal: NodeJS.Signals | number): number {
  return typeof signal === 'number' ? signal : constants.signals[signal];
}

/** The name of the signal that ended a child, be it one that Node has no name for; null where none did. */
export function signalName({ signal, realTimeSignal }: Pick<ChildResult, 'signal' | 'realTimeSignal'>) {
  return signal ?? (realTimeSignal === null ? null : realTimeName(realTimeSignal));
}

/** The name of a real-time signal, as `kill -l` counts them in the C library: the kernel's first two are its own. */
export function realTimeName(signal: number): string {
  return signal < FIRST_FREE ? `SIG${signal}` : `SIGRTMIN+${signal - FIRST_FREE}`;
}
const FIRST_FREE = 34;

/**
 * Waits for the output, then ends this process by the child's signal, so that a shell sees what it would have seen
 * of the child (an interrupted loop stops). Returns the status to exit with where there was no signal, where it would
 * write a core file of a process that has held secrets, or where it had no effect (as for process 1).
 *
 * Where the child had the real terminal only INT is repeated, the one signal that shells treat apart. After the others
 * the status says the same, and a Node that exits sets the terminal as it was at its start: a child that died in raw
 * mode leaves it so.
 *
 * Throws ERR_OUTPUT_WRITE where output was lost and the status would not tell.
 */
export async function endLike(ended: Ended): Promise<number> {
  const { status, signal, hadTerminal } = ended;
  const { lost, asked } = await outputOf(ended);
  if (asked !== null) return endBy(asked, 128 + numberOf(asked));
  if (lost !== null && status === 0) {
    throw new CapwrapError('ERR_OUTPUT_WRITE', `the child's output could not be written (${lost})`);
  }
  if (signal === null) return status;
  if (typeof signal === 'string' && WITH_CORE_FILE.has(signal)) return status;
  if (hadTerminal && signal !== 'SIGINT' && typeof signal === 'string') return status;
  return endBy(signal, status);
}

/** Waits for the output, or for a signal that asks not to. */
export async function outputOf({ written, asked }: Ended): Promise<{
  readonly lost: string | null;
  readonly asked: NodeJS.Signals | null;
}> {
  return Promise.race([
    written.then((lost) => ({ lost, asked: null })),
    asked.then((signal) => ({ lost: null, asked: signal })),
  ]);
}

/** A child that was ended in the middle of its output would have left nothing to wait for. */
async function writtenInTime({ written, signal, endReason }: ChildResult): Promise<string | null> {
  if (signal === null && endReason === null) return written;
  return within(written, LONGEST_WAIT_MS);
}

const LONGEST_WAIT_MS = 1000;

async function endBy(signal: NodeJS.Signals | number, status: number): Promise<number> {
  // An error that nobody foresaw was reported meanwhile, and is what this process ends with.
  if (process.exitCode !== undefined) return status;
  if (typeof signal === 'string') {
    process.removeAllListeners(signal);
    if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') {
      // Node ignores SIGPIPE from its start; a listener that comes and goes leaves the default action.
      const listener = () => {};
      process.on(signal, listener).off(signal, listener);
    }
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

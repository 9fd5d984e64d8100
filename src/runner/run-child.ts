/** Runs the one child of a run, with its output masked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { systemErrorCode } from '../errors.ts';
import type { Redactor } from '../redact/redactor.ts';
import type { StartableCommand } from './command-error.ts';
import { createFdSink, type FdSink } from './fd-sink.ts';
import { inForegroundGroup } from './foreground.ts';
import { childAndDescendants, ownGroup } from './process-tree.ts';
import { pump } from './pump.ts';
import { recheck } from './resolve-command.ts';
import type { Signals } from './signals.ts';
import { enforceTimeLimit } from './time-limit.ts';

export interface RunChildOptions {
  readonly command: StartableCommand;
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly redactors: { readonly stdout: Redactor; readonly stderr: Redactor };
  /** The end of the grant, by the wall clock. */
  readonly deadline: Date;
  /** Milliseconds from TERM to KILL. */
  readonly killAfterMs: number;
  readonly signals: Signals;
  /** Called once the child is there, before any of its output goes out. */
  readonly onStart?: () => void;
  /** Descriptors that the output goes to; 1 and 2 where not given. */
  readonly stdout?: number;
  readonly stderr?: number;
}

export interface ChildResult {
  /** Null where no child was started: a signal came first, or `spawnError`. */
  readonly startedPid: number | null;
  /** The system's code of a failed start (`ENOENT`, `E2BIG`, …), or null. */
  readonly spawnError: string | null;
  readonly exitCode: number | null;
  /** The signal that ended the child, or that kept it from being started. */
  readonly signal: NodeJS.Signals | null;
  readonly durationMs: number;
  /** True where the child was asked to end because the grant's time was over. */
  readonly timeLimitReached: boolean;
  /** Replacements by stream. */
  readonly masked: { readonly stdout: number; readonly stderr: number };
  /**
   * Resolves when all output is written: null, or the code of the error that cut it short (ENOSPC, …); a reader that
   * went away is none. The child has been read empty before that: a slow reader delays neither the end of the lease
   * nor the record.
   */
  readonly written: Promise<string | null>;
}

/**
 * Spawns the command directly, without a shell, and waits for its end. In the foreground of a terminal the child
 * shares capwrap's process group; otherwise it leads a group of its own, to which signals are handed on. Throws only
 * ERR_COMMAND_CHANGED.
 */
export async function runChild(options: RunChildOptions): Promise<ChildResult> {
  const { command, redactors, signals } = options;
  recheck(command);
  if (signals.pending !== null) return notStarted({ signal: signals.pending });

  // 1. Spawn. Nothing can come between this and `attach`: signals are handled when the event loop turns.
  const own = !inForegroundGroup();
  const started = performance.now();
  const child = start(command, options.env, own);
  if (typeof child === 'string') return notStarted({ spawnError: child });
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    return notStarted({ spawnError: systemErrorCode(error) ?? 'EIO' });
  }
  const { pid, stdout, stderr } = child;
  signals.attach({ pid, ownGroup: own });
  options.onStart?.();

  // 2. Carry the output, and wait for the end of the child or of its time.
  const sinks = [createFdSink(options.stdout ?? 1), createFdSink(options.stderr ?? 2)] as const;
  const pumps = [pump(stdout, redactors.stdout, sinks[0]), pump(stderr, redactors.stderr, sinks[1])];
  const limit = enforceTimeLimit(
    own
      ? ownGroup(pid)
      : childAndDescendants(pid, () => child.exitCode === null && child.signalCode === null),
    options.deadline,
    options.killAfterMs,
  );
  const [exitCode, signal]: [number | null, NodeJS.Signals | null] = await new Promise((resolve) => {
    child.once('exit', (...end) => resolve(end));
  });
  signals.detach();
  const durationMs = Math.round(performance.now() - started);

  // 3. Read what is left in the pipes, and see that nothing outlives a limit that was reached.
  for (const { childEnded } of pumps) childEnded();
  await Promise.all([limit.settle(), ...pumps.map(({ done }) => done)]);
  return {
    startedPid: pid,
    spawnError: null,
    exitCode,
    signal,
    durationMs,
    timeLimitReached: limit.reached,
    masked: { stdout: redactors.stdout.hits, stderr: redactors.stderr.hits },
    written: allWritten(sinks),
  };
}

/** A child whose output is read; one that failed to start has no pid. */
type PipedChild = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

function start(
  command: StartableCommand,
  env: Readonly<Record<string, string>>,
  own: boolean,
): PipedChild | string {
  const [argv0, ...args] = command.argv;
  try {
    return spawn(command.path, args, {
      ...(argv0 === undefined ? {} : { argv0 }),
      cwd: command.cwd,
      env: Object.assign(Object.create(null), env), // Node writes to it
      stdio: ['inherit', 'pipe', 'pipe'],
      detached: own,
    }) as PipedChild;
  } catch (error) {
    return systemErrorCode(error) ?? 'EIO';
  }
}

function notStarted(why: Partial<Pick<ChildResult, 'signal' | 'spawnError'>>): ChildResult {
  return {
    startedPid: null,
    spawnError: null,
    exitCode: null,
    signal: null,
    durationMs: 0,
    timeLimitReached: false,
    masked: { stdout: 0, stderr: 0 },
    written: Promise.resolve(null),
    ...why,
  };
}

async function allWritten(sinks: readonly FdSink[]): Promise<string | null> {
  const errors = await Promise.all(sinks.map((sink) => sink.written()));
  return errors.find((code) => code !== null) ?? null;
}

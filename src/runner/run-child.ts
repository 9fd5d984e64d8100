/** Runs the one child of a run, with its output masked. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Launch } from '../base/launch.ts';
import type { Redactor } from '../redact/redactor.ts';
import type { StartableCommand } from './command-error.ts';
import { createEnding, type EndReason } from './ending.ts';
import { inForegroundGroup } from './foreground.ts';
import { connectKeyboard, type Keyboard } from './keyboard.ts';
import { openOutputs, type TerminalMode } from './outputs.ts';
import { childAndDescendants, ownSession } from './process-tree.ts';
import { pump } from './pump.ts';
import { recheck } from './resolve-command.ts';
import type { Signals } from './signals.ts';
import { createSink, type Sink } from './sink.ts';
import { startChild } from './start-child.ts';
import { watchTimeLimit } from './time-limit.ts';

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
  readonly launch: Launch;
  /** Whether a terminal is masked, or the child has the real one. */
  readonly terminal: 'masked' | 'direct';
  /** Descriptors of the caller's, beside the standard ones, that the child gets under the same numbers. */
  readonly descriptors?: readonly number[];
  /** Called once the child is there, before any of its output goes out. */
  readonly onStart?: (terminal: TerminalMode | null) => void;
  /** Called ahead of the deadline. */
  readonly onTimeWarning?: (leftMs: number) => void;
  /** Where it is given, a secret in the output ends the child: called once, at the first one. */
  readonly onLeak?: () => void;
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
  /** The number of the real-time signal that ended it, which has no name; then `exitCode` and `signal` are null. */
  readonly realTimeSignal: number | null;
  /** True where it died of a Ctrl-C on its own terminal, of which capwrap's group has not been told. */
  readonly interruptUnheard: boolean;
  readonly durationMs: number;
  /** Why capwrap asked the child to end, or null where it didn't. */
  readonly endReason: EndReason | null;
  /** How the child had the terminal; null where its output went to none. */
  readonly terminal: TerminalMode | null;
  /** Replacements by stream; where both go to the same place, all of them count for stdout. */
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
  const { command, redactors, signals, launch } = options;
  recheck(command);
  if (signals.pending !== null) return notStarted({ signal: signals.pending });

  // 1. Spawn. Nothing can come between this and `attach`: signals are handled when the event loop turns.
  const targets = { stdout: options.stdout ?? 1, stderr: options.stderr ?? 2 };
  let keyboard: Keyboard | null = null;
  const outputs = openOutputs({
    targets,
    wish: options.terminal,
    launch,
    onOwnTerminal: (chunk) => keyboard?.seen(chunk),
  });
  const shared = outputs.ownTerminal === null && inForegroundGroup();
  const detached = outputs.ownTerminal === null && !shared;
  const child = await startChild({ ...options, outputs, detached, ignored: launch.ignored });
  if (typeof child === 'string') {
    outputs.close();
    return notStarted({ spawnError: child });
  }
  const { pid, isRunning } = child;
  const tree = shared ? childAndDescendants(pid, isRunning) : ownSession(pid, isRunning);
  const ending = createEnding(tree, options.killAfterMs);
  keyboard = connectKeyboard(outputs.ownTerminal, pid, signals);
  signals.attach({
    pid,
    isRunning,
    ownGroup: !shared,
    resized: outputs.resized,
    onRepeated: () => {
      // A program that has the real terminal to itself may use Ctrl-C for something else.
      if (outputs.terminal !== 'direct') ending.begin('repeated_signal');
    },
    onStop: () => keyboard?.giveBack(),
    onContinue: () => keyboard?.take(),
  });
  options.onStart?.(outputs.terminal);

  // 2. Carry the output, and wait for the end of the child or of its time.
  const { onLeak } = options;
  const leaked = () => {
    if (!onLeak || ending.reason === 'leak') return;
    ending.begin('leak');
    onLeak();
  };
  const streams = child.sources.map(({ name, target, source }) => {
    const sink = createSink(target);
    return { sink, pump: pump(source, redactors[name], sink, leaked) };
  });
  const limit = watchTimeLimit(
    options.deadline,
    (leftMs) => options.onTimeWarning?.(leftMs),
    () => ending.begin('time_limit'),
  );
  const exit = await child.exit;
  signals.detach();
  const interruptUnheard = exit.signal === 'SIGINT' && keyboard?.interruptUnheard === true;
  keyboard?.giveBack();
  keyboard?.close();
  limit.stop();

  // 3. Read what is left in the pipes, and see that nothing outlives an end that was asked for.
  for (const { pump } of streams) pump.childEnded();
  await Promise.all(streams.map(({ pump }) => pump.done));
  await ending.settle();
  outputs.close();
  const written = allWritten(streams.map(({ sink }) => sink));
  await Promise.race([written, sleep(LAST_WORDS_MS)]);
  return {
    ...exit,
    startedPid: pid,
    interruptUnheard,
    spawnError: null,
    endReason: ending.reason,
    terminal: outputs.terminal,
    masked: { stdout: redactors.stdout.hits, stderr: redactors.stderr.hits },
    written,
  };
}

function notStarted(why: Partial<Pick<ChildResult, 'signal' | 'spawnError'>>): ChildResult {
  return {
    startedPid: null,
    spawnError: null,
    exitCode: null,
    signal: null,
    realTimeSignal: null,
    interruptUnheard: false,
    durationMs: 0,
    endReason: null,
    terminal: null,
    masked: { stdout: 0, stderr: 0 },
    written: Promise.resolve(null),
    ...why,
  };
}

/** So long capwrap's own next lines wait for the child's last ones. */
const LAST_WORDS_MS = 100;

async function allWritten(sinks: readonly Sink[]): Promise<string | null> {
  const errors = await Promise.all(sinks.map((sink) => sink.written()));
  return errors.find((code) => code !== null) ?? null;
}

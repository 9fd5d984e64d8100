/** Runs the one child of a run, with its output masked. */
import { within } from '../base/abortable-wait.ts';
import type { Launch } from '../base/launch.ts';
import { terminalTurns } from '../base/tty-turns.ts';
import type { Redactor } from '../redact/redactor.ts';
import { type ChildResult, notStarted } from './child-result.ts';
import { watchForChange } from './code-change.ts';
import type { StartableCommand } from './command-error.ts';
import { createEnding } from './ending.ts';
import { canTakeByName } from './exec-chain.ts';
import { hasControllingTerminal, inForegroundGroup } from './foreground.ts';
import { watchStops } from './job-control.ts';
import { connectKeyboard, type Keyboard } from './keyboard.ts';
import { leaveModeAtExit } from './mode-at-exit.ts';
import { type OutputName, openOutputs, type TerminalMode } from './outputs.ts';
import { childAndDescendants, ownSession } from './process-tree.ts';
import { pump } from './pump.ts';
import { recheck } from './resolve-command.ts';
import { shellPassage } from './shell-passage.ts';
import type { Signals } from './signals.ts';
import { createSink, type Sink } from './sink.ts';
import { startChild } from './start-child.ts';
import { createTerminalSink } from './terminal-sink.ts';
import { watchTimeLimit } from './time-limit.ts';

export interface RunChildOptions {
  readonly command: StartableCommand;
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly redactors: Readonly<Record<OutputName, Redactor>>;
  /** Whether a text must not be where other users can read it. */
  readonly isSecret: (text: string) => boolean;
  /** The end of the grant, by the wall clock. */
  readonly deadline: Date;
  /** Milliseconds from TERM to KILL. */
  readonly killAfterMs: number;
  readonly signals: Signals;
  readonly launch: Launch;
  /** Whether a terminal is masked, or the child has the real one. */
  readonly terminal: 'masked' | 'direct';
  /** The folder through which capwraps on one terminal leave the keyboard to one that asks (`AskOptions`). */
  readonly turnsIn: string;
  /** Descriptors of the caller's, beside the standard ones, that the child gets under the same numbers. */
  readonly descriptors?: readonly number[];
  /** Called once the child is there, before any of its output goes out. */
  readonly onStart?: (terminal: TerminalMode | null) => void;
  /** Called ahead of the deadline. */
  readonly onTimeWarning?: (leftMs: number) => void;
  /** Tells the path of code that is not what was looked at any more; that ends the child. */
  readonly codeChanged?: () => string | null;
  /** Where it is given, a secret in the output ends the child: called once, at the first one. */
  readonly onLeak?: () => void;
  /** Descriptors that the output goes to; 1 and 2 where not given. */
  readonly stdout?: number;
  readonly stderr?: number;
}

/**
 * Spawns the command, with no shell to read it, and waits for its end. In the foreground of a terminal that is not the
 * child's own, it shares capwrap's process group; otherwise it leads a session and group of its own, to which signals are
 * handed on. Throws only ERR_COMMAND_CHANGED.
 */
export async function runChild(options: RunChildOptions): Promise<ChildResult> {
  const { command, redactors, signals, launch } = options;
  recheck(command);
  if (signals.pending !== null) return notStarted({ signal: signals.pending });

  // 1. Spawn. Nothing can come between this and `attach`: signals are handled when the event loop turns.
  const targets = { stdout: options.stdout ?? 1, stderr: options.stderr ?? 2 };
  let keyboard: Keyboard | null = null;
  const byName = hasControllingTerminal() && canTakeByName(command.path);
  const passage = byName ? shellPassage(options.env, options.isSecret) : null;
  const outputs = openOutputs({
    targets,
    wish: options.terminal,
    launch,
    canTakeByName: passage !== null,
    watch: {
      onOutput: (chunk) => keyboard?.seen(chunk),
      onLook: (isOpen, isPrompted) => keyboard?.looked(isOpen, isPrompted),
    },
  });
  const { ownTerminal } = outputs;
  const shared = ownTerminal === null && inForegroundGroup();
  // What takes its terminal as its standard input makes its session by itself.
  const detached = !shared && !ownTerminal?.indexes.includes(0);
  if (!shared) signals.expectOwnGroup();
  const child = await startChild({ ...options, outputs, detached, passage, ignored: launch.ignored });
  if (typeof child === 'string') return notStarted({ spawnError: child });
  const { pid, isRunning } = child;
  const tree = shared ? childAndDescendants(pid, isRunning) : ownSession(pid, isRunning);
  const ending = createEnding(tree, options.killAfterMs);
  const stops = shared || ownTerminal !== null ? watchStops(pid, signals.stopWithChild) : null;
  if (ownTerminal !== null) {
    const turns = terminalTurns(options.turnsIn, { yields: ownTerminal.keys === 'at_once' });
    keyboard = connectKeyboard(ownTerminal, pid, signals, turns);
    leaveModeAtExit();
  }
  signals.attach({
    pid,
    isRunning,
    ownGroup: !shared,
    ownTerminal: ownTerminal?.channel ?? null,
    resized: outputs.resized,
    onRepeated: () => {
      // A program that has the real terminal to itself may use Ctrl-C for something else.
      if (outputs.terminal !== 'direct') ending.begin('repeated_signal');
    },
    onStop() {
      keyboard?.giveBack();
      stops?.startOver();
    },
    onContinue() {
      keyboard?.goOn();
      stops?.startOver();
    },
  });
  options.onStart?.(outputs.terminal);
  const onFault = () => ending.begin('fault');
  process.once(FAULT, onFault);
  const code = watchForChange(options.codeChanged, () => ending.begin('changed'));

  // 2. Carry the output, and wait for the end of the child or of its time.
  let leaked = false;
  const onHit = () => {
    if (!options.onLeak || leaked) return;
    leaked = true;
    ending.begin('leak');
    options.onLeak();
  };
  const streams = child.sources.map(({ name, target, source, channel }) => {
    const end = target === null ? createTerminalSink() : createSink(target);
    const sink = channel.toTarget?.(end) ?? end;
    return {
      sink,
      pump: pump(source, redactors[name], sink, { onHit, isEnded: () => ending.reason !== null }),
    };
  });
  const limit = watchTimeLimit(
    options.deadline,
    (leftMs) => options.onTimeWarning?.(leftMs),
    () => ending.begin('time_limit'),
  );
  const exit = await child.exit;
  // At a prompt without echo nothing showed that the terminal took Ctrl-C for a signal; that the child ended does.
  if (keyboard?.interruptUnheard) signals.tellGroup('SIGINT');
  signals.detach();
  stops?.close();
  keyboard?.close();
  limit.stop();
  process.off(FAULT, onFault);
  code.stop();

  // 3. Read what is left in the pipes, and see that nothing outlives an end that was asked for.
  for (const { pump } of streams) pump.childEnded();
  await Promise.all(streams.map(({ pump }) => pump.done));
  await ending.settle();
  const written = allWritten(streams.map(({ sink }) => sink));
  // Behind a terminal that is gone, nothing else may keep the process alive.
  await within(written, LAST_WORDS_MS);
  return {
    ...exit,
    startedPid: pid,
    spawnError: null,
    endReason: ending.reason,
    leaked,
    changed: code.changed(),
    terminal: outputs.terminal,
    masked: {
      stdout: redactors.stdout.hits + redactors.terminal.hits,
      stderr: redactors.stderr.hits,
    },
    written,
  };
}

/** An error that nobody catches, before anything else is done about it (crash.ts). */
const FAULT = 'uncaughtExceptionMonitor';

/** So long capwrap's own next lines wait for the child's last ones. */
const LAST_WORDS_MS = 100;

async function allWritten(sinks: readonly Sink[]): Promise<string | null> {
  const errors = await Promise.all(sinks.map((sink) => sink.written()));
  return errors.find((code) => code !== null) ?? null;
}

/**
 * The keyboard of the real terminal, for a child that has a terminal of its own. What is typed goes to the child's,
 * whose line discipline does with it what the child has asked for: echo, lines, Ctrl-C, or nothing.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { inForegroundGroup } from './foreground.ts';
import { stopsAtCtrlZ } from './job-control.ts';
import { readProcess } from './process-tree.ts';
import type { PtyChannel } from './pty.ts';
import type { Signals } from './signals.ts';

/** The keys that a terminal turns into signals for its foreground group, and how it shows that it did (ECHOCTL). */
const SIGNAL_KEYS: ReadonlyMap<number, { readonly echo: string; readonly signal: NodeJS.Signals }> = new Map([
  [0x03, { echo: '^C', signal: 'SIGINT' }],
  [0x1c, { echo: '^\\', signal: 'SIGQUIT' }],
  [0x1a, { echo: '^Z', signal: 'SIGTSTP' }],
]);

export interface Keyboard {
  /** From now on keys go to the child; from the background, as soon as it has come to the front. */
  take(): void;
  /** The terminal is as it was, for whoever comes next: while capwrap is stopped, and in the end. */
  giveBack(): void;
  /** To be told of everything that comes from the child's terminal: an echo shows that a key was taken for a signal. */
  seen(output: Uint8Array): void;
  /** True where the last key was Ctrl-C, and nothing showed what became of it (as at a password prompt). */
  readonly interruptUnheard: boolean;
  close(): void;
}

/**
 * Connects the keyboard with the child's own terminal, and takes it. Null where the child has none.
 */
export function connectKeyboard(terminal: PtyChannel | null, pid: number, signals: Signals): Keyboard | null {
  if (terminal === null) return null;
  const keyboard = openKeyboard(terminal.type, (signal) => {
    // A shell in there that does job control itself has another group in the foreground, and has seen to the key.
    const child = readProcess(pid);
    if (child !== null && child.foreground !== child.group) return;
    if (signal !== 'SIGTSTP') signals.tellGroup(signal);
    else if (stopsAtCtrlZ(pid)) setTimeout(() => signals.tellGroup(signal), LAST_OUTPUT_MS);
  });
  keyboard?.take();
  return keyboard;
}

/**
 * Opens the keyboard of the controlling terminal; null where it can't be. `send` hands bytes to the child's terminal.
 * `onSignal` is called for a key that the child's terminal took for a signal: the child has it then, and the processes
 * of capwrap's own group, which the real terminal would have told as well, do not.
 */
function openKeyboard(
  send: (keys: Buffer) => void,
  onSignal: (signal: NodeJS.Signals) => void,
): Keyboard | null {
  let stream: ReadStream;
  try {
    const fd = openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY);
    try {
      stream = new ReadStream(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch {
    return null;
  }
  /** What may be the first half of an echo. */
  let tail = '';
  let expected: { readonly echo: string; readonly signal: NodeJS.Signals; readonly until: number } | null =
    null;
  let interruptUnheard = false;

  let waiting: NodeJS.Timeout | undefined;

  function take(): void {
    clearTimeout(waiting);
    if (stream.destroyed) return;
    if (inForegroundGroup()) {
      stream.setRawMode(true);
      // Not before: a job in the background that reads from the terminal is stopped.
      if (stream.listenerCount('data') === 0) stream.on('data', onKeys);
      stream.resume();
    } else {
      // A shell tells a job that it brings to the front nothing unless it was stopped.
      waiting = setTimeout(take, LOOK_AGAIN_MS);
    }
  }

  function onKeys(keys: Buffer): void {
    const last = SIGNAL_KEYS.get(keys[keys.length - 1] ?? 0);
    tail = '';
    if (last) expected = { ...last, until: performance.now() + ECHO_WITHIN_MS };
    interruptUnheard = last?.signal === 'SIGINT';
    send(keys);
  }
  stream.on('error', () => stream.destroy()); // the terminal is gone; HUP tells

  return {
    take,
    giveBack() {
      clearTimeout(waiting);
      if (stream.destroyed) return;
      stream.pause();
      stream.setRawMode(false);
    },
    seen(output) {
      if (expected === null) return;
      const { echo, signal, until } = expected;
      const text = tail + Buffer.from(output).toString('latin1');
      tail = text.slice(-1);
      if (performance.now() > until) expected = null;
      else if (text.includes(echo)) {
        expected = null;
        interruptUnheard = false;
        onSignal(signal);
      }
    },
    get interruptUnheard() {
      return interruptUnheard;
    },
    close() {
      clearTimeout(waiting);
      stream.destroy();
    },
  };
}

/** Before capwrap stops, what it has read (the echo itself) is to be on the screen. */
const LAST_OUTPUT_MS = 15;
const LOOK_AGAIN_MS = 200;
/** The echo comes from the kernel, not from a program that would have to be run first. */
const ECHO_WITHIN_MS = 500;

/**
 * The keyboard of the real terminal, for a child that has a terminal of its own. What is typed goes to the child's,
 * whose line discipline does with it what the child has asked for: echo, lines, Ctrl-C, or nothing.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { inForegroundGroup } from './foreground.ts';
import { sharesKeys, stopsAtCtrlZ } from './job-control.ts';
import type { PtyChannel } from './pty.ts';
import { watchSignalKeys } from './signal-keys.ts';
import type { Signals } from './signals.ts';

export interface Keyboard {
  /** From now on keys go to the child; from the background, as soon as it has come to the front. */
  take(): void;
  /** The terminal is as it was, for whoever comes next: while capwrap is stopped, and in the end. */
  giveBack(): void;
  /** To be told of everything that comes from the child's terminal. */
  seen(output: Uint8Array): void;
  /** True where the last key was Ctrl-C, and nothing showed what became of it. */
  readonly interruptUnheard: boolean;
  close(): void;
}

/**
 * Connects the keyboard with the child's own terminal, and takes it. Null where the child has none.
 *
 * Of a key that the child's terminal took for a signal, the child knows; the processes of capwrap's own group, which the
 * real terminal would have told as well, do not.
 */
export function connectKeyboard(terminal: PtyChannel | null, pid: number, signals: Signals): Keyboard | null {
  if (terminal === null) return null;
  const keys = watchSignalKeys();

  function taken(signal: NodeJS.Signals): void {
    if (!sharesKeys(pid)) return;
    if (signal !== 'SIGTSTP') signals.tellGroup(signal);
    else if (stopsAtCtrlZ(pid)) setTimeout(() => signals.tellGroup(signal), LAST_OUTPUT_MS);
  }

  const relay = relayKeys((bytes) => {
    keys.typed(bytes);
    terminal.type(bytes);
  }, terminal.hangUp);
  if (relay === null) return null;
  relay.take();
  return {
    ...relay,
    seen(output) {
      const signal = keys.shown(output);
      if (signal !== null) taken(signal);
    },
    get interruptUnheard() {
      return keys.interruptUnheard && sharesKeys(pid);
    },
  };
}

/** Before capwrap stops, what it has read (the echo itself) is to be on the screen. */
const LAST_OUTPUT_MS = 15;

/** The keys of the controlling terminal, as they come; null where it can't be opened. `onGone`: it has been hung up. */
function relayKeys(
  onKeys: (keys: Buffer) => void,
  onGone: () => void,
): Pick<Keyboard, 'take' | 'giveBack' | 'close'> | null {
  const stream = openTerminal();
  if (stream === null) return null;
  let waiting: NodeJS.Timeout | undefined;
  let first = true;

  function take(): void {
    clearTimeout(waiting);
    if (stream === null || stream.destroyed) return;
    if (!inForegroundGroup()) {
      // A shell tells a job that it brings to the front nothing unless it was stopped.
      waiting = setTimeout(take, LOOK_AGAIN_MS);
      return;
    }
    // Whoever stopped capwrap may have changed the mode, of which Node knows nothing.
    stream.setRawMode(false);
    stream.setRawMode(true);
    // Not before: a job in the background that reads from the terminal is stopped.
    if (stream.listenerCount('data') === 0) stream.on('data', keysCame);
    stream.resume();
  }

  function keysCame(keys: Buffer): void {
    // An end of input that was typed before the terminal was in raw mode is read as NUL.
    if (first) for (const [at, byte] of keys.entries()) if (byte === 0) keys[at] = END_OF_INPUT;
    first = false;
    onKeys(keys);
  }

  stream.on('end', onGone);
  stream.on('error', () => {
    stream.destroy();
    onGone();
  });
  return {
    take,
    giveBack() {
      clearTimeout(waiting);
      if (stream.destroyed) return;
      stream.pause();
      // In the background it is somebody else's already, and a job that sets it is stopped.
      if (inForegroundGroup()) stream.setRawMode(false);
    },
    close() {
      clearTimeout(waiting);
      stream.destroy();
    },
  };
}

const END_OF_INPUT = 0x04;
const LOOK_AGAIN_MS = 200;

function openTerminal(): ReadStream | null {
  let fd: number;
  try {
    fd = openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY);
  } catch {
    return null;
  }
  try {
    return new ReadStream(fd);
  } catch {
    closeSync(fd);
    return null;
  }
}

/**
 * The keyboard of the real terminal, for a child that has a terminal of its own. What is typed goes to the child's,
 * whose line discipline does with it what the child has asked for: echo, lines, Ctrl-C, or nothing.
 */
import { closeSync, constants, openSync } from 'node:fs';
import type { SocketConstructorOpts } from 'node:net';
import { ReadStream } from 'node:tty';
import { inForegroundGroup } from './foreground.ts';
import { sharesKeys, stopsAtCtrlZ } from './job-control.ts';
import type { Outputs } from './outputs.ts';
import { watchSignalKeys } from './signal-keys.ts';
import type { Signals } from './signals.ts';
import { hasReader } from './terminal-readers.ts';

export interface Keyboard {
  /** The terminal is as it was, for whoever comes next: while capwrap is stopped. */
  giveBack(): void;
  /** capwrap goes on: keys go to the child again, if they did. */
  goOn(): void;
  /** To be told of everything that comes from the child's terminal. */
  seen(output: Uint8Array): void;
  /** To be told of each look at a terminal that may have been closed: whether somebody has it open, and has written. */
  looked(isOpen: boolean, hasWritten: boolean): void;
  /** True where the last key was Ctrl-C, and nothing showed what became of it. */
  readonly interruptUnheard: boolean;
  /** The terminal is as it was, for good. */
  close(): void;
}

/**
 * Connects the keyboard with the child's own terminal: at once, or for as long as somebody in the child's session has
 * opened that terminal by name to read from it.
 *
 * Of a key that the child's terminal took for a signal, the child knows; the processes of capwrap's own group, which the
 * real terminal would have told as well, do not.
 */
export function connectKeyboard(
  { channel, keys: when }: NonNullable<Outputs['ownTerminal']>,
  pid: number,
  signals: Signals,
): Keyboard {
  const keys = watchSignalKeys();
  const askers = watchAskers(pid, channel.path);
  let wanted = when === 'at_once';

  function taken(signal: NodeJS.Signals): void {
    if (!sharesKeys(pid)) return;
    if (signal !== 'SIGTSTP') signals.tellGroup(signal);
    else if (stopsAtCtrlZ(pid)) setTimeout(() => signals.tellGroup(signal), LAST_OUTPUT_MS);
  }

  const relay = relayKeys((bytes) => {
    keys.typed(bytes);
    channel.type(bytes);
  }, channel.hangUp);
  if (wanted) relay.take();
  return {
    giveBack: relay.giveBack,
    goOn() {
      if (wanted) relay.take();
    },
    seen(output) {
      const signal = keys.shown(output);
      if (signal !== null) taken(signal);
    },
    looked(isOpen, hasWritten) {
      if (when === 'at_once') return;
      const before = wanted;
      wanted = askers.ask(isOpen, hasWritten);
      if (wanted && !before) relay.take();
      if (!wanted && before) relay.giveBack();
    },
    get interruptUnheard() {
      return keys.interruptUnheard && sharesKeys(pid);
    },
    close() {
      wanted = false;
      relay.giveBack();
      relay.close();
    },
  };
}

/** Before capwrap stops, what it has read (the echo itself) is to be on the screen. */
const LAST_OUTPUT_MS = 15;

/** Whether somebody wants keys. Who has the terminal open is looked up now and then only, since that takes a while. */
function watchAskers(session: number, path: string) {
  let asked = false;
  let last = Number.NEGATIVE_INFINITY;
  let took = 0;
  return {
    ask(isOpen: boolean, hasWritten: boolean): boolean {
      const now = performance.now();
      // Most prompts end with the terminal closed, which shows without a look.
      const wait = asked ? ASKED_FOR_MS : hasWritten ? PROMPT_MS : SILENT_MS;
      if (!isOpen) asked = false;
      else if (now - last > Math.max(wait, 20 * took)) {
        asked = hasReader(session, path);
        last = performance.now();
        took = last - now;
      }
      return asked;
    },
  };
}

const PROMPT_MS = 30;
const SILENT_MS = 200;
const ASKED_FOR_MS = 2000;

/** The keys of the controlling terminal, as they come. `onGone`: it has been hung up. */
function relayKeys(onKeys: (keys: Buffer) => void, onGone: () => void) {
  // One for all times: to Node, what it opens for a terminal isn't closed together with the stream.
  let stream: ReadStream | null = null;
  let waiting: NodeJS.Timeout | undefined;
  let first = true;

  function open(): ReadStream | null {
    const opened = openTerminal(keysCame);
    opened?.on('end', onGone);
    opened?.on('error', () => {
      opened.destroy();
      onGone();
    });
    return opened;
  }

  function take(): void {
    clearTimeout(waiting);
    if (!inForegroundGroup()) {
      // A shell tells a job that it brings to the front nothing unless it was stopped.
      waiting = setTimeout(take, LOOK_AGAIN_MS);
      return;
    }
    stream ??= open();
    if (stream === null || stream.destroyed) return;
    // Whoever stopped capwrap may have changed the mode, of which Node knows nothing.
    stream.setRawMode(false);
    stream.setRawMode(true);
    first = true;
    stream.resume();
  }

  function keysCame(keys: Buffer): void {
    // An end of input that was typed before the terminal was in raw mode is read as NUL.
    if (first) for (const [at, byte] of keys.entries()) if (byte === 0) keys[at] = END_OF_INPUT;
    first = false;
    onKeys(keys);
  }

  return {
    take,
    giveBack() {
      clearTimeout(waiting);
      if (stream === null || stream.destroyed) return;
      stream.pause();
      // In the background it is somebody else's already, and a job that sets it is stopped.
      if (inForegroundGroup()) stream.setRawMode(false);
    },
    close() {
      clearTimeout(waiting);
      stream?.destroy();
    },
  };
}

const END_OF_INPUT = 0x04;
const LOOK_AGAIN_MS = 200;

/**
 * Reads nothing before it is resumed: a job in the background that reads from the terminal is stopped. With memory of
 * its own it reads nothing more once it is paused, either; otherwise the next keys would be lost to others.
 */
function openTerminal(onKeys: (keys: Buffer) => void): ReadStream | null {
  const callback = (length: number, memory: Uint8Array) => {
    onKeys(Buffer.from(memory.subarray(0, length)));
    return true;
  };
  let fd: number;
  try {
    fd = openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY);
  } catch {
    return null;
  }
  try {
    return new ReadStream(fd, { onread: { buffer: Buffer.alloc(4096), callback } } as SocketConstructorOpts);
  } catch {
    closeSync(fd);
    return null;
  }
}

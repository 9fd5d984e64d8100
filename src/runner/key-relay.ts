/** What is typed on the real terminal, read in raw mode while capwrap is in front and has the keyboard to itself. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { SocketConstructorOpts } from 'node:net';
import { ReadStream } from 'node:tty';
import type { TerminalTurns } from '../base/tty-turns.ts';
import { hasControllingTerminal, inForegroundGroup } from './foreground.ts';
import { closeAtExit } from './mode-at-exit.ts';

export interface KeyRelay {
  /** From now on what is typed comes, as soon as capwrap is in front and the keyboard is free. */
  take(): void;
  /** The terminal is as it was. What was typed ahead is left to whoever comes next. */
  giveBack(): void;
  /** The same, but what was typed so far is the child's own. */
  handBack(): void;
  /** To be called once it was given back. */
  close(): void;
}

/** The keys of the controlling terminal, as they come. `onGone`: it has been hung up. */
export function relayKeys(
  onKeys: (keys: Buffer) => void,
  onGone: () => void,
  turns: TerminalTurns,
): KeyRelay {
  // One for all times: to Node, what it opens for a terminal isn't closed together with the stream.
  let fd = -1;
  let stream: ReadStream | null = null;
  let waiting: NodeJS.Timeout | undefined;
  let first = true;

  function open(): ReadStream | null {
    const opened = openTerminal(keysCame);
    if (opened === null) return null;
    const { stream: keys } = opened;
    fd = opened.fd;
    keys.on('end', gone);
    keys.on('error', () => {
      keys.destroy();
      gone();
    });
    return keys;
  }

  /** The next terminal may get this one's number: nobody is to wait for this process there. */
  function gone(): void {
    clearTimeout(waiting);
    turns.letGo();
    onGone();
  }

  /** A Ctrl-C that was typed in raw mode is no signal to the real terminal any more, only to the child's. */
  function readRest(): void {
    const memory = Buffer.alloc(4096);
    try {
      for (let length = readSync(fd, memory); length > 0; length = readSync(fd, memory)) {
        keysCame(Buffer.from(memory.subarray(0, length)));
      }
    } catch {
      // nothing is left
    }
  }

  function take(): void {
    clearTimeout(waiting);
    // A shell tells a job that it brings to the front nothing unless it was stopped.
    if (!inForegroundGroup() || !turns.holdKeys()) {
      if (!hasControllingTerminal()) {
        gone();
        return;
      }
      // Not in step with another one that waits as well.
      waiting = setTimeout(take, LOOK_AGAIN_MS * (0.5 + Math.random() / 2));
      return;
    }
    stream ??= open();
    if (stream === null || stream.destroyed) {
      turns.letGo();
      if (!hasControllingTerminal()) gone();
      return;
    }
    // Whoever stopped capwrap may have changed the mode, of which Node knows nothing.
    stream.setRawMode(false);
    stream.setRawMode(true);
    first = true;
    stream.resume();
    waiting = setTimeout(makeRoom, LOOK_AGAIN_MS);
  }

  /** A question is not shown before the keyboard is free: what has been typed by now was typed for the child. */
  function makeRoom(): void {
    const isOthers = turns.isOthers();
    if (isOthers) giveBack(readRest);
    waiting = setTimeout(isOthers ? take : makeRoom, LOOK_AGAIN_MS);
  }

  function keysCame(keys: Buffer): void {
    // An end of input that was typed before the terminal was in raw mode is read as NUL.
    if (first) for (const [at, byte] of keys.entries()) if (byte === 0) keys[at] = END_OF_INPUT;
    first = false;
    onKeys(keys);
  }

  function giveBack(rest?: () => void): void {
    clearTimeout(waiting);
    stopReading(rest);
    turns.letGo();
  }

  function stopReading(rest: () => void = () => {}): void {
    if (stream === null || stream.destroyed) return;
    stream.pause();
    // In the background it is somebody else's already, and a job that sets it is stopped.
    if (!inForegroundGroup()) return;
    rest();
    stream.setRawMode(false);
    // What came in between: to the kernel it is a line that ends here.
    rest();
  }

  return {
    take,
    giveBack: () => giveBack(),
    handBack: () => giveBack(readRest),
    close() {
      clearTimeout(waiting);
      if (stream?.destroyed === false) closeAtExit(stream);
    },
  };
}

const END_OF_INPUT = 0x04;
const LOOK_AGAIN_MS = 200;

/**
 * Reads nothing before it is resumed: a job in the background that reads from the terminal is stopped. With memory of
 * its own it reads nothing more once it is paused, either; otherwise the next keys would be lost to others.
 */
function openTerminal(
  onKeys: (keys: Buffer) => void,
): { readonly fd: number; readonly stream: ReadStream } | null {
  const callback = (length: number, memory: Uint8Array) => {
    onKeys(Buffer.from(memory.subarray(0, length)));
    return true;
  };
  let fd: number;
  try {
    fd = openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stream = new ReadStream(fd, {
      onread: { buffer: Buffer.alloc(4096), callback },
    } as SocketConstructorOpts);
    return { fd, stream };
  } catch {
    closeSync(fd);
    return null;
  }
}

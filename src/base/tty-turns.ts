/**
 * Whose turn it is at a terminal that several capwraps share. One of them asks a question at a time, and while it does,
 * none reads keys for its child: the answer would go to that child. Whoever asks takes the lock first and then looks for
 * marks; whoever reads makes its mark first and then looks for the lock. So none can miss the other. Of those that read, one
 * does at a time, and one whose child is seen to wait for keys goes before one whose child may never read any.
 */
import { readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { formatHolder, type Holder, isDead, isRunningHere, newHolder, parseHolder } from './lock-holder.ts';
import { namesIn } from './names-in.ts';
import { readProcStat } from './proc-stat.ts';

export interface TerminalTurns {
  /** The lock (lock.ts) under which a question is asked. */
  readonly lock: string;
  /** True where another process, one that certainly runs, goes before this one. Takes some microseconds. */
  isOthers(): boolean;
  /**
   * Says that this process reads keys from now on. False, and nothing is said, where a question is asked, or another
   * process reads keys: of two that set the terminal's mode, one would set it back under the other.
   */
  holdKeys(): boolean;
  /** Says that it doesn't any more, and that the terminal is as it was. */
  letGo(): void;
  /** Resolves once no other process reads keys, and after a second in any case. */
  keysAreFree(): Promise<void>;
}

/**
 * Of the controlling terminal; `folder` is a private one that all of them know. With `yields`, this process has the keys
 * in case its child reads them. Nothing here throws.
 */
export function terminalTurns(folder: string, { yields = false } = {}): TerminalTurns {
  const terminal = terminalOf(process.pid);
  const name = `terminal-${terminal}`;
  const lock = join(folder, `${name}.lock`);
  let mark: string | null = null;
  let wish: string | null = null;

  const marks = (kind: Kind) => namesIn(folder).filter((each) => each.startsWith(`${name}.${kind}.`));
  const isMarked = (kind: Kind) => marks(kind).some((each) => isHeld(join(folder, each), terminal));
  const make = (kind: Kind) => makeMark(join(folder, `${name}.${kind}.`));
  const isOthers = () => isHeld(lock, terminal) || (yields && isMarked('wish'));

  const sweepAll = () => sweep(folder, [...marks('keys'), ...marks('wish')]);

  function letGo(): void {
    for (const path of [mark, wish]) if (path !== null) remove(path);
    [mark, wish] = [null, null];
  }

  function holdKeys(): boolean {
    if (mark !== null) return !isOthers();
    if (!yields) wish ??= make('wish');
    if (isMarked('keys')) return false;
    mark = make('keys');
    // Of two that come in the same moment both let go again.
    if (!isOthers() && !isMarked('keys')) {
      sweepAll();
      return true;
    }
    if (mark !== null) remove(mark);
    mark = null;
    return false;
  }

  return {
    lock,
    isOthers,
    holdKeys,
    letGo,
    async keysAreFree() {
      for (const end = performance.now() + LONGEST_WAIT_MS; performance.now() < end; ) {
        if (!isMarked('keys')) return sweepAll();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

/** `wish`: of one that waits for the keys. */
type Kind = 'keys' | 'wish';

/** A run lets go within `LOOK_AGAIN_MS` of key-relay.ts, where it is not stopped. */
const LONGEST_WAIT_MS = 1000;

/** The number of a process's controlling terminal (proc_pid_stat(5), tty_nr); one for all where the system has no /proc. */
function terminalOf(pid: number): string {
  try {
    return readProcStat(pid).fields[4] ?? 'any';
  } catch {
    return 'any';
  }
}

/** Null where it can't be made, as on a full disk: the child gets its keys all the same. */
function makeMark(start: string): string | null {
  const holder = newHolder();
  const path = `${start}${holder.nonce}`;
  try {
    symlinkSync(formatHolder(holder), path);
    return path;
  } catch {
    return null;
  }
}

/**
 * Only by whom it certainly is: in another container the same number may be that of another terminal, and here that of an
 * earlier one, which the holder has lost.
 */
function isHeld(path: string, terminal: string): boolean {
  const holder = holderOf(path);
  if (holder === null || holder.pid === process.pid) return false;
  return isRunningHere(holder) && terminalOf(holder.pid) === terminal;
}

/** Removes what killed runs have left. */
function sweep(folder: string, marks: readonly string[]): void {
  for (const path of marks.map((each) => join(folder, each))) {
    const holder = holderOf(path);
    if (holder !== null && isDead(holder, folder)) remove(path);
  }
}

/** Null where there is no such link (any more), or it names no holder. */
function holderOf(path: string): Holder | null {
  try {
    return parseHolder(readlinkSync(path));
  } catch {
    return null;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // gone already
  }
}

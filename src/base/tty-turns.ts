/**
 * Whose turn it is at a terminal that several capwraps share. One of them asks a question at a time, and while it does,
 * none reads keys for its child: the answer would go to that child. Whoever asks takes the lock first and then looks for
 * marks; whoever reads makes its mark first and then looks for the lock. So none can miss the other.
 */
import { readdirSync, readFileSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { formatHolder, type Holder, isDead, isRunningHere, newHolder, parseHolder } from './lock-holder.ts';

export interface TerminalTurns {
  /** The lock (lock.ts) under which a question is asked. */
  readonly lock: string;
  /** True where another process that certainly runs holds that lock. Takes some microseconds. */
  isAsked(): boolean;
  /** Says that this process reads keys from now on. False, and nothing is said, where a question is asked. */
  holdKeys(): boolean;
  /** Says that it doesn't any more, and that the terminal is as it was. */
  letGo(): void;
  /** Resolves once no other process reads keys, and after a second in any case. */
  keysAreFree(): Promise<void>;
}

/** Of the controlling terminal; `folder` is a private one that all of them know. Nothing here throws. */
export function terminalTurns(folder: string): TerminalTurns {
  const name = `terminal-${terminalName()}`;
  const lock = join(folder, `${name}.lock`);
  let mark: string | null = null;

  const isAsked = () => isHeld(lock);

  function letGo(): void {
    if (mark !== null) remove(mark);
    mark = null;
  }

  return {
    lock,
    isAsked,
    holdKeys() {
      mark ??= makeMark(join(folder, `${name}.keys.`));
      if (!isAsked()) return true;
      letGo();
      return false;
    },
    letGo,
    async keysAreFree() {
      for (const end = performance.now() + LONGEST_WAIT_MS; performance.now() < end; ) {
        const marks = namesIn(folder).filter((each) => each.startsWith(`${name}.keys.`));
        const held = marks.filter((each) => isHeld(join(folder, each)));
        if (held.length === 0) return sweep(folder, marks);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

/** A run lets go within `LOOK_AGAIN_MS` of keyboard.ts, where it is not stopped. */
const LONGEST_WAIT_MS = 1000;

/** The number of the controlling terminal (proc_pid_stat(5), tty_nr); one name for all where the system has no /proc. */
function terminalName(): string {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] ?? 'any';
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

/** Only by whom it certainly is: in another container the same number may be that of another terminal. */
function isHeld(path: string): boolean {
  const holder = holderOf(path);
  return holder !== null && holder.pid !== process.pid && isRunningHere(holder);
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

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

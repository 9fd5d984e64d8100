/** What the child's standard descriptors are: the same kinds of things that capwrap's own are. */
import { chmodSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Launch } from '../base/launch.ts';
import { type Channel, openPipe } from './channel.ts';
import { canTakeTerminal } from './exec-chain.ts';
import { isControllingTerminal } from './foreground.ts';
import { openPty, type PtyChannel } from './pty.ts';
import { type WindowSize, windowSize } from './window.ts';

export type OutputName = 'stdout' | 'stderr';

/**
 * How the child has the terminal. `masked`: a pseudo-terminal of its own, all of it masked. `output`: where standard
 * input, output and error aren't all the terminal, a pseudo-terminal only for what is written there. `direct`: the real
 * one. `pipe`: none, since a pseudo-terminal can't be had.
 */
export const TERMINAL_MODES = ['masked', 'output', 'direct', 'pipe'] as const;
export type TerminalMode = (typeof TERMINAL_MODES)[number];

/**
 * `changed`: only the real terminal; `followed`: the child's pseudo-terminal as well; `told`: as well, and since that is
 * the child's controlling terminal, the kernel has told the child.
 */
export type Resized = 'same' | 'changed' | 'followed' | 'told';

/** One way out of the child. Where several of its descriptors are the same place, one serves for all. */
export interface Output {
  /** Under this name its hits are counted. */
  readonly name: OutputName;
  /** The child's descriptors that lead here. */
  readonly indexes: readonly (0 | 1 | 2)[];
  /** capwrap's own descriptor that it goes to. */
  readonly target: number;
  /** Null where the child has the real thing. */
  readonly channel: Channel | null;
}

export interface Outputs {
  readonly list: readonly Output[];
  /** Null where neither output is a terminal. */
  readonly terminal: TerminalMode | null;
  /** The child's own controlling terminal; null where it has the real one, or none. */
  readonly ownTerminal: PtyChannel | null;
  /** What became of the terminal's size since this was last asked. */
  resized(): Resized;
}

export interface OutputOptions {
  readonly targets: { readonly stdout: number; readonly stderr: number };
  readonly wish: 'masked' | 'direct';
  readonly launch: Launch;
  /** Sees what comes from the child's own controlling terminal. */
  readonly onOwnTerminal: (chunk: Uint8Array) => void;
}

/** Opens what the child is to write to. */
export function openOutputs({ targets, wish, launch, onOwnTerminal }: OutputOptions): Outputs {
  const { stdout, stderr } = targets;
  const taken = new Set<number>();
  const ptys: PtyChannel[] = [];
  let terminal: TerminalMode | null = null;
  const tty = [stdout, stderr, 0].find((fd) => isatty(fd));
  const sizeNow = (): WindowSize | null => (tty === undefined ? null : windowSize(tty));
  let size = sizeNow();

  function openTerminal(mode: 'masked' | 'output'): PtyChannel | null {
    const pty = openPty(size ?? DEFAULT_SIZE, mode === 'masked' ? onOwnTerminal : null);
    terminal = pty ? mode : 'pipe';
    if (pty !== null) ptys.push(pty);
    return pty;
  }
  function openChannel(target: number): Channel | null {
    if (!isatty(target)) return openPipe(launch, taken);
    if (wish === 'direct') {
      terminal = 'direct';
      return null;
    }
    const pty = openTerminal('output');
    if (pty) keepKeyboardAway(pty);
    return pty ?? openPipe(launch, taken);
  }
  const output = (name: OutputName, indexes: Output['indexes'], target: number): Output => ({
    name,
    indexes,
    target,
    channel: openChannel(target),
  });

  function openList(): readonly Output[] {
    const together = samePlace(stdout, stderr);
    const whole = wish === 'masked' && together && isatty(stdout) && samePlace(stdout, 0);
    const own = whole && isControllingTerminal(stdout) && canTakeTerminal() ? openTerminal('masked') : null;
    if (own) return [{ name: 'stdout', indexes: [0, 1, 2], target: stdout, channel: own }];
    const first = output('stdout', together ? [1, 2] : [1], stdout);
    // Node's own pipes can't be shared by two descriptors.
    if (together && first.channel?.stdio !== 'pipe') return [first];
    return [{ ...first, indexes: [1] }, output('stderr', [2], stderr)];
  }

  const list = openList();
  return {
    list,
    terminal,
    ownTerminal: terminal === 'masked' ? (ptys[0] ?? null) : null,
    resized() {
      const now = sizeNow();
      if (!now || !size || (now.columns === size.columns && now.rows === size.rows)) return 'same';
      size = now;
      for (const pty of ptys) pty.resize(now);
      if (terminal === 'masked') return 'told';
      return ptys.length > 0 ? 'followed' : 'changed';
    },
  };
}

const DEFAULT_SIZE = { columns: 80, rows: 24 };

/**
 * A pager reads keys from the terminal that its standard error is, and this one has no keyboard; one that may not open
 * it goes on to `/dev/tty`, which has. Writing to it by name stays possible.
 */
function keepKeyboardAway({ path }: PtyChannel): void {
  try {
    chmodSync(path, 0o200);
  } catch {
    // not ours to change
  }
}

/** Whether the child will have the real terminal for its output: the map says so, and there is one. */
export function isDirect(wish: 'masked' | 'direct'): boolean {
  return wish === 'direct' && (isatty(1) || isatty(2));
}

/** Whether two descriptors lead to the same file, pipe or terminal. What is written there keeps its order. */
function samePlace(one: number, other: number): boolean {
  try {
    const [a, b] = [fstatSync(one), fstatSync(other)];
    return a.dev === b.dev && a.ino === b.ino && a.rdev === b.rdev && a.mode === b.mode;
  } catch {
    return false;
  }
}

/** What the child's standard descriptors are: the same kinds of things that capwrap's own are. */
import { chmodSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Launch } from '../base/launch.ts';
import { type Channel, openPipe } from './channel.ts';
import { canTakeTerminal } from './exec-chain.ts';
import { hasControllingTerminal } from './foreground.ts';
import { type OwnTerminalWatch, openPty, type PtyChannel } from './pty.ts';
import { readOnlyStdin } from './read-only-stdin.ts';
import { planTerminal, type TerminalPlan } from './terminal-plan.ts';
import { OUTPUT_FLAGS, OWN_FLAGS } from './terminal-readers.ts';
import { type WindowSize, windowSize } from './window.ts';

/** `terminal`: what is written to the child's own terminal by name, where neither of the others is that terminal. */
export type OutputName = 'stdout' | 'stderr' | 'terminal';

/**
 * How the child has the terminal. `masked`: one of its own, all of it masked. `output`: where it can't have that, one
 * only for what is written to its standard output and error. `direct`: the real one. `pipe`: none, since a
 * pseudo-terminal can't be had.
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
  readonly name: OutputName;
  /** The child's descriptors that lead here; none where it is found by name only. */
  readonly indexes: readonly (0 | 1 | 2)[];
  /** capwrap's own descriptor that it goes to; null for the controlling terminal, opened when it is needed. */
  readonly target: number | null;
  /** Null where the child has the real thing. */
  readonly channel: Channel | null;
}

export interface OwnTerminal extends TerminalPlan {
  readonly channel: PtyChannel;
}

export interface Outputs {
  readonly list: readonly Output[];
  /** What the child's standard input is to be where none of the list is; to be closed after the spawn. */
  readonly stdin: number | 'inherit';
  /** Null where the child has none of its own, and neither output is one. */
  readonly terminal: TerminalMode | null;
  /** The child's own controlling terminal; null where it has the real one, or none. */
  readonly ownTerminal: OwnTerminal | null;
  /** What became of the terminal's size since this was last asked. */
  resized(): Resized;
}

export interface OutputOptions {
  readonly targets: { readonly stdout: number; readonly stderr: number };
  readonly wish: 'masked' | 'direct';
  readonly launch: Launch;
  /** Whether the child can be given the terminal by its name, where its standard input is something else. */
  readonly canTakeByName: boolean;
  /** Told of the child's own controlling terminal. */
  readonly watch: OwnTerminalWatch;
}

/** Opens what the child is to read from and to write to. */
export function openOutputs(options: OutputOptions): Outputs {
  const { targets, wish, launch } = options;
  const { stdout, stderr } = targets;
  const taken = new Set<number>();
  const ptys: PtyChannel[] = [];
  let terminal: TerminalMode | null = null;
  const plan = wish === 'masked' && hasControllingTerminal() ? planTerminal(targets, launch) : null;
  const tty = [stdout, stderr, 0].find((fd) => isatty(fd)) ?? (plan && '/dev/tty');
  const sizeNow = (): WindowSize | null => (tty === null ? null : windowSize(tty));
  let size = sizeNow();

  function openChannel(target: number): Channel | null {
    if (!isatty(target)) return openPipe(launch, taken);
    if (wish === 'direct') {
      terminal = 'direct';
      return null;
    }
    const pty = openPty(size ?? DEFAULT_SIZE);
    if (pty === null) {
      terminal = 'pipe';
      return openPipe(launch, taken);
    }
    terminal ??= 'output';
    ptys.push(pty);
    keepKeyboardAway(pty);
    return pty;
  }
  const output = (name: OutputName, indexes: Output['indexes'], target: number): Output => ({
    name,
    indexes,
    target,
    channel: openChannel(target),
  });

  function openOwn(): OwnTerminal | null {
    if (plan === null) return null;
    const { indexes } = plan;
    if (!(indexes.includes(0) ? canTakeTerminal() : options.canTakeByName)) return null;
    const isOpen = indexes.length > 0;
    const flags = plan.keys === 'when_asked' ? OUTPUT_FLAGS : OWN_FLAGS;
    const channel = openPty(size ?? DEFAULT_SIZE, { ...options.watch, isOpen, flags });
    if (channel === null) return null;
    terminal = 'masked';
    ptys.push(channel);
    return { ...plan, channel };
  }
  function openList(): readonly Output[] {
    const on = own?.indexes ?? [];
    const together = !on.includes(1) && !on.includes(2) && samePlace(stdout, stderr);
    const first = on.includes(1) ? null : output('stdout', together ? [1, 2] : [1], stdout);
    // Node's own pipes can't be shared by two descriptors.
    if (together && first?.channel?.stdio !== 'pipe') return first ? [first] : [];
    const second = on.includes(2) ? null : output('stderr', [2], stderr);
    return [first && { ...first, indexes: [1] as const }, second].filter((one) => one !== null);
  }
  function ofOwn({ channel, indexes }: OwnTerminal): Output {
    const name = indexes.includes(1) ? 'stdout' : indexes.includes(2) ? 'stderr' : 'terminal';
    return { name, indexes, target: name === 'terminal' ? null : targets[name], channel };
  }

  const own = openOwn();
  const list = [...(own ? [ofOwn(own)] : []), ...openList()];
  return {
    list,
    stdin: own === null || own.indexes.includes(0) ? 'inherit' : readOnlyStdin(),
    terminal,
    ownTerminal: own,
    resized() {
      const now = sizeNow();
      if (!now || !size || (now.columns === size.columns && now.rows === size.rows)) return 'same';
      size = now;
      // The child's own comes last: by then all of them have the size that the kernel tells the child of.
      for (const pty of ptys) if (pty !== own?.channel) pty.resize(now);
      own?.channel.resize(now);
      if (own) return 'told';
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

/** What the child's standard output and standard error are: the same kinds of things that capwrap's own are. */
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Launch } from '../base/launch.ts';
import { type Channel, openPipe } from './channel.ts';
import { openPty, type PtyChannel } from './pty.ts';
import { openWindow, type Window } from './window.ts';

export type OutputName = 'stdout' | 'stderr';

/**
 * How the child has the terminal: `masked`, a pseudo-terminal whose output goes through the masker; `direct`, the real
 * one; `pipe`, where a pseudo-terminal can't be had.
 */
export const TERMINAL_MODES = ['masked', 'direct', 'pipe'] as const;
export type TerminalMode = (typeof TERMINAL_MODES)[number];

/** `followed`: it has changed, and the child's pseudo-terminal with it; `changed`: the child has none. */
export type Resized = 'same' | 'changed' | 'followed';

/** One way out of the child. Where standard output and standard error are the same place, one serves for both. */
export interface Output {
  /** Under this name its hits are counted. */
  readonly name: OutputName;
  /** Indexes of the child's descriptors. */
  readonly indexes: readonly (1 | 2)[];
  /** capwrap's own descriptor that it goes to. */
  readonly target: number;
  /** Null where the child has the real thing. */
  readonly channel: Channel | null;
}

export interface Outputs {
  readonly list: readonly Output[];
  /** Null where neither is a terminal. */
  readonly terminal: TerminalMode | null;
  /** What became of the terminal's size since this was last asked. */
  resized(): Resized;
  close(): void;
}

export interface OutputOptions {
  readonly targets: { readonly stdout: number; readonly stderr: number };
  readonly wish: 'masked' | 'direct';
  readonly launch: Launch;
}

/** Opens what the child is to write to. */
export function openOutputs({ targets, wish, launch }: OutputOptions): Outputs {
  const taken = new Set<number>();
  const ptys: PtyChannel[] = [];
  let terminal: TerminalMode | null = null;
  const tty = [targets.stdout, targets.stderr, 0].find((fd) => isatty(fd));
  const window: Window | null = tty === undefined ? null : openWindow(tty);
  let size = window?.size();

  function openChannel(target: number): Channel | null {
    if (!isatty(target)) return openPipe(launch, taken);
    if (wish === 'direct') {
      terminal = 'direct';
      return null;
    }
    const pty = openPty(size ?? { columns: 80, rows: 24 });
    terminal = pty ? 'masked' : 'pipe';
    if (pty === null) return openPipe(launch, taken);
    ptys.push(pty);
    return pty;
  }

  const output = (name: OutputName, indexes: readonly (1 | 2)[], target: number): Output => ({
    name,
    indexes,
    target,
    channel: openChannel(target),
  });
  const list = samePlace(targets.stdout, targets.stderr)
    ? shared(output('stdout', [1, 2], targets.stdout))
    : [output('stdout', [1], targets.stdout), output('stderr', [2], targets.stderr)];
  return {
    list,
    terminal,
    resized() {
      const now = window?.size();
      if (!now || !size || (now.columns === size.columns && now.rows === size.rows)) return 'same';
      size = now;
      for (const pty of ptys) pty.resize(now);
      return ptys.length > 0 ? 'followed' : 'changed';
    },
    close: () => window?.close(),
  };

  /** Node's own pipes can't be shared by two descriptors. */
  function shared(both: Output): readonly Output[] {
    if (both.channel?.stdio !== 'pipe') return [both];
    return [{ ...both, indexes: [1] }, output('stderr', [2], targets.stderr)];
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

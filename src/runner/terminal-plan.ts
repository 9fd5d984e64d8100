/**
 * Where a child has a terminal of its own, and who has the keyboard. Most programs of a pipeline read no keys, so a child
 * in a pipeline gets them while it is seen to; where it is alone with the terminal, or has the whole of it, at once.
 */
import { isatty } from 'node:tty';
import type { Launch } from '../base/launch.ts';
import { inForegroundGroup, isControllingTerminal } from './foreground.ts';
import { sharesGroup } from './job-control.ts';

export interface TerminalPlan {
  readonly keys: 'at_once' | 'when_asked';
  /** The child's standard descriptors that are its own terminal. */
  readonly indexes: readonly (0 | 1 | 2)[];
}

/** `targets`: where the child's outputs go to. */
export function planTerminal(
  targets: { readonly stdout: number; readonly stderr: number },
  { ignored }: Pick<Launch, 'ignored'>,
): TerminalPlan {
  const places = [0, targets.stdout, targets.stderr].map((fd) => isatty(fd) && isControllingTerminal(fd));
  const [stdin = false, stdout = false] = places;
  const indexes = ([0, 1, 2] as const).filter((index) => places[index]);
  const atOnce = { keys: 'at_once', indexes } as const;
  if (stdin && stdout) return atOnce;
  // From the background it must not read from the real terminal, which is its shell's.
  if (stdin && !inForegroundGroup()) return atOnce;
  // A shell without job control has a job that it puts into the background ignore INT, and may read keys itself.
  if (indexes.length > 0 && !ignored.includes('SIGINT') && !sharesGroup()) return atOnce;
  // A standard input that is the terminal stays the real one: who reads from it can't be seen.
  return { keys: 'when_asked', indexes: indexes.filter((index) => index !== 0) };
}

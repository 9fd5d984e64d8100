/** The child's standard input where that is a terminal which is not its own one. */
import { openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isControllingTerminal } from './foreground.ts';
import { isMarkedStdin, STDIN_FLAGS } from './terminal-readers.ts';

/**
 * A standard input that is a terminal, without the right to write to it. Opened by `/dev/tty`, it has no other name: what
 * the child opens by that one is its own terminal. Others are inherited as they are.
 */
export function readOnlyStdin(): number | 'inherit' {
  if (!isatty(0) || isMarkedStdin(0)) return 'inherit';
  const path = isControllingTerminal(0) ? '/dev/tty' : '/proc/self/fd/0';
  try {
    return openSync(path, STDIN_FLAGS);
  } catch {
    return 'inherit';
  }
}

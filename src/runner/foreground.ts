/** Whether a terminal's keyboard signals already reach the child without capwrap's help. */
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { readProcess } from './process-tree.ts';
import { isMarkedStdin } from './terminal-readers.ts';

/** `/dev/tty`: whoever opened it had this terminal, unless it is what an outer run has opened for its child. */
const DEV_TTY = 0x500;

/** False also where there is no /proc (macOS). */
export function hasControllingTerminal(): boolean {
  return (readProcess(process.pid)?.terminal ?? 0) !== 0;
}

/** True where a descriptor leads to this process's controlling terminal, be it in front of it or in the background. */
export function isControllingTerminal(fd: number): boolean {
  const terminal = readProcess(process.pid)?.terminal ?? 0;
  try {
    const { rdev } = fstatSync(fd);
    return terminal !== 0 && (rdev === terminal >>> 0 || (rdev === DEV_TTY && !isMarkedStdin(fd)));
  } catch {
    return false;
  }
}

/**
 * True where this process belongs to the foreground group of its controlling terminal. Then the child stays in that
 * group: it can read from the terminal, and Ctrl-C and Ctrl-Z reach it from the kernel, once. Without /proc (macOS) a
 * terminal on one of the standard descriptors is taken for it.
 */
export function inForegroundGroup(): boolean {
  const self = readProcess(process.pid);
  if (self === null) return [0, 1, 2].some((fd) => isatty(fd));
  return self.terminal !== 0 && self.foreground === self.group;
}

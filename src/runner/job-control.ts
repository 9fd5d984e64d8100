/** What a shell's job control needs to know of processes and their groups (POSIX, 3.157 and 11.1). */

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { listProcesses, readProcess } from './process-tree.ts';

/**
 * True where no shell could continue this process's group once it is stopped: no member has a parent in another group
 * of the same session. The terminal's Ctrl-Z does nothing to such a group.
 */
export function inOrphanedGroup(): boolean {
  const self = readProcess(process.pid);
  if (self === null) return true;
  return !listProcesses().some((member) => {
    if (member.group !== self.group) return false;
    const parent = readProcess(member.parent);
    return parent !== null && parent.session === self.session && parent.group !== self.group;
  });
}

/** Whether Ctrl-Z would stop the child if it were in this process's group: it leaves the signal its default action. */
export function stopsAtCtrlZ(pid: number): boolean {
  return !inOrphanedGroup() && !isSetAside(pid, 'SIGTSTP');
}

/** True where a process ignores a signal or has a handler for it (proc_pid_status(5), SigIgn and SigCgt). */
function isSetAside(pid: number, signal: NodeJS.Signals): boolean {
  try {
    const masks = readFileSync(`/proc/${pid}/status`, 'latin1').matchAll(/^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$/gm);
    const bit = 1n << BigInt(constants.signals[signal] - 1);
    return [...masks].some(([, mask]) => (BigInt(`0x${mask}`) & bit) !== 0n);
  } catch {
    return false;
  }
}

/**
 * Calls `onStopped` when a process has been stopped, by whomever, until it is closed. Node does not hear of that
 * (waitpid(2), WUNTRACED), so this looks now and then.
 */
export function watchStops(pid: number, onStopped: () => void): { close(): void } {
  let seen = 0;
  const timer = setInterval(() => {
    // Once may be on the way back: a continued group goes on one by one.
    seen = readProcess(pid)?.state === 'T' ? seen + 1 : 0;
    if (seen === 2) onStopped();
  }, LOOK_EVERY_MS).unref();
  return { close: () => clearInterval(timer) };
}

const LOOK_EVERY_MS = 150;

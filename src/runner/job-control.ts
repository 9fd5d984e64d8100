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

/** Whether others than those that have led to it are in this process's group, as the other programs of a pipeline are. */
export function sharesGroup(): boolean {
  const lineage = new Set<number>();
  for (let at = readProcess(process.pid); at !== null && !lineage.has(at.pid); at = readProcess(at.parent)) {
    lineage.add(at.pid);
  }
  const group = readProcess(process.pid)?.group;
  return listProcesses().some((member) => member.group === group && !lineage.has(member.pid));
}

/** Whether Ctrl-Z would stop the child if it were in this process's group: it leaves the signal its default action. */
export function stopsAtCtrlZ(pid: number): boolean {
  return !inOrphanedGroup() && !isSetAside(pid, 'SIGTSTP');
}

/**
 * Whether a key that is a signal to the child would be one to capwrap's group as well, were they on one terminal. Not
 * where a shell in there has job control of its own: it ignores TSTP, and gives its jobs groups of their own. And not
 * where a program hands the keys on to another terminal, whose echo looks the same.
 */
export function sharesKeys(pid: number): boolean {
  const child = readProcess(pid);
  // One that is ending has left its terminal already.
  if (child === null || child.terminal === 0) return true;
  if (child.foreground !== child.group || hasJobControl(pid)) return false;
  return !listProcesses().some(({ group, name }) => group === child.foreground && RELAYS.has(name));
}

/** Whether a process is a shell with job control, which ignores TSTP. */
export function hasJobControl(pid: number): boolean {
  return maskHas(pid, 'SigIgn', 'SIGTSTP');
}

/** Programs that show a terminal which is elsewhere, by the name that the kernel has for them. */
const RELAYS: ReadonlySet<string> = new Set([
  ...['ssh', 'mosh-client', 'telnet', 'docker', 'podman', 'kubectl', 'oc', 'lxc', 'incus', 'machinectl'],
  ...[
    'tmux: client',
    'screen',
    'script',
    'dtach',
    'abduco',
    'socat',
    'picocom',
    'minicom',
    'session-manager',
  ],
]);

/** True where a process ignores a signal or has a handler for it (proc_pid_status(5), SigIgn and SigCgt). */
function isSetAside(pid: number, signal: NodeJS.Signals): boolean {
  return maskHas(pid, 'SigIgn', signal) || maskHas(pid, 'SigCgt', signal);
}

function maskHas(pid: number, mask: 'SigIgn' | 'SigCgt', signal: NodeJS.Signals): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const digits = new RegExp(`^${mask}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
    return ((BigInt(`0x${digits}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/**
 * Calls `onStopped` when a process has been stopped, by whomever, until it is closed. Node does not hear of that
 * (waitpid(2), WUNTRACED), so this looks now and then. `startOver`: what was seen before doesn't count, since this process
 * is about to be stopped itself, or goes on and lets the other one go on.
 */
export function watchStops(pid: number, onStopped: () => void): { startOver(): void; close(): void } {
  let seen = 0;
  const timer = setInterval(() => {
    // Once may be on the way back: a continued group goes on one by one.
    seen = readProcess(pid)?.state === 'T' ? seen + 1 : 0;
    if (seen === 2) onStopped();
  }, LOOK_EVERY_MS).unref();
  return {
    startOver() {
      seen = 0;
    },
    close: () => clearInterval(timer),
  };
}

const LOOK_EVERY_MS = 150;

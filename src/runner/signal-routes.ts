/** Whom a signal goes to, by what the terminal has told already. */
import { closeSync, openSync } from 'node:fs';
import type { Resized } from './outputs.ts';
import { childAndDescendants, listProcesses, readProcess, send } from './process-tree.ts';

/** Those that a terminal sends to its foreground group when their key is pressed. */
export const KEYS: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);

export const FOR_FOREGROUND: ReadonlySet<NodeJS.Signals> = new Set([...KEYS, 'SIGSTOP', 'SIGCONT']);

/**
 * A key that the real terminal took for a signal goes where the child's own would have sent it: where a shell in there
 * has job control, to its job. False where that is the child's group anyway.
 */
export function toForeground(pid: number, signal: NodeJS.Signals): boolean {
  const child = readProcess(pid);
  if (child === null || child.foreground <= 0 || child.foreground === child.group) return false;
  return send(-child.foreground, signal);
}

/**
 * Ctrl-C and Ctrl-\ have already reached the child, as has the hang-up of a terminal that is gone, from the shell; a
 * session's leader is the only one that the kernel tells. What remains was sent to capwrap alone.
 */
export function forwardInSharedGroup(pid: number, signal: NodeJS.Signals): void {
  if (signal === 'SIGINT' || signal === 'SIGQUIT') return;
  if (signal === 'SIGHUP' && !terminalIsThere() && !leadsSession()) return;
  send(pid, signal);
}

/**
 * The real terminal is gone, and the child's own goes with it. Of that the kernel tells the child itself, which leads its
 * session; what else is in the child's group would have heard of it from the shell.
 */
export function hangUpWith(pid: number, terminal: { hangUp(): void }): void {
  for (const member of listProcesses()) {
    if (member.group === pid && member.pid !== pid) send(member.pid, 'SIGHUP');
  }
  terminal.hangUp();
}

/**
 * The real terminal has told the group already, but then the child may have asked its own terminal, the one that
 * capwrap reads, before that one followed. A signal without a new size was sent to capwrap alone.
 */
export function resizeInSharedGroup(pid: number, change: Resized): void {
  if (change === 'followed') childAndDescendants(pid, () => true).signal('SIGWINCH');
  else if (change === 'same') send(pid, 'SIGWINCH');
}

function leadsSession(): boolean {
  return readProcess(process.pid)?.session === process.pid;
}

/** False where the real terminal has been hung up. */
export function terminalIsThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

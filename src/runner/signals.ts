/** Signals to capwrap: held before there is a child, handed on while there is one, swallowed after it. */
import { closeSync, openSync } from 'node:fs';
import { ownGroup, send } from './process-tree.ts';

/** Those that ask a process to end. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

export interface Signals {
  /** The first signal that asked for an end before there was a child; then none is to be started. */
  readonly pending: EndingSignal | null;
  /** Aborted together with `pending`: ends what is waited for before there is a child. */
  readonly aborted: AbortSignal;
  /** From now on signals go to this child, until `detach`. `ownGroup`: it leads a group that capwrap made for it. */
  attach(child: { readonly pid: number; readonly ownGroup: boolean }): void;
  /** The child has ended: signals are swallowed, so that the end of the lease and the record are not cut short. */
  detach(): void;
  /** Gives all signals back their default action. */
  dispose(): void;
}

/**
 * Installs the handlers; to be called before anything is waited for. A handler for SIGUSR1 is there from the first
 * moment: without one Node would open its inspector.
 */
export function installSignals(): Signals {
  const listeners = new Map<NodeJS.Signals, () => void>();
  const abort = new AbortController();
  let pending: EndingSignal | null = null;
  let forward: ((signal: NodeJS.Signals) => void) | null = null;
  let before = true;

  function on(signal: NodeJS.Signals, listener: () => void): void {
    listeners.set(signal, listener);
    process.on(signal, listener);
  }

  for (const signal of ENDING) {
    on(signal, () => {
      if (before && pending === null) {
        pending = signal;
        abort.abort();
      }
      forward?.(signal);
    });
  }
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) on(signal, () => forward?.(signal));

  return {
    get pending() {
      return pending;
    },
    aborted: abort.signal,
    attach({ pid, ownGroup: own }) {
      before = false;
      forward = own
        ? (signal) => ownGroup(pid).signal(signal)
        : (signal) => forwardInSharedGroup(pid, signal);
      if (!own) return; // the terminal itself stops, continues and resizes the whole group
      for (const signal of ['SIGWINCH', 'SIGCONT'] as const) on(signal, () => forward?.(signal));
      on('SIGTSTP', () => {
        // The child's group has no parent in its session, and such a group ignores TSTP (POSIX, orphaned groups).
        forward?.('SIGSTOP');
        send(process.pid, 'SIGSTOP');
      });
    },
    detach() {
      forward = null;
    },
    dispose() {
      for (const [signal, listener] of listeners) process.off(signal, listener);
      listeners.clear();
    },
  };
}

const ENDING: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/**
 * Ctrl-C and Ctrl-\ have already reached the child, as has the hang-up of a terminal that is gone. What remains was
 * sent to capwrap alone.
 */
function forwardInSharedGroup(pid: number, signal: NodeJS.Signals): void {
  if (signal === 'SIGINT' || signal === 'SIGQUIT') return;
  if (signal === 'SIGHUP' && !terminalIsThere()) return;
  send(pid, signal);
}

function terminalIsThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

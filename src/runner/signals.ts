/** Signals to capwrap: held before there is a child, handed on while there is one, swallowed after it. */
import { hasJobControl, inOrphanedGroup, stopsAtCtrlZ } from './job-control.ts';
import type { Resized } from './outputs.ts';
import { ownGroup, send } from './process-tree.ts';
import {
  FOR_FOREGROUND,
  forwardInSharedGroup,
  hangUpWith,
  KEYS,
  resizeInSharedGroup,
  terminalIsThere,
  toForeground,
} from './signal-routes.ts';

/** Those that ask a process to end. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

export interface SignalledChild {
  readonly pid: number;
  readonly isRunning: () => boolean;
  /** True where it leads a group that capwrap made for it. */
  readonly ownGroup: boolean;
  /** Where it has a controlling terminal of its own, too. */
  readonly ownTerminal: { readonly hangUp: () => void } | null;
  /** To be called when the terminal may have another size. */
  readonly resized: () => Resized;
  /** INT or TERM came again soon after the first. */
  readonly onRepeated: () => void;
  /** Called before capwrap stops, and when it goes on. */
  readonly onStop?: () => void;
  readonly onContinue?: () => void;
}

export interface Signals {
  /** The first signal that asked for an end before there was a child; then none is to be started. */
  readonly pending: EndingSignal | null;
  /** Aborted together with `pending`: ends what is waited for before there is a child. */
  readonly aborted: AbortSignal;
  /**
   * A child of its own group is about to be started: a stop from now on waits for `attach`, since the child would not be
   * stopped with this process.
   */
  expectOwnGroup(): void;
  /** From now on signals go to this child, until `detach`. */
  attach(child: SignalledChild): void;
  /**
   * A key on the child's own terminal was such a signal: the rest of capwrap's group is told, as the real terminal would
   * have. The child has it already.
   */
  tellGroup(signal: NodeJS.Signals): void;
  /** The child was stopped by somebody else: this process stops as well, so that its shell hears of it. */
  stopWithChild(): void;
  /** The child has ended: signals are swallowed until the lease is ended and recorded, so that the end of the lease and the record are not cut short. */
  detach(): void;
  /** Settles with the first signal that asks for an end after the child's own. */
  readonly askedAfterwards: Promise<EndingSignal>;
  /** Gives all signals back their default action. */
  dispose(): void;
}

/**
 * Installs the handlers; to be called before anything is waited for. A handler for SIGUSR1 is there from the first
 * moment: without one Node would open its inspector. `ignored`: the signals that the caller ignores (`nohup`). They end
 * nothing here, and are handed on like all others, to a child that ignores them too unless it says otherwise.
 */
export function installSignals(ignored: readonly NodeJS.Signals[] = []): Signals {
  const listeners = new Map<NodeJS.Signals, () => void>();
  const abort = new AbortController();
  let pending: EndingSignal | null = null;
  let forward: ((signal: NodeJS.Signals) => void) | null = null;
  let before = true;
  let after = false;
  let askAfterwards: (signal: EndingSignal) => void = () => undefined;
  const askedAfterwards = new Promise<EndingSignal>((resolve) => {
    askAfterwards = resolve;
  });
  /** Signals on their way to this process by `tellGroup`. */
  const told = new Set<NodeJS.Signals>();
  let lastAsked = Number.NEGATIVE_INFINITY;
  let beforeStop: (() => void) | undefined;
  let onStopKey = () => stop(() => undefined);

  /** Stops this process the way that its shell understands, until it is continued. */
  function stop(stopChild: () => void): void {
    stopChild();
    beforeStop?.();
    if (inOrphanedGroup()) {
      send(process.pid, 'SIGSTOP');
      return;
    }
    const listener = listeners.get('SIGTSTP');
    if (listener) process.off('SIGTSTP', listener);
    send(process.pid, 'SIGTSTP');
    if (listener) process.on('SIGTSTP', listener);
  }

  function on(signal: NodeJS.Signals, listener: () => void): void {
    listeners.set(signal, listener);
    process.on(signal, listener);
  }

  for (const signal of ENDING) {
    on(signal, () => {
      if (before && pending === null && !ignored.includes(signal)) {
        pending = signal;
        abort.abort();
      }
      if (after) askAfterwards(signal);
      forward?.(signal);
    });
  }
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) on(signal, () => forward?.(signal));

  return {
    get pending() {
      return pending;
    },
    aborted: abort.signal,
    expectOwnGroup: () => on('SIGTSTP', () => onStopKey()),
    attach({ pid, isRunning, ownGroup: own, ownTerminal, resized, onRepeated, onStop, onContinue }) {
      before = false;
      beforeStop = onStop;
      let isHungUp = false;
      const handOn = (signal: NodeJS.Signals) => {
        if (!own) return forwardInSharedGroup(pid, signal);
        if (ownTerminal && signal === 'SIGHUP' && !terminalIsThere()) {
          // Once, whoever sees first that the real one is gone: the shell may tell as well.
          if (!isHungUp) hangUpWith(pid, ownTerminal);
          isHungUp = true;
          return;
        }
        const taken = ownTerminal && FOR_FOREGROUND.has(signal) && toForeground(pid, signal);
        if (!taken || !KEYS.has(signal)) ownGroup(pid, isRunning).signal(signal);
      };
      forward = (signal) => {
        if (told.delete(signal)) return askedAgain(signal);
        handOn(signal);
        askedAgain(signal);
      };
      const askedAgain = (signal: NodeJS.Signals) => {
        if ((signal !== 'SIGINT' && signal !== 'SIGTERM') || ignored.includes(signal)) return;
        const now = performance.now();
        if (now - lastAsked < REPEATED_WITHIN_MS) onRepeated();
        lastAsked = now;
      };
      on('SIGWINCH', () => {
        const change = resized();
        if (!forward || change === 'told') return;
        if (own) forward('SIGWINCH');
        else resizeInSharedGroup(pid, change);
      });
      if (!own) return; // the terminal itself stops and continues the whole group
      on('SIGCONT', () => {
        onContinue?.();
        forward?.('SIGCONT');
      });
      onStopKey = () => {
        // A shell in there can't go on when the other programs of its pipeline are stopped.
        const stops = !ownTerminal || stopsAtCtrlZ(pid) || (hasJobControl(pid) && !inOrphanedGroup());
        // The child's group has no parent in its session, and such a group ignores TSTP (POSIX, orphaned groups).
        if (stops) stop(() => forward?.('SIGSTOP'));
        else forward?.('SIGTSTP');
      };
    },
    stopWithChild: () => stop(() => undefined),
    tellGroup(signal) {
      if (signal !== 'SIGTSTP') told.add(signal);
      send(0, signal);
    },
    askedAfterwards,
    detach() {
      after = true;
      forward = null;
    },
    dispose() {
      for (const [signal, listener] of listeners) process.off(signal, listener);
      listeners.clear();
    },
  };
}

const ENDING: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** Whoever asks again within this time was not heard. */
const REPEATED_WITHIN_MS = 5000;

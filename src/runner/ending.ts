/** Ends the child on capwrap's own account: TERM, and after a grace KILL. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessTree } from './process-tree.ts';

/**
 * Why capwrap ended the child: the grant's time was over, an ending signal came twice, a secret was in the output, its code
 * was changed, or capwrap itself has failed.
 */
export const END_REASONS = ['time_limit', 'repeated_signal', 'leak', 'changed', 'fault'] as const;
export type EndReason = (typeof END_REASONS)[number];

export interface Ending {
  /** The first reason for which the processes were asked to end; null while they were not. */
  readonly reason: EndReason | null;
  /** Asks them to end; only the first call does anything. */
  begin(reason: EndReason): void;
  /**
   * To be awaited once the child has ended. Returns at once where nothing was begun; else when the other processes are
   * gone too, at the latest when the grace is over and KILL was sent.
   */
  settle(): Promise<void>;
}

/** `graceMs`: from TERM to KILL. CONT follows TERM, because a stopped process would not see it. */
export function createEnding(tree: ProcessTree, graceMs: number): Ending {
  let reason: EndReason | null = null;
  let killAt = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    get reason() {
      return reason;
    },
    begin(why) {
      if (reason !== null) return;
      reason = why;
      killAt = performance.now() + graceMs;
      timer = setTimeout(() => tree.signal('SIGKILL'), graceMs);
      tree.signal('SIGTERM');
      tree.signal('SIGCONT');
    },
    async settle() {
      if (reason === null) return;
      while (performance.now() < killAt && tree.alive()) await sleep(POLL_MS);
      clearTimeout(timer);
      if (tree.alive()) tree.signal('SIGKILL');
    },
  };
}

const POLL_MS = 20;

/** Ends the child when the grant's time is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessTree } from './process-tree.ts';

export interface TimeLimit {
  /** True from the moment that the processes were asked to end. */
  readonly reached: boolean;
  /**
   * To be awaited once the child has ended. Returns at once where the limit was not reached; else when the other
   * processes are gone too, at the latest when the grace is over and KILL was sent.
   */
  settle(): Promise<void>;
}

/**
 * Sends TERM at the deadline, by the wall clock, and KILL when `killAfterMs` have passed. CONT follows TERM, because a
 * stopped process would not see it.
 */
export function enforceTimeLimit(tree: ProcessTree, deadline: Date, killAfterMs: number): TimeLimit {
  let timer: NodeJS.Timeout;
  let killAt: number | null = null;

  function check(): void {
    const left = deadline.getTime() - Date.now();
    if (left > 0) {
      timer = setTimeout(check, Math.min(left, LONGEST_SLEEP_MS));
      return;
    }
    killAt = performance.now() + killAfterMs;
    timer = setTimeout(() => tree.signal('SIGKILL'), killAfterMs);
    tree.signal('SIGTERM');
    tree.signal('SIGCONT');
  }
  check();

  return {
    get reached() {
      return killAt !== null;
    },
    async settle() {
      while (killAt !== null && performance.now() < killAt && tree.alive()) await sleep(POLL_MS);
      clearTimeout(timer);
      if (killAt !== null && tree.alive()) tree.signal('SIGKILL');
    },
  };
}

/** Timers stand still while the machine is suspended, and the clock can be set: look again this often. */
const LONGEST_SLEEP_MS = 5000;
const POLL_MS = 20;

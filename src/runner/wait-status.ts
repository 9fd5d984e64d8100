/** How a process ended, where Node can't tell: a death by a real-time signal looks to it like an exit with status 0. */
import { readStat } from './process-tree.ts';

/** Linux: SIGRTMIN to SIGRTMAX, as the kernel counts. */
const FIRST_REAL_TIME = 32;
const LAST_REAL_TIME = 64;
/** Set in a process's flags (proc_pid_stat(5), field 9) from the moment that it begins to end: PF_EXITING. */
const EXITING = 0x4;
/** What a process that is ending takes to become a zombie, on a machine under load. */
const LONGEST_LOOK_MS = 1000;

/**
 * The number of the real-time signal that ended process `pid`, or null where it ended otherwise or that can't be seen.
 * To be called when its output has ended and before Node has waited for it: in between it is a zombie that keeps its
 * wait status (proc_pid_stat(5), field 52). Node hears of both in the same turn, and of the output first.
 */
export function realTimeSignalOf(pid: number): number | null {
  const until = performance.now() + LONGEST_LOOK_MS;
  do {
    const fields = readStat(pid)?.fields;
    if (fields === undefined) return null;
    if (fields[0] !== 'Z') {
      // One that has only closed its output lives on.
      if ((Number(fields[6]) & EXITING) === 0) return null;
      continue;
    }
    const signal = Number(fields[49]) & 0x7f;
    return signal >= FIRST_REAL_TIME && signal <= LAST_REAL_TIME ? signal : null;
  } while (performance.now() < until);
  return null;
}

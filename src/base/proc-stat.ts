/** What Linux tells of a process in `/proc/PID/stat`. */
import { readFileSync } from 'node:fs';

export interface ProcStat {
  /** As `/proc` counts it, which in a sandbox may be that of another PID namespace. */
  readonly pid: number;
  readonly name: string;
  /** From the third field of proc_pid_stat(5) on, the state: the number there less 3. */
  readonly fields: readonly string[];
}

/** Throws the system's error where there is no such process, or no /proc. */
export function readProcStat(pid: number | 'self'): ProcStat {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name may hold blanks and brackets.
  const end = stat.lastIndexOf(')');
  return {
    pid: Number.parseInt(stat, 10),
    name: stat.slice(stat.indexOf('(') + 1, end),
    fields: stat.slice(end + 2).split(' '),
  };
}

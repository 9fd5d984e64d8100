/**
 * What the launcher tells of the moment before Node (see bin/capwrap.js): things that Node has already changed when its
 * first script runs.
 */
import { constants } from 'node:os';

export interface Launch {
  /** The descriptors that the caller left open, or null where that isn't known. */
  readonly descriptors: ReadonlySet<number> | null;
  /** The signals that the caller had this process ignore, as `nohup` does. A child is to ignore them as well. */
  readonly ignored: readonly NodeJS.Signals[];
  /** Read ends of pipes that belong to nobody else yet; each holds this process's number, as a mark. */
  readonly pipes: readonly number[];
}

/** Without a launcher, as under `node dist/start.js`. */
export const NO_LAUNCHER: Launch = { descriptors: null, ignored: [], pipes: [] };

/** The variable that the launcher leaves; it is always set anew there, and no child gets it. */
export const LAUNCH_VARIABLE = 'CAPWRAP_LAUNCHER';

/** Reads the launcher's variable. What was left for another process, or by anything else, counts as none. */
export function parseLaunch(text: string | undefined, pid: number): Launch {
  const match = /^pid=(\d+) fds=([\d,]*) ignored=([0-9a-f]*) pipes=([\d,]*)$/.exec(text ?? '');
  if (match === null || Number(match[1]) !== pid) return NO_LAUNCHER;
  const [, , descriptors = '', ignored = '', pipes = ''] = match;
  return {
    descriptors: descriptors === '' ? null : new Set(numbers(descriptors)),
    ignored: ignoredSignals(BigInt(`0x${ignored || '0'}`)),
    pipes: numbers(pipes),
  };
}

function numbers(list: string): number[] {
  return list.split(',').filter(Boolean).map(Number);
}

/** `mask` is the field SigIgn of proc_pid_status(5): bit n - 1 stands for signal n. */
function ignoredSignals(mask: bigint): NodeJS.Signals[] {
  const isIgnored = (signal: NodeJS.Signals) => ((mask >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
  // A bash that serves as `sh` ignores QUIT itself; a caller that ignores QUIT (`command &`) ignores INT as well.
  return INHERITED.filter((signal) => isIgnored(signal) && (signal !== 'SIGQUIT' || isIgnored('SIGINT')));
}

/** Those that callers set aside on purpose; Node itself ignores PIPE. */
const INHERITED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTSTP',
];

/** What capwrap may send signals to: a group that it created, or else the child and its descendants, never more. */
import { namesIn } from '../base/names-in.ts';
import { type ProcStat, readProcStat } from '../base/proc-stat.ts';

/** The processes of one run. Signals to what is already gone are lost quietly. */
export interface ProcessTree {
  /** Sends a signal to all of them. */
  signal(name: NodeJS.Signals): void;
  /** True while one of those that were reached is still there. */
  alive(): boolean;
}

/**
 * The group that the child leads: only for a child that capwrap gives a group of its own. `running` says whether it has
 * not been waited for yet: while it is being set up it may be without the group.
 */
export function ownGroup(pid: number, running: () => boolean): ProcessTree {
  return {
    signal: (name) => void (send(-pid, name) || (running() && send(pid, name))),
    // A zombie that nobody waits for, as where a container has no init, is a member, too.
    alive: () => send(-pid, 0) && (readProcess(process.pid) === null || hasMembers(pid)),
  };
}

function hasMembers(group: number): boolean {
  return listProcesses().some((process) => process.group === group);
}

/**
 * The session that the child leads, with the groups that a shell in there has made. Those that have left it for a
 * session of their own can't be told from strangers.
 */
export function ownSession(pid: number, running: () => boolean): ProcessTree {
  const leader = ownGroup(pid, running);
  const others = () => {
    const members = listProcesses().filter(({ session, group }) => session === pid && group !== pid);
    return [...new Set(members.map(({ group }) => group))];
  };
  return {
    signal(name) {
      for (const group of others()) send(-group, name);
      leader.signal(name);
    },
    alive: () => leader.alive() || others().length > 0,
  };
}

/**
 * A child in a group that capwrap shares with others, with the descendants it has at the time of each signal. Those
 * found once are kept, so that the last signal reaches also one whose parent has ended since. Without /proc (macOS)
 * only the child itself can be told apart from the rest of the group. `running` says whether the child has not been
 * waited for yet: afterwards its number may be somebody else's.
 */
export function childAndDescendants(pid: number, running: () => boolean): ProcessTree {
  const known = new Map<number, string>();
  const reachable = () => {
    const members = [...known].filter(([member, start]) => readProcess(member)?.start === start);
    return [...(running() ? [pid] : []), ...members.map(([member]) => member)];
  };
  return {
    signal(name) {
      for (const { pid: member, start } of descendantsOf(pid)) known.set(member, start);
      for (const member of reachable()) send(member, name);
    },
    alive: () => reachable().length > 0,
  };
}

/** Sends a signal, 0 to only ask; false where there is nothing to receive it. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

export interface ProcessEntry {
  readonly pid: number;
  /** As the kernel has it: at most 15 characters. */
  readonly name: string;
  /** One letter: R, S, D, T, … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Device number of the controlling terminal, 0 for none. */
  readonly terminal: number;
  /** The terminal's foreground group. */
  readonly foreground: number;
  /** Clock ticks since boot; tells two processes of the same number apart. */
  readonly start: string;
}

/** The name, and the fields behind it from the state on, of proc_pid_stat(5); null where there is no such process. */
export function readStat(pid: number): ProcStat | null {
  try {
    return readProcStat(pid);
  } catch {
    return null;
  }
}

/** One process as proc_pid_stat(5) shows it; null where it is gone, has ended, or there is no /proc. */
export function readProcess(pid: number): ProcessEntry | null {
  const stat = readStat(pid);
  const [state = '', ...fields] = stat?.fields ?? [];
  if (stat === null || state === 'Z' || state === 'X') return null;
  const [parent = 0, group = 0, session = 0, terminal = 0, foreground = 0] = fields.map(Number);
  return {
    pid,
    name: stat.name,
    state,
    parent,
    group,
    session,
    terminal,
    foreground,
    start: fields[18] ?? '',
  };
}

/**
 * The members of a session, at each call. Only processes that were not there at the call before are looked at: nobody
 * enters a session but by being started in it.
 */
export function watchSession(session: number): () => readonly number[] {
  let others = new Set<number>();
  return () => {
    const all = pids();
    const now = all.filter((pid) => !others.has(pid) && readProcess(pid)?.session === session);
    const members = new Set(now);
    others = new Set(all.filter((pid) => !members.has(pid)));
    return now;
  };
}

function descendantsOf(pid: number): ProcessEntry[] {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of listProcesses()) {
    const siblings = children.get(entry.parent);
    if (siblings) siblings.push(entry);
    else children.set(entry.parent, [entry]);
  }
  const found: ProcessEntry[] = [];
  const parents = [pid];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const child of children.get(parent) ?? []) {
      found.push(child);
      parents.push(child.pid);
    }
  }
  return found;
}

/** All processes that can be seen; none where there is no /proc. */
export function listProcesses(): ProcessEntry[] {
  const entries = pids().map(readProcess);
  return entries.filter((entry) => entry !== null);
}

function pids(): number[] {
  return namesIn('/proc').map(Number).filter(Number.isInteger);
}

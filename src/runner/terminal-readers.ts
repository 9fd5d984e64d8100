/** Who in the child's session wants keys from its terminal: whoever has opened it by name, to read from it. */
import { constants, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hasJobControl } from './job-control.ts';
import { listProcesses } from './process-tree.ts';

/**
 * How the child gets a real terminal as its standard input. Opened by the same name as its own, it would look as that one
 * does in /proc; O_APPEND, which means nothing there, tells them apart.
 */
export const STDIN_FLAGS = constants.O_RDONLY | constants.O_NOCTTY | constants.O_APPEND;

/** Whether a descriptor is a standard input of that kind (proc_pid_fdinfo(5), flags). */
export function isMarkedStdin(fd: number, pid: number | 'self' = 'self'): boolean {
  const flags = flagsOf(pid, fd);
  return flags !== null && (flags & ACCESS) === constants.O_RDONLY && (flags & constants.O_APPEND) !== 0;
}

/**
 * Whether a process of `session` has `path`, its controlling terminal, open for reading. A shell with job control
 * doesn't count: it has the terminal open for that. Where it can't be told, it is taken for a reader: of a process of
 * another user (`sudo`), or where whoever has the terminal open isn't found.
 */
export function hasReader(session: number, path: string): boolean {
  let found = false;
  for (const { pid, session: its } of listProcesses()) {
    if (its !== session) continue;
    const modes = modesOf(pid, path);
    if (modes === null) return true;
    found ||= modes.length > 0;
    if (modes.some((mode) => mode !== constants.O_WRONLY) && !hasJobControl(pid)) return true;
  }
  return !found;
}

/** How a process has the terminal open, by descriptor; null where it may not be looked at. */
function modesOf(pid: number, path: string): readonly number[] | null {
  let fds: readonly string[];
  try {
    fds = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? null : [];
  }
  return fds.flatMap((name) => {
    const fd = Number(name);
    const flags = isNamed(pid, fd, path) && !isMarkedStdin(fd, pid) ? flagsOf(pid, fd) : null;
    return flags === null ? [] : [flags & ACCESS];
  });
}

const ACCESS = 0o3;

function isNamed(pid: number, fd: number, path: string): boolean {
  try {
    const name = readlinkSync(`/proc/${pid}/fd/${fd}`);
    return name === '/dev/tty' || name === path;
  } catch {
    return false;
  }
}

function flagsOf(pid: number | 'self', fd: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1');
    return Number.parseInt(/^flags:\s*(\d+)$/m.exec(text)?.[1] ?? '', 8);
  } catch {
    return null;
  }
}

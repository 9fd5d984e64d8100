/** Who in the child's session wants keys from its terminal. */
import { constants, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hasJobControl } from './job-control.ts';
import { watchSession } from './process-tree.ts';

/**
 * Descriptors that capwrap opens for the child, on a terminal that keys are not relayed to yet, have this flag: it means
 * nothing to a terminal, their copies have it as well, and /proc shows it. So what the child opens by itself stands out.
 */
const MARK = constants.O_APPEND;
/** A real terminal as the child's standard input. */
export const STDIN_FLAGS = constants.O_RDONLY | constants.O_NOCTTY | MARK;
/** The child's own terminal, and the same as its standard output or error. */
export const OWN_FLAGS = constants.O_RDWR | constants.O_NOCTTY;
export const OUTPUT_FLAGS = OWN_FLAGS | MARK;

/** Whether a descriptor of this process's is a standard input of that kind. */
export function isMarkedStdin(fd: number): boolean {
  const flags = flagsOf('self', fd);
  return flags !== null && (flags & ACCESS) === constants.O_RDONLY && (flags & MARK) !== 0;
}

/**
 * Tells at each call whether a process of `session` reads from `path`, its controlling terminal, or is about to:
 * - it has opened the terminal by itself, not only to write; a shell with job control does so without reading there;
 * - it has made one of its outputs its standard input, as an editor does;
 * - it waits for a key on an output, as some pagers do, or it is such a shell and waits for a key. It counts for as long
 *   as it is there.
 * A process that may not be looked at, another user's (`sudo`), is taken for one.
 */
export function watchReaders(session: number, path: string): () => boolean {
  const members = watchSession(session);
  let waiting: ReadonlySet<number> = new Set();
  return () => {
    const now = members();
    waiting = new Set(now.filter((pid) => waiting.has(pid) || waitsForKey(pid, path)));
    return waiting.size > 0 || now.some((pid) => hasOpened(pid, path));
  };
}

function hasOpened(pid: number, path: string): boolean {
  let fds: readonly string[];
  try {
    fds = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
  const reads = fds.some((name) => {
    const end = readableEnd(pid, Number(name), path);
    return end === 'opened' || (end === 'given' && name === '0');
  });
  return reads && !hasJobControl(pid);
}

/** Whether a process is in read(2) on the terminal; false where the system doesn't tell (proc_pid_syscall(5)). */
function waitsForKey(pid: number, path: string): boolean {
  try {
    const [call, first = ''] = readFileSync(`/proc/${pid}/syscall`, 'latin1').split(' ');
    const end = call === READ ? readableEnd(pid, Number(first), path) : null;
    return end === 'given' || (end === 'opened' && hasJobControl(pid));
  } catch {
    return false;
  }
}

/** The number of read(2). */
const READ = process.arch === 'arm64' ? '63' : '0';
const ACCESS = 0o3;

/** Null where a descriptor is not the terminal, or not open for reading; else whether capwrap gave it to the child. */
function readableEnd(pid: number, fd: number, path: string): 'given' | 'opened' | null {
  try {
    const name = readlinkSync(`/proc/${pid}/fd/${fd}`);
    if (name !== '/dev/tty' && name !== path) return null;
    const flags = flagsOf(pid, fd);
    if (flags === null || (flags & ACCESS) === constants.O_WRONLY) return null;
    if ((flags & MARK) === 0) return 'opened';
    return name === path ? 'given' : null; // the other is the real terminal
  } catch {
    return null;
  }
}

/** How a descriptor was opened (proc_pid_fdinfo(5)); null where that can't be seen. */
function flagsOf(pid: number | 'self', fd: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1');
    return Number.parseInt(/^flags:\s*(\d+)$/m.exec(text)?.[1] ?? '', 8);
  } catch {
    return null;
  }
}

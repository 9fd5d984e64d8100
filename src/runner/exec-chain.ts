/**
 * Programs that set something up in the child's own process and then become the command (exec). No second process is
 * there at any time.
 */
import { readFileSync, statSync } from 'node:fs';
import type { StartableCommand } from './command-error.ts';

export interface ExecChain {
  readonly file: string;
  /** The first word is the name under which the program is started. */
  readonly argv: readonly string[];
}

/**
 * The command, started so that it
 * - has the terminal on its standard input for its own, in a session of its own (set by util-linux's `setsid`), where
 *   `ownTerminal` says so,
 * - is killed by the kernel when capwrap dies (PR_SET_PDEATHSIG(2const), set by util-linux's `setpriv`), and
 * - ignores the signals that the caller ignores, which Node resets in its children (set by coreutils' `env`).
 * What the system has no tool for is left out.
 *
 * The command keeps the name it was typed under, and these programs look it up on the child's PATH just as it was
 * resolved; one whose content is pinned is named by its path.
 */
export function execChain(
  command: StartableCommand,
  { ignored, ownTerminal }: { readonly ignored: readonly NodeJS.Signals[]; readonly ownTerminal: boolean },
): ExecChain {
  const [typed = command.path, ...args] = command.argv;
  const setsid = ownTerminal ? toolWith(SETSID, 'ctty') : null;
  const setpriv = process.platform === 'linux' ? toolWith(SETPRIV, 'pdeathsig') : null;
  // A name with "=" would be an assignment to `env`.
  const env = ignored.length > 0 && !command.path.includes('=') && toolWith(ENV, 'ignore-signal');
  const words = [
    ...(setsid ? [setsid, '--ctty', '--'] : []),
    ...(setpriv ? [setpriv, '--pdeathsig', 'KILL', '--'] : []),
    ...(env ? [env, `--ignore-signal=${ignored.map((name) => name.slice(3)).join(',')}`, '--'] : []),
  ];
  const [first] = words;
  if (first === undefined) return { file: command.path, argv: [typed, ...args] };
  return { file: first, argv: [...words, command.sha256 === null ? typed : command.path, ...args] };
}

/** Whether the kernel ends the child when capwrap is killed. */
export function diesWithCapwrap(): boolean {
  return process.platform === 'linux' && toolWith(SETPRIV, 'pdeathsig') !== null;
}

/** Whether the system has what it takes to give the child a terminal of its own. */
export function canTakeTerminal(): boolean {
  return process.platform === 'linux' && toolWith(SETSID, 'ctty') !== null;
}

const SETSID = ['/usr/bin/setsid', '/bin/setsid'];
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'];
const ENV = ['/usr/bin/env', '/bin/env'];
/** Both tools are far smaller; BusyBox's versions lack the options. */
const LARGEST_TOOL = 1024 * 1024;

/**
 * The first of these programs that is the system's own (root's, writable by nobody else) and knows the option: older
 * ones don't, and to ask one by starting it would take a process.
 */
function toolWith(paths: readonly string[], option: string): string | null {
  for (const path of paths) {
    try {
      const { uid, mode, size } = statSync(path);
      if (uid !== 0 || (mode & 0o022) !== 0 || size > LARGEST_TOOL) continue;
      if (readFileSync(path).includes(option)) return path;
    } catch {
      // not there
    }
  }
  return null;
}

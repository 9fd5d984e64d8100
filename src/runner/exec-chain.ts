/**
 * Programs that set something up in the child's own process and then become the command (exec). No second process is
 * there at any time.
 */
import type { StartableCommand } from './command-error.ts';
import type { ShellPassage } from './shell-passage.ts';
import { systemTool } from './system-tool.ts';

export interface ExecChain {
  readonly file: string;
  /** The first word is the name under which the program is started. */
  readonly argv: readonly string[];
}

/**
 * How the child takes the terminal that is to be its controlling one. `stdin`: it is its standard input. A name: its
 * standard input is something else, and the terminal is opened by this name, in a session that the child leads already.
 */
export type Taking = 'stdin' | { readonly path: string; readonly passage: ShellPassage };

/**
 * The command, started so that it
 * - has a terminal for its own, where `taking` says so: as its standard input, by util-linux's `setsid`; by name, by a
 *   shell, since whoever leads a session without a terminal gets the one that it opens (tty_ioctl(4), TIOCSCTTY),
 * - is killed by the kernel when capwrap dies (PR_SET_PDEATHSIG(2const), set by util-linux's `setpriv`), and
 * - ignores the signals that the caller ignores, which Node resets in its children (set by coreutils' `env`).
 * What the system has no tool for is left out.
 *
 * The command keeps the name it was typed under, and these programs look it up on the child's PATH just as it was
 * resolved; one whose content is pinned is named by its path.
 */
export function execChain(
  command: StartableCommand,
  { ignored, taking }: { readonly ignored: readonly NodeJS.Signals[]; readonly taking: Taking | null },
): ExecChain {
  const [typed = command.path, ...args] = command.argv;
  const setsid = taking === 'stdin' ? systemTool(SETSID, 'ctty') : null;
  const named = taking === 'stdin' ? null : taking;
  const death = deathWords();
  // A name with "=" would be an assignment to `env`.
  const canIgnore = named !== null || !command.path.includes('=');
  const env = ignored.length > 0 && canIgnore ? systemTool(ENV, 'ignore-signal') : null;
  const ignoring = env === null ? [] : [`--ignore-signal=${ignored.map((name) => name.slice(3)).join(',')}`];
  const words =
    named === null
      ? [
          ...(setsid ? [setsid, '--ctty', '--'] : []),
          ...death,
          ...(env === null ? [] : [env, ...ignoring, '--']),
        ]
      : [...takeByName(named, ignoring), ...death];
  const [first] = words;
  if (first === undefined) return { file: command.path, argv: [typed, ...args] };
  return { file: first, argv: [...words, command.sha256 === null ? typed : command.path, ...args] };
}

/** The words before the terminal's name are the shell's script, those behind it what the shell becomes. */
function takeByName({ path, passage }: Exclude<Taking, 'stdin'>, ignoring: readonly string[]) {
  const unset = passage.unset.flatMap((name) => ['-u', name]);
  const env = [systemTool(ENV) ?? 'env', ...unset, ...ignoring, '--', ...passage.set];
  return [SHELL, '-c', ': <"$0"; exec "$@"', path, ...env];
}

/** Whether the kernel ends the child when capwrap is killed. */
export function diesWithCapwrap(): boolean {
  return deathWords().length > 0;
}

function deathWords(): readonly string[] {
  const setpriv = process.platform === 'linux' ? systemTool(SETPRIV, 'pdeathsig') : null;
  return setpriv ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];
}

/** Whether the system has what it takes to give the child a terminal of its own as its standard input. */
export function canTakeTerminal(): boolean {
  return process.platform === 'linux' && systemTool(SETSID, 'ctty') !== null;
}

/** The same by name; a command whose own name looks like an assignment needs `setpriv` between `env` and itself. */
export function canTakeByName(path: string): boolean {
  if (process.platform !== 'linux' || systemTool([SHELL]) === null || systemTool(ENV) === null) return false;
  return !path.includes('=') || diesWithCapwrap();
}

const SHELL = '/bin/sh';
const SETSID = ['/usr/bin/setsid', '/bin/setsid'];
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'];
const ENV = ['/usr/bin/env', '/bin/env'];

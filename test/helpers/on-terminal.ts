/** A real terminal for tests: python3's pty module, because Node can't open one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { execa } from 'execa';
import { ROOT } from './cli.ts';

/** Null where terminals can be tested, else why not. */
export const NO_TERMINALS =
  spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status === 0
    ? null
    : 'needs python3 3.9 or newer for its pty module';

export interface Step {
  /** Text on the screen that must come first. */
  readonly wait: string;
  readonly type?: string;
  /** A pattern; what its first group matched last, up to the text waited for, is typed with Return. */
  readonly type_shown?: string;
  readonly signal?: NodeJS.Signals;
  /** A file to write: path and new text. */
  readonly replace?: readonly [path: string, text: string];
}

export interface TerminalRun {
  /** Exit status, negative for a signal. */
  readonly status: number;
  /** All that was shown, what was typed included, with the terminal's line ends. */
  readonly screen: string;
}

/** Runs `argv` with a controlling terminal of its own. */
export async function onTerminal(
  argv: readonly string[],
  steps: readonly Step[],
  options: { readonly cwd?: string } = {},
): Promise<TerminalRun> {
  const driver = join(ROOT, 'test', 'helpers', 'on-terminal.py');
  const { stdout } = await execa('python3', [driver, JSON.stringify(steps), ...argv], {
    stdin: 'ignore',
    ...options,
  });
  return JSON.parse(stdout) as TerminalRun;
}

/** A dialogue on a real terminal: each answer is typed once its question is shown. */
import { writeFileSync } from 'node:fs';
import { NO_PTY, openTerminal, until } from './terminal.ts';

/** Null where terminals can be tested, else why not. */
export const NO_TERMINALS = NO_PTY;

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

/**
 * Runs `argv` with a controlling terminal of its own. Where it ends before all steps were taken, the screen tells why.
 */
export async function onTerminal(
  argv: readonly string[],
  steps: readonly Step[],
  { cwd = process.cwd() }: { readonly cwd?: string } = {},
): Promise<TerminalRun> {
  const env = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const terminal = openTerminal(argv, { cwd, env: Object.fromEntries(env) });
  let over = false;
  const ended = terminal.ended.finally(() => (over = true));
  let seen = 0;
  for (const step of steps) {
    const shown = () => terminal.screen().indexOf(step.wait, seen);
    await until(
      `"${step.wait}" is shown`,
      () => over || shown() >= 0,
      () => JSON.stringify(terminal.screen()),
    );
    if (shown() < 0) break;
    seen = shown() + step.wait.length;
    if (step.signal) process.kill(terminal.pid, step.signal);
    else if (step.replace) writeFileSync(...step.replace);
    else terminal.type(step.type ?? `${lastGroup(step.type_shown, terminal.screen().slice(0, seen))}\n`);
  }
  const { exitCode, signal } = await ended;
  return { status: signal === null ? exitCode : -signal, screen: terminal.screen() };
}

function lastGroup(pattern = '', text: string): string {
  return [...text.matchAll(new RegExp(pattern, 'g'))].at(-1)?.[1] ?? '';
}

/** What is known of the child when it has ended. */
import type { EndReason } from './ending.ts';
import type { TerminalMode } from './outputs.ts';

export interface ChildResult {
  /** Null where no child was started: a signal came first, or `spawnError`. */
  readonly startedPid: number | null;
  /** The system's code of a failed start (`ENOENT`, `E2BIG`, …), or null. */
  readonly spawnError: string | null;
  readonly exitCode: number | null;
  /** The signal that ended the child, or that kept it from being started. */
  readonly signal: NodeJS.Signals | null;
  /** The number of the real-time signal that ended it, which has no name; then `exitCode` and `signal` are null. */
  readonly realTimeSignal: number | null;
  readonly durationMs: number;
  /** Why capwrap asked the child to end, or null where it didn't. */
  readonly endReason: EndReason | null;
  /** True where a secret was in the output and the map wants the run to fail for it. */
  readonly leaked: boolean;
  /** Path of the command's code that was changed after it was looked at; null where none was. */
  readonly changed: string | null;
  /** How the child had the terminal; null where its output went to none. */
  readonly terminal: TerminalMode | null;
  /** Replacements by stream; where both go to the same place, all of them count for stdout. */
  readonly masked: { readonly stdout: number; readonly stderr: number };
  /**
   * Resolves when all output is written: null, or the code of the error that cut it short (ENOSPC, …); a reader that
   * went away is none. The child has been read empty before that: a slow reader delays neither the end of the lease
   * nor the record.
   */
  readonly written: Promise<string | null>;
}

/** The result where there was no child. */
export function notStarted(why: Partial<Pick<ChildResult, 'signal' | 'spawnError'>>): ChildResult {
  return {
    startedPid: null,
    spawnError: null,
    exitCode: null,
    signal: null,
    realTimeSignal: null,
    durationMs: 0,
    endReason: null,
    leaked: false,
    changed: null,
    terminal: null,
    masked: { stdout: 0, stderr: 0 },
    written: Promise.resolve(null),
    ...why,
  };
}

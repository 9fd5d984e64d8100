/** What every command gets: the world as values, and where to write. */
import type { ChalkInstance } from 'chalk';
import type { AdminConfig } from '../base/admin-config.ts';
import type { Ambient } from '../base/ambient.ts';

export interface CommandContext {
  readonly ambient: Ambient;
  readonly admin: AdminConfig;
  /** True with `--json`: a tool reads the output. */
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Colours for standard output and standard error; plain where that stream is no terminal. */
  readonly colors: { readonly stdout: ChalkInstance; readonly stderr: ChalkInstance };
  /** Writes text to standard output; resolves once it is handed over, and quietly stops when the reader is gone. */
  readonly out: (text: string) => Promise<void>;
  /** Writes one line of capwrap's own to standard error. */
  readonly err: (line: string) => void;
}

/** A command answers with its exit status: 0 fine, 1 findings; faults are thrown as CapwrapError. */
export type Command<Options> = (context: CommandContext, options: Options) => Promise<number>;

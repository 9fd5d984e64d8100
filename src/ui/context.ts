/** What every command gets: the world as values, and where to write. */
import { isatty } from 'node:tty';
import { Chalk, type ChalkInstance } from 'chalk';
import { type AdminConfig, readAdminConfig } from '../base/admin-config.ts';
import type { Ambient } from '../base/ambient.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { writeNow } from './write-now.ts';

/** The world of one invocation. */
export interface CommandContext {
  readonly ambient: Ambient;
  readonly admin: AdminConfig;
  /** True with `--json`: a tool reads the output. */
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Colours for standard output and standard error; plain where that stream is no terminal. */
  readonly colors: { readonly stdout: ChalkInstance; readonly stderr: ChalkInstance };
  /** True where standard output is a terminal. */
  readonly terminal?: boolean;
  /** How wide the terminal is where standard output is one. */
  readonly columns?: number | undefined;
  /** Writes text to standard output; resolves once it is handed over, and quietly stops when the reader is gone. */
  readonly out: (text: string) => Promise<void>;
  /** Writes one line of capwrap's own to standard error. */
  readonly err: (line: string) => void;
}

/** The options that every command understands. */
export interface CommonOptions {
  readonly map?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly color: boolean;
}

/** Builds the context from the environment and the options of the command line. */
export function createContext(ambient: Ambient, options: CommonOptions): CommandContext {
  const colorsOf = (fd: number) => new Chalk({ level: wantsColor(fd, ambient, options) ? 1 : 0 });
  return {
    ambient,
    admin: readAdminConfig(ambient.uid),
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    debug: options.debug ?? false,
    colors: { stdout: colorsOf(1), stderr: colorsOf(2) },
    terminal: isatty(1),
    get columns() {
      return options.json || !isatty(1) ? undefined : process.stdout.columns;
    },
    out: writeOut,
    err: writeErr,
  };
}

/** Colour on a terminal only; `NO_COLOR` (no-color.org) and `--no-color` turn it off there too. */
function wantsColor(fd: number, ambient: Ambient, options: CommonOptions): boolean {
  return (
    options.color && !options.json && !ambient.env['NO_COLOR'] && ambient.env['TERM'] !== 'dumb' && isatty(fd)
  );
}

/** Resolves when the text is handed over; a reader that has gone (`| head -1`) ends the process quietly. */
function writeOut(text: string): Promise<void> {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error === null || error === undefined) resolve();
      else if (systemErrorCode(error) === 'EPIPE') process.exit(0);
      else
        reject(
          new CapwrapError(
            'ERR_OUTPUT_WRITE',
            `standard output can't be written (${systemErrorCode(error)})`,
          ),
        );
    });
  });
}

function writeErr(line: string): void {
  writeNow(2, `${line}\n`);
}

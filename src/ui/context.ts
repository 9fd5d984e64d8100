/** Builds what every command gets from the process: environment, colours, writers. */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Chalk } from 'chalk';
import { readAdminConfig } from '../base/admin-config.ts';
import type { Ambient } from '../base/ambient.ts';
import type { CommandContext } from '../commands/context.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';

/** The options that every command understands. */
export interface CommonOptions {
  readonly map?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly color: boolean;
}

export function createContext(ambient: Ambient, options: CommonOptions): CommandContext {
  const colorsOf = (fd: number) => new Chalk({ level: wantsColor(fd, ambient, options) ? 1 : 0 });
  return {
    ambient,
    admin: readAdminConfig(ambient.uid),
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    debug: options.debug ?? false,
    colors: { stdout: colorsOf(1), stderr: colorsOf(2) },
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

/** At once and in order with the child's own output; a closed standard error loses the line and nothing else. */
function writeErr(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  let offset = 0;
  for (let attempt = 0; offset < bytes.length && attempt < 1000; attempt++) {
    try {
      offset += writeSync(2, bytes, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

/** Builds what every command gets from the process: environment, colours, writers. */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Chalk } from 'chalk';
import { readAdminConfig } from '../base/admin-config.ts';
import type { Ambient } from '../base/ambient.ts';
import type { CommandContext } from '../commands/context.ts';

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
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      reject(error);
    };
    process.stdout.once('error', onError);
    process.stdout.write(text, () => {
      process.stdout.off('error', onError);
      resolve();
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

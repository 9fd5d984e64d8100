/** A context whose output is kept, for tests that call a command itself. */
import { Chalk } from 'chalk';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import type { Ambient } from '../../src/base/ambient.ts';
import type { CommandContext } from '../../src/ui/context.ts';

export interface KeptOutput {
  readonly context: CommandContext;
  /** All that was written to standard output. */
  readonly text: () => string;
}

export function keptContext(ambient: Ambient, changes: Partial<CommandContext> = {}): KeptOutput {
  let text = '';
  const plain = new Chalk({ level: 0 });
  const context: CommandContext = {
    ambient,
    admin: NO_ADMIN_CONFIG,
    json: false,
    quiet: false,
    debug: false,
    colors: { stdout: plain, stderr: plain },
    out: async (more) => {
      text += more;
    },
    err: () => undefined,
    ...changes,
  };
  return { context, text: () => text };
}

/** A command's context that keeps what is printed. */

import { Chalk } from 'chalk';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import type { CommandContext } from '../../src/ui/context.ts';

export interface Printed {
  readonly context: CommandContext;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** State lives in `stateDir`; no colours. */
export function printing(stateDir: string, options: { json?: boolean; quiet?: boolean } = {}): Printed {
  let stdout = '';
  let stderr = '';
  const plain = new Chalk({ level: 0 });
  const context: CommandContext = {
    ambient: {
      env: { CAPWRAP_HOME: stateDir },
      cwd: '/',
      uid: process.getuid?.() ?? -1,
      gid: process.getgid?.() ?? -1,
      pid: process.pid,
      platform: process.platform,
      launch: NO_LAUNCHER,
    },
    admin: NO_ADMIN_CONFIG,
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    debug: false,
    colors: { stdout: plain, stderr: plain },
    out: async (text) => {
      stdout += text;
    },
    err: (line) => {
      stderr += `${line}\n`;
    },
  };
  return { context, stdout: () => stdout, stderr: () => stderr };
}

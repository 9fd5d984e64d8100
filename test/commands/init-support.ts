/** Runs `init` as the CLI does, in work trees made for a test. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import { expect } from 'vitest';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { init } from '../../src/commands/init.ts';
import type { InitOptions } from '../../src/commands/init-options.ts';
import type { CommandContext } from '../../src/ui/context.ts';
import { tempDir } from '../helpers/cli.ts';

/** Runs the command in a folder and returns what it printed. */
export async function runInit(cwd: string, options: InitOptions = {}, json = false): Promise<string> {
  let printed = '';
  const plain = new Chalk({ level: 0 });
  const context: CommandContext = {
    ambient: {
      env: { HOME: cwd, CAPWRAP_HOME: join(cwd, '.state') },
      cwd,
      uid: process.getuid?.() ?? -1,
      gid: process.getgid?.() ?? -1,
      pid: process.pid,
      platform: process.platform,
    },
    admin: NO_ADMIN_CONFIG,
    json,
    quiet: false,
    debug: false,
    colors: { stdout: plain, stderr: plain },
    out: async (text) => {
      printed += text;
    },
    err: () => {},
  };
  expect(await init(context, options)).toBe(0);
  return printed;
}

/** A folder with a git work tree for `acme/web-app` on a branch. */
export function workTree(branch = 'feat/x'): string {
  const folder = tempDir();
  mkdirSync(join(folder, '.git', 'objects'), { recursive: true });
  mkdirSync(join(folder, '.git', 'refs'));
  writeFileSync(join(folder, '.git', 'HEAD'), `ref: refs/heads/${branch}\n`);
  writeFileSync(
    join(folder, '.git', 'config'),
    '[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote "origin"]\n\turl = git@github.com:acme/web-app.git\n',
  );
  return folder;
}

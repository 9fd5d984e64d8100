/** Runs `init` as the CLI does, in work trees made for a test. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import { init } from '../../src/commands/init.ts';
import type { InitOptions } from '../../src/commands/init-options.ts';
import { tempDir } from '../helpers/cli.ts';
import { keptContext } from './command-context.ts';

/** Runs the command in a folder and returns what it printed. */
export async function runInit(cwd: string, options: InitOptions = {}, json = false): Promise<string> {
  const ambient = {
    env: { HOME: cwd, CAPWRAP_HOME: join(cwd, '.state') },
    cwd,
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    pid: process.pid,
    platform: process.platform,
    launch: NO_LAUNCHER,
  };
  const { context, text } = keptContext(ambient, { json });
  expect(await init(context, options)).toBe(0);
  return text();
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

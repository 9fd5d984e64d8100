/** Nothing that reaches the terminal through capwrap's own lines can hide or forge text. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import type { CommandContext } from '../../src/ui/context.ts';
import { openEvents } from '../../src/ui/events.ts';
import { tempDir } from '../helpers/cli.ts';

const HOSTILE = 'a\u202eb\u001b[31mc\u009bd\ne';

function eventsWith(json: boolean, fd: number | null) {
  const lines: string[] = [];
  const plain = new Chalk({ level: 0 });
  const context: CommandContext = {
    ambient: { env: {}, cwd: '/', uid: 0, gid: 0, pid: 1, platform: process.platform, launch: NO_LAUNCHER },
    admin: NO_ADMIN_CONFIG,
    json,
    quiet: false,
    debug: false,
    colors: { stdout: plain, stderr: plain },
    out: async () => undefined,
    err: (line) => lines.push(line),
  };
  return { lines, events: openEvents(context, fd, (text) => text) };
}

test.each([false, true])('a hostile text stays one visible line (json: %s)', (json) => {
  const { lines, events } = eventsWith(json, null);
  events.warn(HOSTILE);
  events.emit('policy.check', { branch: HOSTILE });
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]+$/);
});

test('a descriptor that makes nobody wait gets each event whole, as fast as it is read', async () => {
  const folder = tempDir();
  const [pipe, out] = [join(folder, 'pipe'), join(folder, 'out')];
  execFileSync('mkfifo', [pipe]);
  const reader = execa('/bin/sh', ['-c', 'exec cat "$0" > "$1"', pipe, out]);
  const waited = await open(pipe, 'w'); // until the reader has it open, too
  const fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  await waited.close();
  const long = 'x'.repeat(300_000);
  eventsWith(true, fd).events.emit('policy.check', { branch: long });
  closeSync(fd);
  await reader;
  expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({ event: 'policy.check', branch: long });
});

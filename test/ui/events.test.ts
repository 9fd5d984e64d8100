/** Nothing that reaches the terminal through capwrap's own lines can hide or forge text. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';
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
import { until } from '../helpers/terminal.ts';

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

/** A pipe whose writer waits for nobody; `script` is its reader, with the pipe as descriptor 3 and a file to write to. */
async function readBy(script: string) {
  const folder = tempDir();
  const [pipe, out] = [join(folder, 'pipe'), join(folder, 'out')];
  execFileSync('mkfifo', [pipe]);
  writeFileSync(out, '');
  const reader = execa('/bin/sh', ['-c', `exec 3< "$0"; ${script} > "$1"`, pipe, out], {
    stdin: 'pipe',
    stdout: 'ignore',
  });
  const waited = await open(pipe, 'w'); // until the reader has it open, too
  const fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  await waited.close();
  return { fd, reader, read: () => readFileSync(out, 'utf8') };
}

const LONG = 'x'.repeat(300_000);

test('a descriptor that makes nobody wait gets each event whole, as fast as it is read', async () => {
  const { fd, reader, read } = await readBy('exec cat <&3');
  eventsWith(true, fd).events.emit('policy.check', { branch: LONG });
  closeSync(fd);
  await reader;
  expect(JSON.parse(read())).toEqual({ event: 'policy.check', branch: LONG });
});

test('a descriptor that an event was cut on, since nobody read, gets no other', async () => {
  const { fd, reader, read } = await readBy('read -r go; exec cat <&3');
  const { events } = eventsWith(true, fd);
  events.emit('policy.check', { branch: LONG });
  reader.stdin.end('go\n');
  await until('the reader has caught up', () => read().length > 0);
  events.emit('policy.check', { branch: 'short' });
  closeSync(fd);
  await reader;
  expect(read()).toMatch(/^\{"event":"policy.check","branch":"x+$/);
});

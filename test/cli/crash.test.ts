/** An error in capwrap itself, in the middle of a run, which nobody foresaw. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, constants, cpSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, tempDir } from '../helpers/cli.ts';
import { isAlive, until } from '../helpers/terminal.ts';
import { startPiped, useGround } from '../matrix/ground.ts';

const ground = useGround();

/** The built program, but for a fault: at USR2 it throws. */
function faulty(): string {
  const folder = tempDir();
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  const fault = "process.prependListener('SIGUSR2', () => { throw new TypeError('what it may quote'); });";
  appendFileSync(join(folder, 'dist', 'start.js'), `\n${fault}\n`);
  return join(folder, 'bin', 'capwrap.js');
}

test.each([
  ['one that obeys', 'exec sleep 600', 'SIGTERM'],
  ['one that does not', 'trap "" TERM; while :; do read -r x < /dev/null; done', 'SIGKILL'],
])('ends the child, %s, the lease and the record, and is the status', async (_, body, signal) => {
  const { folder, shellEnv, fresh, read, lastRecord } = ground();
  const file = fresh('pids');
  const script = `echo "$$ $PPID" > "$0.tmp"; mv "$0.tmp" "$0"; ${body}`;
  const argv = [
    faulty(),
    'run',
    '--quiet',
    '-c',
    'local',
    '--kill-after',
    '1s',
    '--',
    '/bin/sh',
    '-c',
    script,
    file,
  ];
  const run = startPiped(argv, { cwd: folder, env: { ...shellEnv, CAPWRAP_TASK_ID: file } });
  await until('the child is there', () => read(file) !== '', run.err);
  const [child = 0, capwrap = 0] = read(file).trim().split(' ').map(Number);
  process.kill(capwrap, 'SIGUSR2');
  expect(await run.ended).toEqual({ code: 125, signal: null });
  expect(run.err()).toBe(
    'capwrap: error: capwrap failed unexpectedly (TypeError)\ncapwrap: hint: run it again with --debug for the place in the code\n',
  );
  expect(isAlive(child)).toBe(false);
  expect(lastRecord(file)).toMatchObject({ event: 'closed', end_reason: 'fault', child: { signal } });
  expect(JSON.stringify(lastRecord(file))).toContain('revoked_verified');
});

test('is the status also where all that is left is a slow reader', async () => {
  const { folder, shellEnv, fresh, lastRecord } = ground();
  const pipe = fresh('pipe');
  spawnSync('mkfifo', [pipe]);
  const reading = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(pipe, constants.O_WRONLY);
  const taskId = 'slow reader';
  const argv = ['run', '--quiet', '-c', 'local', '--', 'head', '-c', '100000', '/dev/zero'];
  const child = spawn(faulty(), argv, {
    cwd: folder,
    env: { ...shellEnv, CAPWRAP_TASK_ID: taskId },
    stdio: ['ignore', writing, 'ignore'],
  });
  closeSync(writing);
  const ended = once(child, 'exit');
  await until('the record is closed', () => lastRecord(taskId)?.['event'] === 'closed');
  child.kill('SIGUSR2');
  expect(await ended).toEqual([125, null]);
  closeSync(reading);
});

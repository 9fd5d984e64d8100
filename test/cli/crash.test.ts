/** An error in capwrap itself, in the middle of a run, which nobody foresaw. */
import { appendFileSync, cpSync } from 'node:fs';
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

test('ends the child, the lease and the record, and is the status', async () => {
  const { folder, shellEnv, fresh, read, lastRecord } = ground();
  const file = fresh('pids');
  const script = 'echo "$$ $PPID" > "$0.tmp"; mv "$0.tmp" "$0"; exec sleep 600';
  const argv = [faulty(), 'run', '--quiet', '-c', 'local', '--', '/bin/sh', '-c', script, file];
  const run = startPiped(argv, { cwd: folder, env: { ...shellEnv, CAPWRAP_TASK_ID: file } });
  await until('the child is there', () => read(file) !== '', run.err);
  const [child = 0, capwrap = 0] = read(file).trim().split(' ').map(Number);
  process.kill(capwrap, 'SIGUSR2');
  expect(await run.ended).toEqual({ code: 125, signal: null });
  expect(run.err()).toBe(
    'capwrap: error: capwrap failed unexpectedly (TypeError)\ncapwrap: hint: run it again with --debug for the place in the code\n',
  );
  expect(isAlive(child)).toBe(false);
  expect(lastRecord(file)).toMatchObject({ event: 'closed', child: { signal: 'SIGTERM' } });
  expect(JSON.stringify(lastRecord(file))).toContain('revoked_verified');
});

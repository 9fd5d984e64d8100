/** A reader that takes nothing holds capwrap up no longer than it would hold the command up. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { afterTest } from '../helpers/after-test.ts';
import { BIN } from '../helpers/cli.ts';
import { localWorkspace } from '../helpers/workspace.ts';
import { until } from '../runner/wrapper.ts';

async function start(command: readonly string[]) {
  const workspace = await localWorkspace();
  const run = spawn(BIN, ['run', '--quiet', '-c', 'local', '--', ...command], {
    cwd: workspace.folder,
    env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
    stdio: ['ignore', 'pipe', 'inherit'], // and nobody reads
  });
  const exit = new Promise((resolve) => run.on('exit', (code, signal) => resolve(signal ?? code)));
  const closed = () =>
    until('the run is on record', () => workspace.records().at(-1)?.['event'] === 'closed');
  return { run, exit, closed };
}

/** More than the pipes between the child and the test hold, and less than capwrap waits with. */
const MUCH = ['head', '-c', '400000', '/dev/zero'];

test('a signal ends the wait, once the run is on record', async () => {
  const { run, exit, closed } = await start(MUCH);
  await closed();
  run.kill('SIGTERM');
  expect(await exit).toBe('SIGTERM');
});

test('a child that capwrap has ended in the middle of its output is not waited for', async () => {
  const workspace = await localWorkspace();
  const status = join(workspace.folder, 'status');
  const run = `${BIN} run --quiet -c local --ttl 3s -- yes`;
  const shell = spawn('sh', ['-c', `{ ${run}; echo $? > ${status}; } | exec sleep 1000`], {
    cwd: workspace.folder,
    env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
    stdio: ['ignore', 'ignore', 'ignore'],
    detached: true,
  });
  afterTest(() => void process.kill(-(shell.pid ?? 0), 'SIGKILL'));
  await until('capwrap has come back', () => existsSync(status) && readFileSync(status, 'utf8') !== '');
  expect(readFileSync(status, 'utf8')).toBe('124\n');
});

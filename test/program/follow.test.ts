import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { spellFollow } from '../../src/program/follow.ts';
import { GRANTED, seal, writeLog } from '../audit/samples.ts';
import { BIN, tempDir } from '../helpers/cli.ts';

test.each([
  ['audit tail -f', 'audit tail --follow'],
  ['audit tail -fn 20', 'audit tail --follow -n 20'],
  ['audit tail -n 20 -f --json', 'audit tail -n 20 --follow --json'],
  ['--json audit --quiet tail -f', '--json audit --quiet tail --follow'],
  ['audit tail --follow', 'audit tail --follow'],
  ['audit list -f map.yaml', 'audit list -f map.yaml'],
  ['run -f map.yaml -c tail', 'run -f map.yaml -c tail'],
  ['-f map.yaml audit tail', '-f map.yaml audit tail'],
  ['audit', 'audit'],
  ['', ''],
])('"%s" is "%s"', (given, expected) => {
  expect(spellFollow(given.split(' ')).join(' ')).toBe(expected);
});

test('tail -f prints what is there and goes on; Ctrl-C ends it as a shell expects', async () => {
  const stateDir = tempDir();
  writeLog(stateDir, seal([GRANTED]));
  const env = { PATH: process.env['PATH'] ?? '', CAPWRAP_HOME: stateDir };
  const child = spawn(BIN, ['audit', 'tail', '-f'], {
    env,
    cwd: stateDir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    child.kill('SIGINT');
  });
  // Of a process that a signal ended, a shell makes the status 128 and its number: 130.
  expect(await once(child, 'close')).toEqual([null, 'SIGINT']);
  expect(stdout).toMatch(/^2026-03-01T12:00:00.000Z granted .*\n$/);
  expect(stderr).toBe('');
});

test('-f still names the map of a command that reads one', async () => {
  const folder = tempDir();
  const failed = promisify(execFile)(BIN, ['list', '-f', 'missing.yaml'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
  });
  await expect(failed).rejects.toMatchObject({ code: 121, stderr: expect.stringContaining('missing.yaml') });
});

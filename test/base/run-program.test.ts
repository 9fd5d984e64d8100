/** Programs that are run for their answer: how each end is told, and that nothing of them outlives it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ProgramRun, runProgram } from '../../src/base/run-program.ts';
import { SYSTEM_PATH } from '../../src/base/system-path.ts';
import { tempDir } from '../helpers/cli.ts';
import { findTool } from '../helpers/tools.ts';

function sh(script: string, changes: Partial<ProgramRun> = {}) {
  return runProgram({
    argv: ['/bin/sh', '-c', script],
    cwd: tempDir(),
    env: { PATH: SYSTEM_PATH },
    input: 'a question\n',
    maxOutput: 1000,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    ...changes,
  });
}

test('gets its input, its folder and its variables, and nothing else', async () => {
  const cwd = tempDir();
  const end = await sh('read -r line; echo "$line"; pwd; env | grep -v "^_=\\|^PWD=\\|^SHLVL=\\|^OLDPWD="', {
    cwd,
    env: { PATH: SYSTEM_PATH, ONE: '1' },
  });
  if (end.kind !== 'exited') throw new Error(end.kind);
  expect(end.output.toString().split('\n').sort()).toEqual(
    ['', `PATH=${SYSTEM_PATH}`, 'ONE=1', 'a question', cwd].sort(),
  );
});

test.each([
  ['a status', 'exit 3', {}, { kind: 'exited', status: 3, output: Buffer.from('') }],
  ['a signal', 'kill -TERM $$', {}, { kind: 'killed', name: 'SIGTERM' }],
  ['too much output', 'head -c 2000 /dev/zero; sleep 100', {}, { kind: 'too_large' }],
  ['too much time', 'sleep 100', { timeoutMs: 50 }, { kind: 'timeout' }],
  ['no such program', '', { argv: ['/nonexistent/x'] }, { kind: 'not_started', code: 'ENOENT' }],
  ['no program', '', { argv: [tempDir()] }, { kind: 'not_started', code: 'EACCES' }],
  [
    'an impossible word',
    '',
    { argv: ['/bin/sh', 'a\0b'] },
    { kind: 'not_started', code: 'ERR_INVALID_ARG_VALUE' },
  ],
  ['an early end of the run', 'sleep 100', { signal: AbortSignal.abort() }, { kind: 'aborted' }],
  ['a late end of the run', 'sleep 100', { signal: AbortSignal.timeout(50) }, { kind: 'aborted' }],
] as const)('ends with %s', async (_, script, changes, expected) => {
  expect(await sh(script, changes)).toEqual(expected);
});

test('need not read its input', async () => {
  expect(await sh('exec true', { input: 'x'.repeat(1_000_000) })).toMatchObject({
    kind: 'exited',
    status: 0,
  });
});

test.each([
  ['at the time limit', 'sleep 100 & echo $! >pid; wait', { timeoutMs: 300 }, 'timeout'],
  ['at its own end', 'sleep 100 & echo $! >pid', {}, 'exited'],
] as const)('what it has started ends with it: %s', async (_, script, changes, kind) => {
  const cwd = tempDir();
  expect(await sh(script, { cwd, ...changes })).toMatchObject({ kind });
  const pid = Number(readFileSync(join(cwd, 'pid'), 'utf8'));
  await expect.poll(() => isRunning(pid)).toBe(false);
});

test.skipIf(findTool('setsid') === null)('what has left its group is not waited for', async () => {
  const cwd = tempDir();
  writeFileSync(join(cwd, 'go'), '');
  const script =
    'setsid sh -c "touch there; while [ -e go ]; do sleep 0.05; done" & while [ ! -e there ]; do :; done; echo out';
  const end = await sh(script, { cwd });
  expect(existsSync(join(cwd, 'there'))).toBe(true);
  expect(end).toMatchObject({ kind: 'exited', output: Buffer.from('out\n') });
  await sh('rm go', { cwd });
});

/** A zombie that nobody waits for counts as ended. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** A run starts one process: the child. No git, no shell, no helper. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BIN } from '../helpers/cli.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { awsWorkspace, localWorkspace, type Workspace } from '../helpers/workspace.ts';

const strace = findTool('strace');

/** Programs executed during a run, and how many processes (not threads) were made, by the kernel's account. */
async function traced(workspace: Workspace, args: readonly string[]) {
  const trace = join(workspace.folder, 'trace');
  const result = await execa(
    strace ?? 'strace',
    [
      '-f',
      '-qq',
      '-e',
      'trace=execve,fork,vfork,clone,clone3',
      '-e',
      'signal=none',
      '-o',
      trace,
      BIN,
      ...args,
    ],
    {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
      extendEnv: false,
      reject: false,
    },
  );
  const lines = readFileSync(trace, 'utf8').split('\n');
  const executed = lines
    .filter((line) => /execve\(.*\)\s+= 0$/.test(line))
    .map((line) => /execve\("([^"]+)"/.exec(line)?.[1]);
  const processes = lines.filter(
    (line) => /\b(?:fork|vfork|clone3?)\(/.test(line) && !line.includes('CLONE_THREAD') && !/= -1/.test(line),
  );
  return { result, executed, processes };
}

test.skipIf(strace === null)(`with the local issuer${needs('strace')}`, async () => {
  const workspace = await localWorkspace();
  const { result, executed, processes } = await traced(workspace, [
    'run',
    '--quiet',
    '-c',
    'local',
    '--',
    '/bin/true',
  ]);
  expect(result.exitCode, result.stderr).toBe(0);
  // The launcher becomes node in place, without a fork. The one new process is the child, which setpriv becomes.
  expect(executed.at(-1)).toMatch(/\/true$/);
  expect(executed.slice(0, -1).every((path) => /(?:capwrap\.js|\/node|\/setpriv)$/.test(path ?? ''))).toBe(
    true,
  );
  expect(processes).toHaveLength(1);
});

test.skipIf(strace === null)(`with aws-sts${needs('strace')}`, async () => {
  const workspace = await awsWorkspace();
  const { result, executed, processes } = await traced(workspace, [
    'run',
    '--quiet',
    '-c',
    'preview',
    '--',
    '/bin/true',
  ]);
  expect(result.exitCode, result.stderr).toBe(0);
  expect(executed.at(-1)).toMatch(/\/true$/);
  expect(processes).toHaveLength(1);
});

test.skipIf(strace === null)(
  `a run whose command is missing starts none at all${needs('strace')}`,
  async () => {
    const workspace = await localWorkspace();
    const { result, processes } = await traced(workspace, [
      'run',
      '-c',
      'local',
      '--environment',
      'x',
      '--ttl',
      '9h',
      '--',
      './missing',
    ]);
    expect(result.exitCode).toBe(127);
    expect(processes).toHaveLength(0);
  },
);

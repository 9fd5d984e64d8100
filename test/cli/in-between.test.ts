/** What happens between the grant and the child: files that change, signals that come, the order on disk. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BIN } from '../helpers/cli.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { type AwsWorkspace, awsWorkspace } from '../helpers/workspace.ts';

/** A run whose issuer takes its time; `meanwhile` is called once the grant is on disk. */
async function grantedRun(
  workspace: AwsWorkspace,
  command: readonly string[],
  meanwhile: (kill: (signal: NodeJS.Signals) => void) => void,
) {
  workspace.sandbox.faults.push({ kind: 'slow', service: 'sts', delayMs: 1500 });
  const run = execa(BIN, ['run', '-c', 'preview', '--', ...command], {
    cwd: workspace.folder,
    env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
    extendEnv: false,
    reject: false,
  });
  await expect
    .poll(() => workspace.records().some((record) => record['event'] === 'granted'), { timeout: 10_000 })
    .toBe(true);
  meanwhile((signal) => run.kill(signal));
  return run;
}

test('a pinned program that changes after the decision is not started', async () => {
  const workspace = await awsWorkspace();
  const script = workspace.script('pinned.sh', 'touch ran');
  const path = join(workspace.folder, 'pinned.sh');
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  const map = readFileSync(workspace.mapFile, 'utf8');
  await workspace.setMap(
    map.replace("branch: 'feat/*'}", `command: {path: ./pinned.sh, sha256: ${sha256}}}`),
  );

  const result = await grantedRun(workspace, [script], () =>
    writeFileSync(path, '#!/bin/sh\ntouch swapped\n'),
  );
  expect(result.exitCode, result.stderr).toBe(122);
  expect(result.stderr).toContain('changed after the decision');
  expect(existsSync(join(workspace.folder, 'ran')) || existsSync(join(workspace.folder, 'swapped'))).toBe(
    false,
  );
  expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', outcome: 'expires' });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s while the issuer is asked starts no child and closes the grant',
  async (signal) => {
    const workspace = await awsWorkspace();
    const result = await grantedRun(workspace, ['/bin/sh', '-c', 'touch ran'], (kill) => kill(signal));
    expect(result.signal).toBe(signal);
    expect(existsSync(join(workspace.folder, 'ran'))).toBe(false);
    const closed = workspace.records().at(-1);
    expect(closed).toMatchObject({ event: 'closed' });
    expect(closed).not.toHaveProperty('child');
  },
);

test.skipIf(findTool('strace') === null)(
  `the grant is synced to disk before the issuer is asked${needs('strace')}`,
  async () => {
    const workspace = await awsWorkspace();
    const trace = join(workspace.folder, 'trace');
    const result = await execa(
      'strace',
      [
        '-f',
        '-qq',
        '-e',
        'trace=fdatasync,fsync,connect',
        '-o',
        trace,
        BIN,
        'run',
        '--quiet',
        '-c',
        'preview',
        '--',
        '/bin/true',
      ],
      {
        cwd: workspace.folder,
        env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
        extendEnv: false,
        reject: false,
      },
    );
    expect(result.exitCode, result.stderr).toBe(0);
    const calls = readFileSync(trace, 'utf8').split('\n');
    const synced = calls.findIndex((line) => /f(?:data)?sync\(/.test(line));
    const asked = calls.findIndex((line) => line.includes('sa_family=AF_INET'));
    expect(synced).toBeGreaterThanOrEqual(0);
    expect(asked).toBeGreaterThan(synced);
    const closing = calls.findLastIndex((line) => /f(?:data)?sync\(/.test(line));
    expect(closing).toBeGreaterThan(asked);
  },
);

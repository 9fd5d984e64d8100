/** Real processes for the tests: a worker is bundled once and started as often as it takes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { bundleTo } from './bundle.ts';

interface WorkerEnd {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Worker {
  readonly process: ChildProcess;
  readonly end: Promise<WorkerEnd>;
}

/** Bundles test/workers/NAME.ts before the tests of a file; returns how to start it. */
export function useWorker(
  name: string,
): (args: readonly string[], options?: { uid?: number; shell?: string }) => Worker {
  const folder = mkdtempSync(join(tmpdir(), 'capwrap-worker-'));
  const file = join(folder, `${name}.mjs`);
  beforeAll(async () => {
    chmodSync(folder, 0o755);
    await bundleTo(file, `test/workers/${name}.ts`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (args, { uid, shell } = {}) => {
    const node = [process.execPath, file, ...args];
    const [program = '', ...words] =
      shell === undefined ? node : ['/bin/sh', '-c', `${shell}; exec "$@"`, 'sh', ...node];
    const child = spawn(program, words, {
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    const end = new Promise<WorkerEnd>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ pid: child.pid ?? 0, code, signal, ...output }));
    });
    return { process: child, end };
  };
}

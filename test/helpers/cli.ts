/** Runs the built CLI from outside, as a user's shell would. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterTest } from './after-test.ts';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const BIN = join(ROOT, 'bin', 'capwrap.js');

export interface CliResult {
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  /** The whole environment; `PATH` is added. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs `capwrap ARGS` with an environment of its own and returns what a caller sees. */
export async function capwrap(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const result = await execa(BIN, [...args], {
    cwd: options.cwd ?? ROOT,
    env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', ...options.env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  return {
    status: result.exitCode,
    signal: result.signal,
    stdout: result.stdout as string,
    stderr: result.stderr as string,
  };
}

/** A private folder that is gone after the test. */
export function tempDir(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capwrap-test-')));
  afterTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

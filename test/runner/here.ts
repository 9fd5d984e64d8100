/** Runs a command by `runChild` inside the test's own process, with its output in files. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import { SecretRegistry } from '../../src/redact/registry.ts';
import type { ChildResult } from '../../src/runner/child-result.ts';
import { assertStartable } from '../../src/runner/command-error.ts';
import { resolveCommand } from '../../src/runner/resolve-command.ts';
import { type RunChildOptions, runChild } from '../../src/runner/run-child.ts';
import { installSignals } from '../../src/runner/signals.ts';
import { tempDir } from '../helpers/cli.ts';

export const PATH = process.env['PATH'] ?? '/usr/bin:/bin';
export const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKEY';

export interface RunHereOptions
  extends Partial<Pick<RunChildOptions, 'onLeak' | 'onTimeWarning' | 'onStart' | 'descriptors' | 'launch'>> {
  readonly env?: Readonly<Record<string, string>>;
  /** Registered, and in the child's variable SECRET. */
  readonly secret?: string;
  readonly ttlMs?: number;
  readonly killAfterMs?: number;
}

export async function runHere(
  argv: readonly string[],
  options: RunHereOptions = {},
): Promise<ChildResult & { readonly out: string; readonly err: string }> {
  const { env, secret = SECRET, ttlMs = 60_000, killAfterMs = 5000, ...rest } = options;
  const folder = tempDir();
  const secrets = new SecretRegistry();
  secrets.register('SECRET', secret);
  const signals = installSignals();
  const files = ['out', 'err'].map((name) => join(folder, name));
  const [stdout = -1, stderr = -1] = files.map((path) => openSync(path, 'w'));
  try {
    const child = await runChild({
      command: assertStartable(resolveCommand(argv, { cwd: folder, path: PATH, sha256: false })),
      env: { PATH, SECRET: secret, ...env },
      redactors: {
        stdout: secrets.redactor(),
        stderr: secrets.redactor(),
        terminal: secrets.redactor(),
      },
      isSecret: (text) => secrets.mask(text) !== text,
      deadline: new Date(Date.now() + ttlMs),
      killAfterMs,
      signals,
      launch: NO_LAUNCHER,
      terminal: 'masked',
      turnsIn: '/nonexistent',
      stdout,
      stderr,
      ...rest,
    });
    await child.written;
    const [out = '', err = ''] = files.map((path) => readFileSync(path, 'latin1'));
    return { ...child, out, err };
  } finally {
    signals.dispose();
    for (const fd of [stdout, stderr]) closeSync(fd);
  }
}

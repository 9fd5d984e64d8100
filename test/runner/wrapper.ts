/** Starts the fixture wrapper as a process of its own, with pipes, and shows what a caller sees of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildResult } from '../../src/runner/child-result.ts';
import type { WrapperOptions } from '../fixtures/run-child.ts';
import { bundleTo } from '../helpers/bundle.ts';
import { ROOT } from '../helpers/cli.ts';

let folder = '';
export let WRAPPER = '';

/** Bundles the wrapper; for `beforeAll`. */
export async function buildWrapper(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'capwrap-wrapper-'));
  WRAPPER = join(folder, 'wrapper.js');
  await bundleTo(join(folder, 'run-child.mjs'), 'test/fixtures/run-child.ts');
  // It finds the binary of the pseudo-terminal as the built CLI does.
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  // Behind the real launcher, which makes pipes for it.
  const launcher = readFileSync(join(ROOT, 'bin', 'capwrap.js'), 'utf8');
  writeFileSync(WRAPPER, launcher.replace("require('../dist/start.js')", "import('./run-child.mjs')"));
}

/** For `afterAll`. */
export function removeWrapper(): void {
  rmSync(folder, { recursive: true, force: true });
}

export interface Wrapper {
  readonly process: ChildProcess;
  /** What came so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** How the wrapper itself ended. */
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly result: (ChildResult & { readonly maxRssMb: number }) | null;
  }>;
}

export function startWrapper(options: WrapperOptions, { read = true } = {}): Wrapper {
  const child = spawn('sh', [WRAPPER, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true, // without a terminal, wherever the tests run
  });
  const [, stdout, stderr, report] = child.stdio;
  const texts = { out: '', err: '', report: '' };
  if (read) stdout?.on('data', (chunk: Buffer) => (texts.out += chunk.toString('latin1')));
  stderr?.on('data', (chunk: Buffer) => (texts.err += chunk.toString('latin1')));
  report?.on('data', (chunk: Buffer) => (texts.report += chunk.toString('latin1')));
  const ended = new Promise<Awaited<Wrapper['ended']>>((resolve) => {
    child.on('close', (code, signal) => {
      const line = texts.report.split('\n').find((text) => text.startsWith('{'));
      resolve({ code, signal, result: line ? JSON.parse(line) : null });
    });
  });
  return { process: child, out: () => texts.out, err: () => texts.err, ended };
}

/** Waits until a condition holds; fails after ten seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !holds(); ) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** False also for a process that has ended and that nobody has waited for yet. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

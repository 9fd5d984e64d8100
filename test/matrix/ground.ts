/** What the files of the matrix share: one workspace each, and the same command run directly and under capwrap. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { shellQuote } from '../../src/base/shell-quote.ts';
import { afterTest } from '../helpers/after-test.ts';
import { BIN, ROOT } from '../helpers/cli.ts';
import { kill, processesOf } from '../helpers/terminal.ts';
import { LOCAL_MAP, localWorkspace, type Workspace } from '../helpers/workspace.ts';

/** Reading another process's state, signal sets and descriptors needs /proc. */
export const NOT_LINUX = process.platform !== 'linux';

const CHILDREN = join(ROOT, 'test', 'fixtures', 'children');

/** The words that start one of the small programs in `test/fixtures/children`. */
export function child(name: string, ...args: readonly string[]): readonly string[] {
  const path = join(CHILDREN, name);
  return [name.endsWith('.mjs') ? process.execPath : '/bin/sh', path, ...args];
}

/** A command as a line for a shell. */
export function line(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}

/** The same command under capwrap, which is silent. */
export function wrapped(argv: readonly string[], capability = 'local'): readonly string[] {
  return [BIN, 'run', '--quiet', '-c', capability, '--', ...argv];
}

/** Both ways of starting a command: the first is what the second is compared with. */
export const WAYS = {
  directly: (argv: readonly string[]) => argv,
  'under capwrap': (argv: readonly string[]) => wrapped(argv),
} as const;

export interface Ground extends Workspace {
  /** The environment for programs on a terminal; the names are among those that a child gets by default. */
  readonly shellEnv: Readonly<Record<string, string>>;
  /** A new path in the workspace. */
  fresh(name: string): string;
  read(path: string): string;
  /** The last record of the run with this task id. */
  lastRecord(taskId: string): Record<string, unknown> | undefined;
}

/** A workspace for all tests of a file: making one costs as much as two runs. To be read inside a test. */
export function useGround(map = LOCAL_MAP): () => Ground {
  let ground: Ground | null = null;
  let folder = '';
  let count = 0;
  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'capwrap-matrix-')));
    const workspace = await localWorkspace(map, folder);
    const read = (path: string) => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return '';
      }
    };
    const shellEnv = {
      ...workspace.env,
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
    };
    ground = {
      ...workspace,
      shellEnv,
      fresh: (name) => join(folder, `${name}-${++count}`),
      read,
      lastRecord: (taskId) => workspace.records().findLast((record) => record['task_id'] === taskId),
    };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => {
    if (ground === null) throw new Error('there is no workspace yet');
    return ground;
  };
}

export interface Piped {
  readonly process: ChildProcess;
  readonly pid: number;
  out(): string;
  err(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts a command without a terminal: in a session of its own, with pipes. */
export function startPiped(
  argv: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Piped {
  const [file = '', ...args] = argv;
  const process = spawn(file, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const texts = { out: '', err: '' };
  process.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString('latin1')));
  process.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString('latin1')));
  const ended = new Promise<Awaited<Piped['ended']>>((resolve) => {
    process.on('close', (code, signal) => resolve({ code, signal }));
  });
  let over = false;
  ended.then(() => (over = true));
  afterTest(() => {
    if (!over && process.pid !== undefined) for (const one of processesOf(process.pid)) kill(one);
  });
  return { process, pid: process.pid ?? 0, out: () => texts.out, err: () => texts.err, ended };
}

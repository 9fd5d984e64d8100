/**
 * A program that is run for its answer, beside the command: text in, bytes out, bounded in time and size, and alone in
 * its process group, so that all of it can be ended. Its standard error is dropped: it could hold anything.
 */
import { spawn } from 'node:child_process';
import { systemErrorCode } from '../errors.ts';

export interface ProgramRun {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Goes to standard input; a program need not read it. */
  readonly input: string;
  readonly maxOutput: number;
  /** Milliseconds; null where only `signal` bounds it. */
  readonly timeoutMs: number | null;
  readonly signal: AbortSignal;
  /** True where what it has left running in its group at its own end goes on; it ends with it where not given. */
  readonly mayLeaveOthers?: boolean;
}

export type ProgramEnd =
  | { readonly kind: 'exited'; readonly status: number; readonly output: Buffer }
  /** The system could not start it: it had no effect. */
  | { readonly kind: 'not_started'; readonly code: string }
  /** By a signal that did not come from here. */
  | { readonly kind: 'killed'; readonly name: string }
  | { readonly kind: 'timeout' | 'aborted' | 'too_large' };

/** Milliseconds in which output may still arrive once the program has ended: a process that left its group may hold it. */
const DRAIN_MS = 200;

/**
 * Runs the program until it ends. Time limit, `signal` and output limit kill its group. It leads a session of its own,
 * without a terminal. Never throws.
 */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  if (run.signal.aborted) return { kind: 'aborted' };
  const child = start(run);
  if (typeof child === 'string') return { kind: 'not_started', code: child };
  const cut: { why: 'timeout' | 'aborted' | 'too_large' | null } = { why: null };
  const kill = () => killGroup(child.pid);
  const cutShort = (why: NonNullable<typeof cut.why>) => {
    cut.why ??= why;
    kill();
    child.stdout.destroy();
  };
  const abort = () => cutShort('aborted');
  run.signal.addEventListener('abort', abort);
  const timer = run.timeoutMs === null ? undefined : setTimeout(() => cutShort('timeout'), run.timeoutMs);

  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > run.maxOutput) cutShort('too_large');
    else chunks.push(chunk);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(run.input);

  let drain: NodeJS.Timeout | undefined;
  const end = await new Promise<ProgramEnd>((resolve) => {
    const ended = (status: number | null, name: string | null) =>
      resolve(
        status === null
          ? { kind: 'killed', name: name ?? 'unknown signal' }
          : { kind: 'exited', status, output: Buffer.concat(chunks) },
      );
    child.once('error', (error) => resolve({ kind: 'not_started', code: codeOf(error) }));
    child.once('close', ended);
    child.once('exit', (status, name) => {
      // At once: while a member is left, the group's number can be nobody else's.
      if (!run.mayLeaveOthers) kill();
      drain = setTimeout(() => ended(status, name), DRAIN_MS);
    });
  });
  clearTimeout(drain);
  clearTimeout(timer);
  child.stdout.destroy();
  run.signal.removeEventListener('abort', abort);
  return cut.why === null || end.kind === 'not_started' ? end : { kind: cut.why };
}

/** What the system says at once, as of a program that is no program, is the answer instead of the child. */
function start({ argv: [program = '', ...args], cwd, env }: ProgramRun) {
  try {
    return spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  } catch (error) {
    return codeOf(error);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody is left
  }
}

function codeOf(error: unknown): string {
  return systemErrorCode(error) ?? 'unknown error';
}

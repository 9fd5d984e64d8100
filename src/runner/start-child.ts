/** Starts the child, and tells how it ended. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';
import type { Channel } from './channel.ts';
import type { StartableCommand } from './command-error.ts';
import { execChain, type Taking } from './exec-chain.ts';
import type { Output, Outputs } from './outputs.ts';
import type { ShellPassage } from './shell-passage.ts';
import { beforeReader, READ_SIZE, type Source } from './source.ts';
import { realTimeSignalOf } from './wait-status.ts';

export interface StartOptions {
  readonly command: StartableCommand;
  readonly env: Readonly<Record<string, string>>;
  readonly outputs: Outputs;
  /** True where the child is to lead a session and group of its own from the beginning. */
  readonly detached: boolean;
  /** The environment for a child that takes its terminal by name. */
  readonly passage: ShellPassage | null;
  readonly ignored: readonly NodeJS.Signals[];
  readonly descriptors?: readonly number[];
}

export interface StartedChild {
  readonly pid: number;
  readonly sources: readonly (Pick<Output, 'name' | 'target'> & {
    readonly source: Source;
    readonly channel: Channel;
  })[];
  /** False once it has been waited for: its number may then be somebody else's. */
  readonly isRunning: () => boolean;
  readonly exit: Promise<Exit>;
}

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly realTimeSignal: number | null;
  readonly durationMs: number;
}

/** Returns the child, or the system's code of why there is none. */
export async function startChild(options: StartOptions): Promise<StartedChild | string> {
  const { outputs } = options;
  const started = performance.now();
  const child = spawnNow(options);
  const failure = typeof child === 'string' ? child : await failureOf(child);
  if (typeof child === 'string' || failure !== null || child.pid === undefined) {
    for (const { channel } of outputs.list) channel?.discard();
    return failure ?? 'EIO';
  }
  const { pid } = child;
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  let realTimeSignal: number | null = null;
  let open = 0;
  const look = () => {
    if (isRunning()) realTimeSignal ??= realTimeSignalOf(pid);
  };
  const sources = outputs.list.flatMap(({ name, target, indexes, channel }) => {
    if (channel === null) return [];
    open += 1;
    const source = channel.open(child, indexes[0] === 2 ? 2 : 1, () => {
      open -= 1;
      if (open === 0) look();
    });
    const own = outputs.ownTerminal?.channel;
    const before = () => {
      if (channel !== own) own?.prompted();
      look();
    };
    return [{ name, target, source: withLook(source, before), channel }];
  });
  const exit = new Promise<Exit>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      const durationMs = Math.round(performance.now() - started);
      const byRealTime = realTimeSignal !== null && exitCode === 0;
      resolve({
        exitCode: byRealTime ? null : exitCode,
        signal,
        realTimeSignal: byRealTime ? realTimeSignal : null,
        durationMs,
      });
    });
  });
  return { pid, sources, isRunning, exit };
}

function spawnNow({
  command,
  env,
  outputs,
  detached,
  passage,
  ignored,
  descriptors = [],
}: StartOptions): ChildProcess | string {
  const taking = takingOf(outputs, passage);
  const { file, argv } = execChain(command, { ignored, taking });
  const [argv0, ...args] = argv;
  const stdio: Exclude<SpawnOptions['stdio'], undefined | string> = [outputs.stdin, 'inherit', 'inherit'];
  for (const { indexes, channel } of outputs.list) {
    if (channel !== null) for (const index of indexes) stdio[index] = channel.stdio;
  }
  const put = (fd: number, what: number) => {
    while (stdio.length < fd) stdio.push('ignore');
    stdio[fd] = what;
  };
  for (const fd of descriptors) put(fd, fd);
  // Whoever holds the other end of its own terminal is never hung up, and could read what it has printed.
  const blank = openSync('/dev/null', 'r');
  for (const { channel } of outputs.list) for (const fd of channel?.inherited ?? []) put(fd, blank);
  try {
    return spawn(file, args, {
      ...(argv0 === undefined ? {} : { argv0 }),
      cwd: command.cwd,
      // Node writes to it.
      env: Object.assign(
        Object.create(null),
        taking === null || taking === 'stdin' ? env : taking.passage.env,
      ),
      stdio,
      detached,
    });
  } catch (error) {
    return systemErrorCode(error) ?? 'EIO';
  } finally {
    closeSync(blank);
    if (outputs.stdin !== 'inherit') closeSync(outputs.stdin);
  }
}

function takingOf({ ownTerminal }: Outputs, passage: ShellPassage | null): Taking | null {
  if (ownTerminal === null) return null;
  if (ownTerminal.indexes.includes(0)) return 'stdin';
  return passage && { path: ownTerminal.channel.path, passage };
}

/**
 * Calls `look` before a piece of output is handed on, now and then: newer Nodes hear of the child's last output and of its
 * end in one turn, and of the end of its output only in the next.
 */
function withLook(source: Source, look: () => void): Source {
  let last = Number.NEGATIVE_INFINITY;
  return beforeReader(source, ({ length }) => {
    // Behind a full read Node reads on in the same turn, and meets the end if that was all.
    if (length >= READ_SIZE) return;
    const now = performance.now();
    if (now - last <= LOOK_EVERY_MS) return;
    last = now;
    look();
  });
}

/** A look costs as much as masking a full read. */
const LOOK_EVERY_MS = 5;

async function failureOf(child: ChildProcess): Promise<string | null> {
  if (child.pid !== undefined) return null;
  const [error] = await once(child, 'error');
  return systemErrorCode(error) ?? 'EIO';
}

/** Drives programs on a real pseudo-terminal, as a person at a keyboard would, and looks at their processes. */
import { closeSync, constants, openSync, readdirSync, readFileSync, write } from 'node:fs';
import { createRequire } from 'node:module';
import type { IPty } from '@lydell/node-pty';
import { afterTest } from './after-test.ts';
import { findTool } from './tools.ts';

const pty = loadPty();

/** Null where terminals can be driven, else why not. */
export const NO_PTY: string | null = typeof pty === 'string' ? pty : null;

/** ` (skipped: WHY)` for a title where terminals can't be driven, else nothing. */
export const NEEDS_PTY = NO_PTY === null ? '' : ` (skipped: ${NO_PTY})`;

function loadPty(): typeof import('@lydell/node-pty') | string {
  try {
    // By require: a missing binary must skip tests, not fail the import of every file that has one.
    return createRequire(import.meta.url)('@lydell/node-pty');
  } catch {
    return 'needs @lydell/node-pty with a binary for this system';
  }
}

export interface TerminalOptions {
  readonly cwd?: string;
  /** The whole environment. `TERM` is added, and what the terminal's name needs. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cols?: number;
  readonly rows?: number;
}

/** How the program ended; `signal` is null where it exited. */
export interface TerminalEnd {
  readonly exitCode: number;
  readonly signal: number | null;
}

/** Text that must be on the screen, a pattern, or a condition of any kind. */
export type Condition = string | RegExp | ((screen: string) => boolean);

export interface Terminal {
  /** The program on the terminal: the leader of its session. */
  readonly pid: number;
  /** All bytes so far. */
  bytes(): Buffer;
  /** The same as text, with the terminal's line ends, and what was typed where the terminal echoes. */
  screen(): string;
  type(keys: string): void;
  resize(cols: number, rows: number): void;
  /** Waits for a condition; `from` is the place on the screen where the search starts. Fails with the screen. */
  until(what: string, condition: Condition, from?: number): Promise<void>;
  /** When the program has ended and all of its output is on the screen. */
  readonly ended: Promise<TerminalEnd>;
  /** Takes the terminal away, as a closed window or a lost connection does. */
  hangUp(): void;
  /** Kills everything on the terminal, and what was started from there. Done by itself after a test. */
  close(): void;
}

/** Keys by what they do. */
export const KEYS = {
  interrupt: '\x03',
  quit: '\x1c',
  suspend: '\x1a',
  endOfInput: '\x04',
  enter: '\r',
} as const;

/** Starts `argv` as the leader of a session on a terminal of its own. */
export function openTerminal(argv: readonly string[], options: TerminalOptions = {}): Terminal {
  if (typeof pty === 'string') throw new Error(pty);
  const [file = '', ...args] = argv;
  const { cols = 80, rows = 24, cwd = '/', env = {} } = options;
  const name = env['TERM'] ?? 'xterm-256color';
  const started = pty.spawn(file, args, { cols, rows, cwd, env: { ...env }, name, encoding: null });
  const chunks: Buffer[] = [];
  let text: string | null = null;
  // Without an encoding the chunks are bytes, whatever the types say.
  started.onData((chunk: unknown) => {
    chunks.push(chunk as Buffer);
    text = null;
  });
  const bytes = () => withoutMark(Buffer.concat(chunks));
  // Looked at far more often than it changes.
  const screen = () => (text ??= bytes().toString('utf8'));
  const drain = drainAtEnd(started, () => Buffer.concat(chunks).includes(MARK));
  let end: TerminalEnd | null = null;
  let closed = false;
  const ended = new Promise<TerminalEnd>((resolve) => {
    started.onExit(({ exitCode, signal }) => {
      end = { exitCode, signal: signal || null };
      resolve(end);
    });
  });

  const terminal: Terminal = {
    pid: started.pid,
    bytes,
    screen,
    type: (keys) => started.write(keys),
    resize: (width, height) => started.resize(width, height),
    until: (what, condition, from = 0) =>
      until(
        () => (end === null ? what : `${what}, but the program has ended`),
        () => matches(condition, screen().slice(from)),
        () => JSON.stringify(screen()),
      ),
    ended,
    hangUp: drain.hangUp,
    close() {
      // Only once: the number may be another's by the next time.
      if (closed) return;
      closed = true;
      for (const pid of end === null ? processesOf(started.pid) : membersOf(started.pid)) kill(pid);
      if (end === null) drain.hangUp();
    },
  };
  afterTest(terminal.close);
  return terminal;
}

function matches(condition: Condition, screen: string): boolean {
  if (typeof condition === 'string') return screen.includes(condition);
  return condition instanceof RegExp ? condition.test(screen) : condition(screen);
}

/** Written to the terminal when the program has ended: when it has come through, so has all that was written before. */
const MARK = Buffer.from('\0\0<the program has ended>\0\0');

function withoutMark(bytes: Buffer): Buffer {
  const at = bytes.indexOf(MARK);
  return at < 0 ? bytes : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + MARK.length)]);
}

/**
 * Keeps the terminal open until everything has been read from it. Otherwise Node takes a terminal that nobody has open
 * any more for one that has been read empty, and what is still in the kernel is lost.
 */
function drainAtEnd(started: IPty, marked: () => boolean): { readonly hangUp: () => void } {
  const { _socket: socket, _pty: path } = started as unknown as {
    readonly _socket: { destroy(): void };
    readonly _pty: string;
  };
  const destroy = socket.destroy.bind(socket);
  let slave: number | null = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  let late = false;
  const release = () => {
    if (slave !== null) closeSync(slave);
    slave = null;
    if (late) destroy();
  };
  // The package calls it a fixed time after the program's end.
  socket.destroy = () => {
    late = true;
    if (slave === null) destroy();
  };
  const poll = setInterval(() => {
    if (isAlive(started.pid)) return;
    clearInterval(poll);
    if (slave === null) return;
    // Asynchronously: where the terminal is full the write waits for this very process to read.
    write(slave, MARK, (error) => {
      if (error) return release();
      const wait = setInterval(() => {
        if (!marked() && slave !== null) return;
        clearInterval(wait);
        release();
      }, 2);
    });
  }, 8);
  return {
    hangUp() {
      late = true;
      if (slave === null) destroy();
      else release();
    },
  };
}

/** Waits until a condition holds; fails after ten seconds and shows `state`. */
export async function until(
  what: string | (() => string),
  holds: () => boolean,
  state: () => string = () => '',
): Promise<void> {
  for (const end = Date.now() + 10_000; !holds(); ) {
    if (Date.now() > end) {
      throw new Error(`waited in vain until ${typeof what === 'string' ? what : what()} ${state()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Prompted {
  /** What was shown between the line's echo and the next prompt. */
  readonly shown: string;
  /** `$?` at the prompt. */
  readonly status: number;
}

export interface Shell extends Terminal {
  /** Types a command, and waits for the next prompt. */
  run(line: string): Promise<Prompted>;
  /** Types a command only. */
  start(line: string): void;
  /** Waits for the prompt that comes next. */
  prompt(): Promise<Prompted>;
}

/** Null where there is a bash with job control to type to, else why not. */
export const NO_BASH: string | null = NO_PTY ?? (findTool('bash') === null ? 'needs bash' : null);

/** ` (skipped: WHY)` for a title. */
export const NEEDS_BASH = NO_BASH === null ? '' : ` (skipped: ${NO_BASH})`;

export interface ShellOptions extends TerminalOptions {
  /** What starts the shell; by default nothing else does. */
  readonly way?: (argv: readonly string[]) => readonly string[];
}

/** An interactive bash at its first prompt: job control as a person has it. */
export async function openShell({ way = (argv) => argv, ...options }: ShellOptions = {}): Promise<Shell> {
  // Without readline what is typed is echoed by the terminal, so the screen has no escape sequences of the shell's.
  const bash = findTool('bash') ?? 'bash';
  const terminal = openTerminal(way([bash, '--norc', '--noprofile', '--noediting', '-i']), options);
  await terminal.until('there is a shell', /[$#] $/);
  let from = 0;
  const shell: Shell = {
    ...terminal,
    start: (line) => terminal.type(`${line}\r`),
    async prompt() {
      await terminal.until('the shell prompts', PROMPT, from);
      const screen = terminal.screen();
      const [prompt, status] = PROMPT.exec(screen.slice(from)) ?? [''];
      const at = screen.indexOf(prompt, from);
      const shown = screen.slice(from, at).replace(/^[^\n]*\n/, '');
      from = at + prompt.length;
      return { shown, status: Number(status) };
    },
    run(line) {
      shell.start(line);
      return shell.prompt();
    },
  };
  // The prompt tells the number of the command and the status of the one before.
  await shell.run("HISTFILE='' LC_ALL=C PS1='<\\#:$?> '");
  return shell;
}

const PROMPT = /<\d+:(\d+)> /;

/** The state letter of a process as `ps` shows it (`S`, `R`, `T` for stopped, …); null where it is gone. */
export function stateOf(pid: number): string | null {
  return readStat(pid)?.state ?? null;
}

/** False also for a process that has ended and that nobody has waited for yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const state = stateOf(pid);
  return process.platform !== 'linux' || (state !== null && state !== 'Z' && state !== 'X');
}

/** A process and all that descend from it or belong to its session. */
export function processesOf(root: number): number[] {
  const stats = allStats();
  const found = new Set([root, ...stats.filter(({ session }) => session === root).map(({ pid }) => pid)]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of stats) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** What is left of a session whose leader has ended; its number may be another process's by now. */
function membersOf(session: number): number[] {
  return allStats()
    .filter((stat) => stat.session === session && stat.pid !== session)
    .map(({ pid }) => pid);
}

/** Ends a process that a test has started. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

interface Stat {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly session: number;
}

function allStats(): Stat[] {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => readStat(Number(pid))).filter((stat) => stat !== null);
  } catch {
    return []; // no /proc
  }
}

function readStat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state, parent: Number(parent), session: Number(session) };
  } catch {
    return null;
  }
}

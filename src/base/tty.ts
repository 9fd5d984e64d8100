/**
 * Asks the person at the controlling terminal, never standard input or output: those belong to the child and can be a
 * pipe that somebody else fills. An answer shows that the terminal was used, not that a human used it.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { systemErrorCode } from '../errors.ts';
import { withLock } from './lock.ts';
import { writeAll } from './private-files.ts';
import { terminalTurns } from './tty-turns.ts';

export type TerminalAnswer =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'no_terminal' }
  | { readonly kind: 'timeout' }
  /** Ctrl-C, Ctrl-D on an empty line, or the terminal went away. */
  | { readonly kind: 'interrupted' };

const MAX_LINE = 4096;

export interface AskOptions {
  /** Milliseconds; none waits for ever. */
  readonly timeoutMs?: number;
  /**
   * A private folder, through which questions of parallel runs on one terminal wait for one another, and for the keyboard
   * of those whose child has it.
   */
  readonly turnsIn: string;
  /** Ends the question, as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

/**
 * Shows `question` and waits for one line. What was typed before the question's last line was shown is thrown away.
 * The caller escapes what it puts into the question.
 */
export async function askOnTerminal(
  question: string,
  { timeoutMs, turnsIn, signal }: AskOptions,
): Promise<TerminalAnswer> {
  const output = openTerminal(constants.O_WRONLY);
  if (output === null) return { kind: 'no_terminal' };
  const waits = startWaits(timeoutMs, signal);
  try {
    return await inTurn(turnsIn, waits.over, () => ask(question, output, waits.over));
  } finally {
    waits.stop();
    closeSync(output);
  }
}

/** The answer to whoever's turn it is; what ends the wait for an answer ends the wait for the turn, too. */
async function inTurn(
  folder: string,
  over: Promise<TerminalAnswer>,
  action: () => Promise<TerminalAnswer>,
): Promise<TerminalAnswer> {
  const turn = new AbortController();
  const ended = over.finally(() => turn.abort());
  const { lock, keysAreFree } = terminalTurns(folder);
  const askOnceFree = async () => {
    await Promise.race([over, keysAreFree()]);
    return action();
  };
  try {
    return await withLock(lock, askOnceFree, { timeoutMs: LONGEST_TURN_MS, signal: turn.signal });
  } catch (error) {
    if (turn.signal.aborted) return ended;
    throw error;
  }
}

/** Others may each take as long as a person may. */
const LONGEST_TURN_MS = 24 * 3600 * 1000;

async function ask(question: string, output: number, over: Promise<TerminalAnswer>): Promise<TerminalAnswer> {
  const input = openTerminal(constants.O_RDONLY | constants.O_NONBLOCK);
  let stream: ReadStream | undefined;
  try {
    if (input === null) return { kind: 'no_terminal' };
    stream = new ReadStream(input);
    const lastLine = question.lastIndexOf('\n') + 1;
    writeAll(output, Buffer.from(question.slice(0, lastLine)));
    dropTypeAhead(stream, input);
    writeAll(output, Buffer.from(question.slice(lastLine)));
    const answer = await Promise.race([over, readLine(stream)]);
    if (answer.kind !== 'answer') writeAll(output, Buffer.from('\n'));
    return answer;
  } catch {
    return { kind: 'no_terminal' }; // it went away while it was being set up or written to
  } finally {
    stream?.destroy();
    if (input !== null) closeIfOpen(input);
  }
}

/** A stream that could not open the terminal once more has closed the descriptor that it was given. */
function closeIfOpen(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // closed
  }
}

/** True where there is a controlling terminal to ask on. */
export function hasTerminal(): boolean {
  const fd = openTerminal(constants.O_WRONLY);
  if (fd !== null) closeSync(fd);
  return fd !== null;
}

function openTerminal(flags: number): number | null {
  try {
    return openSync('/dev/tty', flags | constants.O_NOCTTY);
  } catch {
    return null;
  }
}

/** What ends the question without an answer; on before it is shown, so that an early Ctrl-C ends it too. */
function startWaits(
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): { over: Promise<TerminalAnswer>; stop: () => void } {
  let resolve: (answer: TerminalAnswer) => void = () => {};
  const over = new Promise<TerminalAnswer>((settle) => {
    resolve = settle;
  });
  // The terminal stays in line mode, where Ctrl-C is a signal; with a handler it ends the question and not capwrap.
  const interrupted = () => resolve({ kind: 'interrupted' });
  process.on('SIGINT', interrupted);
  signal?.addEventListener('abort', interrupted);
  if (signal?.aborted) interrupted();
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => resolve({ kind: 'timeout' }), timeoutMs);
  const stop = () => {
    process.off('SIGINT', interrupted);
    signal?.removeEventListener('abort', interrupted);
    clearTimeout(timer);
  };
  return { over, stop };
}

/** A half-typed line can only be read in raw mode; nothing but the reading happens while it is on. */
function dropTypeAhead(stream: ReadStream, input: number): void {
  const scratch = Buffer.alloc(MAX_LINE);
  stream.setRawMode(true);
  try {
    for (let left = 64; left > 0 && readSync(input, scratch) > 0; left -= 1);
  } catch (error) {
    if (systemErrorCode(error) !== 'EAGAIN') throw error;
  } finally {
    stream.setRawMode(false);
  }
}

function readLine(stream: ReadStream): Promise<TerminalAnswer> {
  return new Promise((resolve) => {
    let line = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      line += chunk;
      const end = line.indexOf('\n');
      if (end < 0 && line.length < MAX_LINE) return;
      stream.pause(); // the next line is somebody else's
      resolve({ kind: 'answer', text: line.slice(0, end < 0 ? MAX_LINE : end) });
    });
    stream.on('end', () => resolve({ kind: 'interrupted' }));
    stream.on('error', (error) => {
      // A job in the background that can't be brought to the front is refused the terminal with EIO.
      resolve({ kind: systemErrorCode(error) === 'EIO' ? 'no_terminal' : 'interrupted' });
    });
  });
}

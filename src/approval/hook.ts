/**
 * A team's own channel: a program of the map gets the request on standard input, and hands it to whoever may approve.
 * It may print their answer. What it prints is worth nothing by itself: each approval in it must be signed.
 */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { ownGroup } from '../runner/process-tree.ts';
import { SYSTEM_PATH } from '../runner/resolve-command.ts';
import { LARGEST_ANSWER, parseReply, type Reply } from './answer.ts';
import { type ApprovalRequest, requestText } from './request.ts';

export type HookResult =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** It printed nothing: the answer comes another way. */
  | { readonly kind: 'none' }
  /** The end of a sentence: `"./ask.sh" ...`. */
  | { readonly kind: 'failed'; readonly why: string };

/** Milliseconds in which output may still arrive once the program has ended. */
const DRAIN_MS = 200;

/**
 * Runs the program in the map's folder, with no variable but `PATH` (the system's) and the request's id, until it ends
 * or `signal` is aborted, which kills it and what it has started in its group. Its standard error is dropped: it could
 * hold anything. Never throws.
 */
export async function askThroughProgram(
  argv: readonly string[],
  request: ApprovalRequest,
  signal: AbortSignal,
): Promise<HookResult> {
  const child = start(argv, request);
  if (typeof child === 'string') return { kind: 'failed', why: `can't be started (${child})` };
  let running = true;
  const kill = () => {
    if (child.pid !== undefined) ownGroup(child.pid, () => running).signal('SIGKILL');
    child.stdout.destroy(); // one that has left the group may keep it open, and is not waited for
  };
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  const output: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER) kill();
    else output.push(chunk);
  });
  child.stdin.on('error', () => undefined); // it need not read the request
  child.stdin.end(requestText(request));
  const status = await new Promise<number | string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown error'));
    const ended = (code: number | null, name: string | null) => resolve(code ?? name ?? 'unknown signal');
    child.once('close', ended);
    // What it has left running in the background may keep its output open for ever.
    child.once('exit', (code, name) => setTimeout(() => ended(code, name), DRAIN_MS));
  });
  running = false;
  child.stdout.destroy();
  signal.removeEventListener('abort', kill);
  if (bytes > LARGEST_ANSWER) return { kind: 'failed', why: `printed more than ${LARGEST_ANSWER} bytes` };
  if (status !== 0) return { kind: 'failed', why: `ended with ${status}` };
  return readReply(Buffer.concat(output).toString('utf8'), request.id);
}

/** What the system says at once, as of a program that is no program, is the answer instead of the child. */
function start([program = '', ...args]: readonly string[], { id, binding }: ApprovalRequest) {
  try {
    return spawn(program, args, {
      cwd: dirname(binding.map_path),
      env: { PATH: SYSTEM_PATH, CAPWRAP_APPROVAL_ID: id },
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true, // a group of its own, so that all of it can be ended
    });
  } catch (error) {
    return systemErrorCode(error) ?? 'unknown error';
  }
}

function readReply(text: string, id: string): HookResult {
  if (text.trim() === '') return { kind: 'none' };
  const reply = parseReply(text);
  if (reply === null) return { kind: 'failed', why: 'printed something that is no answer' };
  return reply.id === id ? { kind: 'reply', reply } : { kind: 'failed', why: 'answered another request' };
}

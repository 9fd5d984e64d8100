/**
 * A team's own channel: a program of the map gets the request on standard input, and hands it to whoever may approve.
 * It may print their answer. What it prints is worth nothing by itself: each approval in it must be signed.
 */
import { dirname } from 'node:path';
import { type ProgramEnd, runProgram } from '../base/run-program.ts';
import { SYSTEM_PATH } from '../base/system-path.ts';
import { LARGEST_ANSWER, parseReply, type Reply } from './answer.ts';
import { type ApprovalRequest, requestText } from './request.ts';

export type HookResult =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** It printed nothing: the answer comes another way. */
  | { readonly kind: 'none' }
  /** The end of a sentence: `"./ask.sh" ...`. */
  | { readonly kind: 'failed'; readonly why: string };

/**
 * Runs the program in the map's folder, with no variable but `PATH` (the system's) and the request's id, until it ends
 * or `signal` is aborted, which kills it and what it has started in its group. Never throws.
 */
export async function askThroughProgram(
  argv: readonly string[],
  request: ApprovalRequest,
  signal: AbortSignal,
): Promise<HookResult> {
  const end = await runProgram({
    argv,
    cwd: dirname(request.binding.map_path),
    env: { PATH: SYSTEM_PATH, CAPWRAP_APPROVAL_ID: request.id },
    input: requestText(request),
    maxOutput: LARGEST_ANSWER,
    timeoutMs: null,
    signal,
    mayLeaveOthers: true, // one that has handed the request on may be listening for the answer
  });
  return end.kind === 'exited' && end.status === 0
    ? readReply(end.output.toString('utf8'), request.id)
    : { kind: 'failed', why: failureOf(end) };
}

function failureOf(end: ProgramEnd): string {
  switch (end.kind) {
    case 'exited':
      return `ended with ${end.status}`;
    case 'not_started':
      return `can't be started (${end.code})`;
    case 'killed':
      return `ended with ${end.name}`;
    case 'too_large':
      return `printed more than ${LARGEST_ANSWER} bytes`;
    default:
      return 'was ended before it was done';
  }
}

function readReply(text: string, id: string): HookResult {
  if (text.trim() === '') return { kind: 'none' };
  const reply = parseReply(text);
  if (reply === null) return { kind: 'failed', why: 'printed something that is no answer' };
  return reply.id === id ? { kind: 'reply', reply } : { kind: 'failed', why: 'answered another request' };
}

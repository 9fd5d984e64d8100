/** A human's answer on the terminal. It is graded `terminal`: whoever owns the terminal can type it, an agent too. */
import { randomBytes } from 'node:crypto';
import { escapeText } from '../base/escape.ts';
import { osUser } from '../base/os-user.ts';
import { askOnTerminal } from '../base/tty.ts';
import type { Grant } from '../policy/decision.ts';
import type { RunRequest } from '../request/run-request.ts';

export interface ApprovalRequest {
  readonly id: string;
  /** What the human must type: the id's last four characters, so that a habitual `y` approves nothing. */
  readonly answer: string;
  /** The question, ready for a terminal. */
  readonly text: string;
}

export type ApprovalAnswer =
  | { readonly granted: true; readonly grade: 'terminal'; readonly approver: string }
  | { readonly granted: false; readonly reason: 'no_terminal' | 'timeout' | 'interrupted' | 'refused' };

/** Words what is asked for; everything that the caller chose is escaped. */
export function approvalRequest(grant: Grant, request: RunRequest): ApprovalRequest {
  const id = randomBytes(6).toString('hex');
  const answer = id.slice(-4);
  const { facts, command } = request;
  const rows: [string, string | null][] = [
    ['capability', grant.capability],
    ['command', command ? command.argv.map((word) => JSON.stringify(word)).join(' ') : null],
    ['directory', command?.cwd ?? null],
    ['repo', facts.repo.value],
    ['branch', facts.branch.value],
    ['environment', facts.environment.value],
    ['actor', facts.actor.value],
    ['task', request.taskId],
    ['justification', request.justification ?? 'none given'],
    ['ttl', `${grant.ttl} s`],
    ['rule', grant.rule],
  ];
  const lines = rows.map(
    ([name, value]) => `  ${name.padEnd(14)}${value === null ? 'unknown' : fold(escapeText(value))}`,
  );
  const text = `\ncapwrap asks for approval ${id}\n${lines.join('\n')}\nType ${answer} to approve, anything else to deny: `;
  return { id, answer, text };
}

/** Asks, and waits at most `timeoutMs`; no answer is a denial. */
export async function askApproval(
  request: ApprovalRequest,
  timeoutMs: number,
  uid: number,
): Promise<ApprovalAnswer> {
  const reply = await askOnTerminal(request.text, timeoutMs);
  if (reply.kind !== 'answer') return { granted: false, reason: reply.kind };
  if (reply.text.trim().toLowerCase() !== request.answer) return { granted: false, reason: 'refused' };
  return { granted: true, grade: 'terminal', approver: osUser(uid) };
}

/** Long text is cut with its length, so that the rows below it stay in sight. */
function fold(text: string): string {
  return text.length <= 500 ? text : `${text.slice(0, 500)}... (${text.length} characters)`;
}

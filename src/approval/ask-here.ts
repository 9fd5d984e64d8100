/** Asks the person on the terminal. The answer is graded `terminal`: whoever owns the terminal can type it, an agent too. */
import { escapeText } from '../base/escape.ts';
import { osUser } from '../base/os-user.ts';
import { askOnTerminal } from '../base/tty.ts';
import type { Answer } from './answer.ts';
import { type ApprovalRequest, answerWord } from './request.ts';
import { showRequest } from './show.ts';
import type { Previous } from './show-changes.ts';
import { type ApprovalTerms, statementText } from './statement.ts';

export type AnsweredHere =
  | { readonly kind: 'approved'; readonly answer: Answer & { kind: 'typed' } }
  | { readonly kind: 'denied' | 'no_terminal' | 'timeout' | 'interrupted' };

export interface AskHere {
  readonly request: ApprovalRequest;
  readonly previous: Previous | null;
  readonly terms: ApprovalTerms;
  readonly uid: number;
  readonly timeoutMs: number;
  /** The state directory, where parallel questions wait for one another. */
  readonly turnsIn: string;
  /** Takes the question away. */
  readonly signal?: AbortSignal;
}

/** Shows the request on the terminal and takes one line; anything but the end of its id is a denial. */
export async function askHere(ask: AskHere): Promise<AnsweredHere> {
  const { request, terms, uid, timeoutMs, turnsIn, signal } = ask;
  const question = questionText(request, ask.previous, terms);
  const reply = await askOnTerminal(question, { timeoutMs, turnsIn, ...(signal ? { signal } : {}) });
  if (reply.kind !== 'answer') return { kind: reply.kind };
  if (reply.text.trim().toLowerCase() !== answerWord(request)) return { kind: 'denied' };
  return {
    kind: 'approved',
    answer: { kind: 'typed', statement: statementText(request, terms), user: osUser(uid) },
  };
}

function questionText(request: ApprovalRequest, previous: Previous | null, terms: ApprovalTerms): string {
  const { uses, not_after } = terms;
  const permits = `permits ${uses === 1 ? 'one run' : `${uses} runs`} until ${not_after}`;
  const { capability, command } = request.binding;
  const lines = [
    ...showRequest(request, previous),
    // Once more, for what has scrolled out of sight.
    `${capability}: ${clip(escapeText(command.map((word) => JSON.stringify(word)).join(' ')))}`,
    `The approval ${permits}.`,
  ];
  return `\n${lines.join('\n')}\nType ${answerWord(request)} to approve, anything else to deny: `;
}

/** One line of a terminal. */
function clip(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 40)} [...] ${text.slice(-10)}`;
}

/** Answers to a request, as they are stored and as they travel between machines. */
import * as v from 'valibot';

/** An approval: the statement, with a signature over it, or with the word that it was typed on a terminal here. */
export type Answer =
  | { readonly kind: 'signed'; readonly statement: string; readonly signature: string }
  | { readonly kind: 'typed'; readonly statement: string; readonly user: string };

/** What a program of a team's own may answer: approvals, or that somebody said no. */
export type Reply =
  | { readonly denied: false; readonly answers: readonly Answer[] }
  | { readonly denied: true; readonly reason: string | null };

export const LARGEST_ANSWER = 256 * 1024;

/** One answer as it is stored. */
export function answerText(answer: Answer): string {
  return `${JSON.stringify({ capwrap_answer: 1, ...answer }, null, 2)}\n`;
}

export function parseAnswer(text: string): Answer | null {
  const result = v.safeParse(ANSWER, json(text));
  if (!result.success) return null;
  const { capwrap_answer: _, ...answer } = result.output;
  return answer;
}

/** Signed approvals in a file for `capwrap run --approval FILE`. What was only typed stays on its machine: nothing proves it. */
export function replyText(id: string, answers: readonly (Answer & { kind: 'signed' })[]): string {
  const approvals = answers.map(({ statement, signature }) => ({ statement, signature }));
  return `${JSON.stringify({ capwrap_reply: 1, id, approvals }, null, 2)}\n`;
}

/** The reply in a text, with the id of its request; null where it is none. */
export function parseReply(text: string): (Reply & { readonly id: string }) | null {
  const result = v.safeParse(REPLY, json(text));
  if (!result.success) return null;
  const reply = result.output;
  if ('denied' in reply) return { id: reply.id, denied: true, reason: reply.reason ?? null };
  return {
    id: reply.id,
    denied: false,
    answers: reply.approvals.map((approval) => ({ kind: 'signed' as const, ...approval })),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const bounded = v.pipe(v.string(), v.maxLength(LARGEST_ANSWER));

const ANSWER = v.variant('kind', [
  v.strictObject({
    capwrap_answer: v.literal(1),
    kind: v.literal('signed'),
    statement: bounded,
    signature: bounded,
  }),
  v.strictObject({
    capwrap_answer: v.literal(1),
    kind: v.literal('typed'),
    statement: bounded,
    user: v.pipe(v.string(), v.maxLength(256)),
  }),
]);

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/));

const REPLY = v.union([
  v.strictObject({
    capwrap_reply: v.literal(1),
    id,
    approvals: v.pipe(v.array(v.strictObject({ statement: bounded, signature: bounded })), v.maxLength(16)),
  }),
  v.strictObject({
    capwrap_reply: v.literal(1),
    id,
    denied: v.literal(true),
    reason: v.optional(v.pipe(v.string(), v.maxLength(1024))),
  }),
]);

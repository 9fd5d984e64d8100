/** Waits for the answers that others leave in the store: `capwrap approve`, `capwrap deny`, in another terminal. */
import { abortableWait } from '../base/abortable-wait.ts';
import type { Answer } from './answer.ts';
import type { ApprovalStore } from './store.ts';

/** Between two looks, in milliseconds: short for a person, and nothing for the machine. */
const PAUSE_MS = 150;

export type Waited<T> =
  | { readonly kind: 'enough'; readonly result: T }
  | { readonly kind: 'denied'; readonly said: string | null }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'interrupted' };

export interface WaitInput<T> {
  readonly store: Pick<ApprovalStore, 'answers' | 'denial'>;
  readonly id: string;
  readonly deadline: Date;
  readonly signal: AbortSignal;
  /** What the answers amount to; null where more are needed. Called once with what is there, then with each change. */
  readonly judge: (answers: readonly Answer[]) => T | null;
}

/** By the wall clock, so that a machine that was suspended doesn't take an answer that came too late. */
export async function waitForAnswers<T>(input: WaitInput<T>): Promise<Waited<T>> {
  const { store, id, deadline, signal, judge } = input;
  let seen = -1;
  for (;;) {
    if (signal.aborted) return { kind: 'interrupted' };
    const said = store.denial(id);
    if (said !== null) return { kind: 'denied', said: said || null };
    const answers = store.answers(id);
    if (answers.length !== seen) {
      seen = answers.length;
      const result = judge(answers);
      if (result !== null) return { kind: 'enough', result };
    }
    const left = deadline.getTime() - Date.now();
    if (left <= 0) return { kind: 'timeout' };
    await abortableWait(Math.min(PAUSE_MS, left), signal);
  }
}

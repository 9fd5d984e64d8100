import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/approval/answer.ts';
import { openApprovals } from '../../src/approval/store.ts';
import { waitForAnswers } from '../../src/approval/wait.ts';
import { tempDir } from '../helpers/cli.ts';
import { REQUEST, typed, uid } from './samples.ts';

const inMs = (ms: number) => new Date(Date.now() + ms);

function waiting(options: { deadline?: Date; signal?: AbortSignal; needed?: number } = {}) {
  const { deadline = inMs(20_000), signal = new AbortController().signal, needed = 1 } = options;
  const store = openApprovals(tempDir(), uid);
  store.addRequest(REQUEST);
  const looks: number[] = [];
  const looked: (() => void)[] = [];
  const judge = (answers: readonly Answer[]) => {
    looks.push(answers.length);
    for (const tell of looked.splice(0)) tell();
    return answers.length >= needed ? answers.length : null;
  };
  const start = () => waitForAnswers({ store, id: REQUEST.id, deadline, signal, judge });
  /** Settles when the answers are judged the next time. */
  const nextLook = () => new Promise<void>((resolve) => void looked.push(resolve));
  return { store, start, looks, nextLook };
}

describe('waiting for answers', () => {
  test('ends with one that is there already', async () => {
    const { store, start, looks } = waiting();
    store.addAnswer(REQUEST.id, typed('builder'));
    expect(await start()).toEqual({ kind: 'enough', result: 1 });
    expect(looks).toEqual([1]);
  });

  test('ends with one that comes later, and judges only what has changed', async () => {
    const { store, start, looks, nextLook } = waiting({ needed: 2 });
    const first = nextLook();
    const waited = start();
    await first;
    for (const user of ['alice', 'bob']) {
      const next = nextLook();
      store.addAnswer(REQUEST.id, typed(user));
      await next;
    }
    expect(await waited).toEqual({ kind: 'enough', result: 2 });
    expect(looks).toEqual([0, 1, 2]);
  });

  test.each([
    ['not on a Friday', 'not on a Friday'],
    ['', null],
  ])('ends with a denial that comes later, which says %j', async (reason, said) => {
    const { store, start, nextLook } = waiting();
    const first = nextLook();
    const waited = start();
    await first;
    store.addDenial(REQUEST.id, reason);
    expect(await waited).toEqual({ kind: 'denied', said });
  });

  test('a denial is stronger than an answer', async () => {
    const { store, start, looks } = waiting();
    store.addAnswer(REQUEST.id, typed('builder'));
    store.addDenial(REQUEST.id, 'no');
    expect(await start()).toEqual({ kind: 'denied', said: 'no' });
    expect(looks).toEqual([]);
  });

  test('ends when it is interrupted', async () => {
    const stop = new AbortController();
    const { start, nextLook } = waiting({ signal: stop.signal });
    const first = nextLook();
    const waited = start();
    await first;
    stop.abort();
    expect(await waited).toEqual({ kind: 'interrupted' });
  });

  test('does not begin where it is interrupted before', async () => {
    const stop = new AbortController();
    stop.abort();
    const { store, start } = waiting({ signal: stop.signal });
    store.addAnswer(REQUEST.id, typed('builder'));
    expect(await start()).toEqual({ kind: 'interrupted' });
  });

  test('ends at its deadline, and not before', async () => {
    const deadline = inMs(400);
    const { start, looks } = waiting({ deadline });
    expect(await start()).toEqual({ kind: 'timeout' });
    expect(looks).toEqual([0]);
    expect(Date.now()).toBeGreaterThanOrEqual(deadline.getTime());
  });

  test('looks once where the deadline is over', async () => {
    const { store, start } = waiting({ deadline: inMs(-1) });
    store.addAnswer(REQUEST.id, typed('builder'));
    expect(await start()).toEqual({ kind: 'enough', result: 1 });
  });
});

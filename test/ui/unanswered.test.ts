/** An end in the middle of a command is a failure, not status 0. */
import { expect, it } from 'vitest';
import type { CapwrapError } from '../../src/errors.ts';
import { failUnanswered } from '../../src/ui/unanswered.ts';

function listenersAddedBy(act: () => void): (() => void)[] {
  const before = new Set(process.listeners('beforeExit'));
  act();
  return process.listeners('beforeExit').filter((one) => !before.has(one)) as (() => void)[];
}

it('is told where Node ends before there is an answer', () => {
  const errors: CapwrapError[] = [];
  let answered = () => {};
  const [end] = listenersAddedBy(() => {
    answered = failUnanswered((error) => errors.push(error));
  });
  end?.();
  answered();
  expect(errors).toMatchObject([
    { code: 'ERR_INTERNAL', message: 'capwrap came to its end before it was through' },
  ]);
});

it('is not told once there is one', () => {
  const added = listenersAddedBy(() => failUnanswered(() => {})());
  expect(added).toEqual([]);
});

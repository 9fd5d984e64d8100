import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  answerText,
  LARGEST_ANSWER,
  parseAnswer,
  parseReply,
  replyText,
} from '../../src/approval/answer.ts';
import { anyText, REQUEST } from './samples.ts';

const signedAnswer = { kind: 'signed', statement: 'a statement', signature: 'a signature' } as const;
const typedAnswer = { kind: 'typed', statement: 'a statement', user: 'builder' } as const;

test('an answer is read as it was written', () => {
  const answers: fc.Arbitrary<Answer> = fc.oneof(
    fc.record({ kind: fc.constant('signed' as const), statement: anyText, signature: anyText }),
    fc.record({ kind: fc.constant('typed' as const), statement: anyText, user: anyText }),
  );
  fc.assert(
    fc.property(answers, (answer) => {
      expect(parseAnswer(answerText(answer))).toEqual(answer);
    }),
    { numRuns: 100 },
  );
});

test('a reply is read as it was written', () => {
  const pair = fc.record({ kind: fc.constant('signed' as const), statement: anyText, signature: anyText });
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 16 }), (answers) => {
      expect(parseReply(replyText(REQUEST.id, answers))).toEqual({ id: REQUEST.id, denied: false, answers });
    }),
    { numRuns: 100 },
  );
});

test('a denial, with and without a reason', () => {
  const head = { capwrap_reply: 1, id: REQUEST.id, denied: true };
  expect(parseReply(JSON.stringify({ ...head, reason: 'not on a Friday' }))).toEqual({
    id: REQUEST.id,
    denied: true,
    reason: 'not on a Friday',
  });
  expect(parseReply(JSON.stringify(head))).toEqual({ id: REQUEST.id, denied: true, reason: null });
});

const deep = '['.repeat(20_000) + ']'.repeat(20_000);
const garbage: readonly [string, string][] = [
  ['nothing', ''],
  ['no JSON', 'yes'],
  ['null', 'null'],
  ['a list', '[]'],
  ['an empty object', '{}'],
  ['deep lists', deep],
  ['a request', JSON.stringify({ capwrap_request: 1, ...REQUEST })],
];

describe('is no answer', () => {
  const answer = (more: object) => JSON.stringify({ capwrap_answer: 1, ...more });
  test.each([
    ...garbage,
    ['another version', JSON.stringify({ capwrap_answer: 2, ...signedAnswer })],
    ['no kind', answer({ statement: 'a', signature: 'b' })],
    ['another kind', answer({ ...signedAnswer, kind: 'spoken' })],
    ['one that is both', answer({ ...signedAnswer, user: 'builder' })],
    ['a signed one without a signature', answer({ kind: 'signed', statement: 'a' })],
    ['a typed one of nobody', answer({ kind: 'typed', statement: 'a' })],
    ['a signature that is a list', answer({ ...signedAnswer, signature: ['b'] })],
    ['a statement too long', answer({ ...signedAnswer, statement: 'a'.repeat(LARGEST_ANSWER + 1) })],
    ['a user too long', answer({ ...typedAnswer, user: 'a'.repeat(257) })],
    ['__proto__', answer({}).replace('}', ',"__proto__":{"kind":"typed","statement":"a","user":"b"}}')],
  ])('%s', (_what, text) => {
    expect(parseAnswer(text)).toBeNull();
  });
});

describe('is no reply', () => {
  const one = { statement: 'a', signature: 'b' };
  const reply = (more: object) => JSON.stringify({ capwrap_reply: 1, id: REQUEST.id, ...more });
  test.each([
    ...garbage,
    ['a typed answer', answerText(typedAnswer)],
    ['a reply with a typed answer', reply({ approvals: [{ ...one, kind: 'typed' }] })],
    ['a typed answer among the approvals', reply({ approvals: [typedAnswer] })],
    ['another version', JSON.stringify({ capwrap_reply: 2, id: REQUEST.id, approvals: [] })],
    ['an id that is a path', JSON.stringify({ capwrap_reply: 1, id: '../../../../x', approvals: [] })],
    ['neither', reply({})],
    ['both', reply({ approvals: [one], denied: true })],
    ['"denied": false', reply({ denied: false })],
    ['too many approvals', reply({ approvals: Array.from({ length: 17 }, () => one) })],
    ['a reason too long', reply({ denied: true, reason: 'a'.repeat(1025) })],
    ['a reason that is none', reply({ denied: true, reason: 1 })],
  ])('%s', (_what, text) => {
    expect(parseReply(text)).toBeNull();
  });
});

import { expect, test } from 'vitest';
import { tellStory } from '../../src/audit/story/story.ts';

const lease_id = 'a1';

/** Of another version, or written by somebody else. */
const GAPS = [
  { event: 'granted', lease_id, map_path: '/x', cut: { command: {} } },
  { event: 'issued', lease_id },
  { event: 'closed', lease_id, child: {}, end_reason: 'constructor', error: { code: 'X' } },
  { event: 'closed', lease_id, child: { exit_code: 0 }, end_reason: '__proto__' },
  { event: 'reconciled', lease_id, verdict: 'toString', reuse: [{}] },
  { event: '__proto__', lease_id },
];

test('a story has words for what a record lacks, and none of its own making', () => {
  const { subject, steps } = tellStory(GAPS, new Date(0));
  const words = [...subject.flat(), ...steps.flatMap(({ said }) => said)].join('\n');
  expect(words).not.toMatch(/undefined|null|NaN|\[object|native code/);
  expect(words).toContain('issued a credential that expires at a time not recorded');
  expect(words).toContain('the child exited not told');
});

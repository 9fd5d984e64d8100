/** A log that somebody wrote can give one lease any number of records. */
import { expect, test } from 'vitest';
import { rowOf } from '../../src/audit/leases/row.ts';
import { tellStory } from '../../src/audit/story/story.ts';

const MANY = 150_000;
const head = { timestamp: '2026-03-01T12:00:00.000Z', event: 'closed' };

test('as a row', () => {
  const line = Buffer.from(JSON.stringify({ ...head, lease_id: 'a' }));
  const row = rowOf(Array(MANY).fill(line), Array(MANY).fill(head));
  expect(row.record).toEqual({ ...head, lease_id: 'a' });
});

test('as a story', () => {
  const ends = Array.from({ length: MANY }, () => ({ ...head, lease_id: 'a' }));
  expect(tellStory([{ ...head, event: 'granted' }, ...ends], new Date()).steps).toHaveLength(MANY + 1);
});

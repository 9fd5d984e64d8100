import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoredRecord } from '../../src/audit/record/stored-record.ts';
import { RecordStore } from '../../src/audit/report/record-store.ts';
import { recordsOf, textOf, unpackTable } from '../../src/audit/report/table.ts';
import { tellStory } from '../../src/audit/story/story.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal } from './samples.ts';

const RECORDS = seal([
  GRANTED,
  ISSUED_RECORD,
  CLOSED,
  { ...GRANTED, approval: 'granted', approver: 'dana', ttl_requested: 3600 },
  { ...DENIED, justification: null, repo: null },
  { event: 'lease_ended', lease_id: 'x', reason: 'asked', outcome: 'revoke_failed' },
  { event: 'lease_ended', lease_id: 'x', reason: 'wrapper_died' },
]).map((line) => JSON.parse(line) as StoredRecord);

function throughPage(leases: readonly (readonly StoredRecord[])[]) {
  const store = new RecordStore();
  const packed = store.pack(leases.map((records) => records.map((record) => store.add(record))));
  return unpackTable(JSON.parse(JSON.stringify(packed)));
}

test('a story is the same as the one told from the log, whichever records a lease has', () => {
  const record = fc.constantFrom(...RECORDS);
  fc.assert(
    fc.property(fc.array(fc.array(record, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), (leases) => {
      const table = throughPage(leases);
      const now = new Date('2026-03-01T12:10:00Z');
      const told = leases.map((_, lease) => tellStory(recordsOf(table, lease), now));
      expect(told).toEqual(leases.map((records) => tellStory(records, now)));
    }),
    { numRuns: 40 },
  );
});

test('a field is as it was, whatever somebody wrote into the file', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('2026-03-01T12:00:00.000Z', '1', 1, null, '{"a":1}', { a: 1 }, { exit_code: 1 }, {}),
    fc.record({ exit_code: fc.jsonValue(), signal: fc.jsonValue() }),
  );
  const names = fc.constantFrom('timestamp', 'child', 'facts', 'scope', 'outcome', 'masked');
  fc.assert(
    fc.property(fc.array(fc.dictionary(names, value), { minLength: 1, maxLength: 8 }), (records) => {
      const table = throughPage([records]);
      expect(JSON.parse(JSON.stringify(recordsOf(table, 0)))).toEqual(JSON.parse(JSON.stringify(records)));
    }),
    { numRuns: 80 },
  );
});

test('places in the chain, owners and handles stay out, and names that are no field', () => {
  const table = throughPage([
    [{ ...(RECORDS[0] as object), owner: 'x', handle: { jti: 'x' }, __proto__x: 1, other: 2 }],
  ]);
  const names = Object.keys(recordsOf(table, 0)[0] ?? {});
  for (const name of ['seq', 'prev', 'hash', 'owner', 'handle', 'other']) expect(names).not.toContain(name);
  expect(names).toContain('task_id');
});

test('of several records the last one that has a field counts', () => {
  const table = throughPage([
    [{ event: 'a', outcome: 'expires' }, { event: 'b', outcome: 'expired' }, { event: 'c' }],
  ]);
  expect(textOf(table, 0, 'outcome')).toBe('expired');
  expect(textOf(table, 0, 'repo')).toBeUndefined();
});

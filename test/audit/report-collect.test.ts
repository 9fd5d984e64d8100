import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RowFilter } from '../../src/audit/leases/row-filter.ts';
import { withBook } from '../../src/audit/log/book.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { collectLeases, REPORT_LIMITS } from '../../src/audit/report/collect.ts';
import { COUNTED, countsAs, leaseFacts } from '../../src/audit/report/lease-facts.ts';
import { recordsOf, textOf, unpackTable } from '../../src/audit/report/table.ts';
import { formatHolder, newHolder } from '../../src/base/lock-holder.ts';
import { tempDir } from '../helpers/cli.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, QUIET, seal, writeLog } from './samples.ts';

const ID = String(GRANTED.lease_id);
const B = { lease_id: 'bbbbbbbbbbbbbbbb', task_id: 'task-13', actor: 'codex', repo: 'acme/api' };
const C = { lease_id: 'cccccccccccccccc', capability: 'read-ci-artifacts' };
const ASKED: AuditFields = { ...GRANTED, event: 'approval_requested', approval_id: 'a1' };

const RECORDS: readonly AuditFields[] = [
  { event: 'trusted', map_path: '/x' },
  ASKED,
  GRANTED,
  { ...GRANTED, ...B },
  ISSUED_RECORD,
  DENIED,
  CLOSED,
  { ...ISSUED_RECORD, ...B },
  { ...GRANTED, ...C },
  { event: 'lease_ended', lease_id: C.lease_id, outcome: 'revoke_failed', reason: 'asked' },
];

async function collect(
  filter: RowFilter = {},
  records = RECORDS,
  limits = REPORT_LIMITS,
  lines = seal(records),
) {
  const stateDir = tempDir();
  const path = writeLog(stateDir, lines);
  const found = await withBook(path, (book) => collectLeases(book, filter, stateDir, limits));
  if (found === null) throw new Error('no log');
  const table = unpackTable(found.table);
  const ids = Array.from({ length: table.size }, (_, lease) => textOf(table, lease, 'lease_id'));
  return { ...found, table, ids, facts: leaseFacts(table) };
}

test('each lease comes with all of its records, in the order of the grants', async () => {
  const { table, ids, filtered, tooMany, unreadable } = await collect();
  expect(ids).toEqual([ID, B.lease_id, DENIED.lease_id, C.lease_id]);
  expect(recordsOf(table, 0).map(({ event }) => event)).toEqual([
    'approval_requested',
    'granted',
    'issued',
    'closed',
  ]);
  expect([filtered, tooMany, unreadable]).toEqual([0, 0, 0]);
});

const FILTERS: readonly (readonly [RowFilter, readonly (string | undefined)[]])[] = [
  [{ capability: 'read-ci-artifacts' }, [C.lease_id]],
  [{ repo: 'acme/api' }, [B.lease_id]],
  [{ task: 'task-13', actor: 'codex' }, [B.lease_id]],
  [{ outcome: 'expires' }, [ID]],
  [{ outcome: 'revoke_failed' }, [C.lease_id]],
  [{ lease: 'bbb' }, [B.lease_id]],
  [{ since: new Date('2026-03-01T12:00:03Z') }, [B.lease_id, DENIED.lease_id, C.lease_id]],
  [{ until: new Date('2026-03-01T12:00:05Z') }, [ID, B.lease_id]],
  [{ repo: 'acme/none' }, []],
];
test.each(FILTERS)('what fits %o goes in, and the rest is counted', async (filter, expected) => {
  const { ids, filtered } = await collect(filter);
  expect(ids).toEqual(expected);
  expect(filtered).toBe(4 - expected.length);
});

test('what is far older than asked for is counted without being read, but for an approval of a lease that fits', async () => {
  const old = seal([ASKED, { ...GRANTED, ...B }], Date.parse('2026-02-01T00:00:00Z'));
  const { table, ids, filtered } = await collect(
    { since: new Date('2026-03-01T00:00:00Z') },
    [],
    REPORT_LIMITS,
    [...old, ...seal([GRANTED, CLOSED])],
  );
  expect([ids, filtered]).toEqual([[ID], 1]);
  expect(recordsOf(table, 0).map(({ event }) => event)).toEqual(['approval_requested', 'granted', 'closed']);
});

test('what came later of a lease that is older than asked for is no lease by itself', async () => {
  const old = seal([GRANTED, CLOSED, { ...GRANTED, ...B }], Date.parse('2026-02-01T00:00:00Z'));
  const late = seal([
    { event: 'reconciled', lease_id: ID, verdict: 'reuse_detected' },
    { event: 'lease_ended', lease_id: B.lease_id, outcome: 'expired', reason: 'wrapper_died' },
    { ...GRANTED, ...C },
  ]);
  const { ids, filtered } = await collect({ since: new Date('2026-03-01T00:00:00Z') }, [], REPORT_LIMITS, [
    ...old,
    ...late,
  ]);
  expect([ids, filtered]).toEqual([[C.lease_id], 2]);
});

test('a lease that began twice is counted once', async () => {
  const { ids, filtered } = await collect({}, [GRANTED, { ...DENIED, lease_id: ID }]);
  expect([ids, filtered]).toEqual([[ID], 0]);
});

describe('limits', () => {
  test('the newest leases go in, whole; the others are counted', async () => {
    const { ids, tooMany, filtered, table } = await collect({}, RECORDS, { leases: 2, bytes: 1e9 });
    // Of these the newest records are: one of them began first.
    expect(ids).toEqual([B.lease_id, C.lease_id]);
    expect(recordsOf(table, 0)).toHaveLength(2);
    expect([tooMany, filtered]).toEqual([2, 0]);
  });

  test('bytes count, too', async () => {
    const { ids, tooMany } = await collect({}, RECORDS, { leases: 100, bytes: 3000 });
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length + tooMany).toBe(4);
  });

  test('one lease that is larger than all is an error', async () => {
    const records = Array.from({ length: 40 }, (_, at) => ({
      ...GRANTED,
      justification: `${at}`.repeat(500),
    }));
    await expect(collect({}, records, { leases: 100, bytes: 5000 })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: 'the records of these leases are larger than a page can hold',
    });
  });
});

test('lines that are no record are counted, a torn last one is not', async () => {
  const stateDir = tempDir();
  const lines = seal([GRANTED, CLOSED]);
  writeFileSync(join(stateDir, 'audit.jsonl'), `garbage\n${lines.join('\n')}\n{"event":"gra`, {
    mode: 0o600,
  });
  const found = await withBook(join(stateDir, 'audit.jsonl'), (book) => collectLeases(book, {}, stateDir));
  expect(found).toMatchObject({ unreadable: 1 });
});

test('whether the process of an unfinished lease runs is looked at, of that one alone', async () => {
  const owner = formatHolder(newHolder());
  const { wrappers } = await collect({}, [
    { ...GRANTED, owner },
    QUIET,
    { ...GRANTED, ...B, owner },
    { ...GRANTED, ...C, owner: 'nobody knows' },
  ]);
  expect(wrappers).toEqual({ 1: 'alive', 2: 'unknown' });
});

describe('facts', () => {
  const LEAK = { ...QUIET, end_reason: 'leak' } as const;
  const cases: readonly (readonly [string, readonly AuditFields[], object])[] = [
    ['denied', [DENIED], { state: 'denied', end: null, leaked: false }],
    ['waiting for an approval', [ASKED], { state: 'asked', grade: null }],
    ['granted', [GRANTED], { state: 'unfinished', end: null, expires: null }],
    [
      'issued',
      [GRANTED, ISSUED_RECORD],
      { state: 'unfinished', expires: Date.parse('2026-03-01T12:15:00Z') },
    ],
    ['closed', [GRANTED, QUIET], { state: 'expires', leaked: false, verdict: null, grade: null }],
    ['a leak that was masked', [GRANTED, { ...CLOSED, masked: { stdout: 0, stderr: 1 } }], { leaked: true }],
    [
      'ended by another capwrap',
      [GRANTED, ISSUED_RECORD, { event: 'lease_ended', lease_id: ID, outcome: 'expired' }],
      {
        end: null,
        endedLater: Date.parse('2026-03-01T12:00:02Z'),
        last: Date.parse('2026-03-01T12:00:01Z'),
      },
    ],
    ['closed with a word that is none', [GRANTED, { event: 'closed', lease_id: ID }], { state: 'other' }],
    ['a leak by its reason', [GRANTED, LEAK], { leaked: true }],
    [
      'a leak by its error',
      [GRANTED, { ...QUIET, error: { code: 'ERR_LEAK', message: 'x' } }],
      { leaked: true },
    ],
    ['approved', [{ ...GRANTED, approval: 'granted', approval_grade: 'ssh_key' }], { grade: 'ssh_key' }],
    [
      'approved without a grade',
      [{ ...GRANTED, approval: 'granted', approval_grade: 'none' }],
      { grade: 'none' },
    ],
  ];
  test.each(cases)('of a lease that is %s', async (_name, records, expected) => {
    expect((await collect({}, records)).facts).toEqual([expect.objectContaining(expected)]);
  });

  test('a verdict comes from a later look, and only known ones count', async () => {
    const lines = seal([GRANTED, CLOSED]);
    const look = (verdict: unknown) =>
      JSON.stringify({ timestamp: '2026-03-01T13:00:00.000Z', event: 'reconciled', lease_id: ID, verdict });
    const verdictOf = async (verdict: unknown) =>
      (await collect({}, [], REPORT_LIMITS, [...lines, look(verdict)])).facts[0]?.verdict;
    expect(await verdictOf('reuse_detected')).toBe('reuse_detected');
    expect(await verdictOf('unverifiable')).toBe('unverifiable');
    expect(await verdictOf('fine')).toBeNull();
    expect(await verdictOf({ reuse_detected: 1 })).toBeNull();
  });

  test('a reuse that was seen once stays seen, whatever a later look finds', async () => {
    const look = { event: 'reconciled', lease_id: ID } as const;
    const looks: AuditFields[] = [
      { ...look, verdict: 'reuse_detected' },
      { ...look, verdict: 'unverifiable' },
    ];
    expect((await collect({}, [GRANTED, CLOSED, ...looks])).facts[0]?.verdict).toBe('reuse_detected');
  });

  test('what is counted', async () => {
    const { facts } = await collect({}, [
      ...RECORDS,
      { ...GRANTED, lease_id: 'd' },
      { ...LEAK, lease_id: 'd' },
    ]);
    const counts = COUNTED.map((name) => [name, facts.filter((each) => countsAs(each, name)).length]);
    expect(Object.fromEntries(counts)).toEqual({
      leases: 4,
      leaked: 2,
      reuse_detected: 0,
      unfinished: 1,
      revoke_failed: 1,
      revoked_unverified: 0,
      denied: 1,
    });
  });
});

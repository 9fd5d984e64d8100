import { expect, test } from 'vitest';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { leaseFacts } from '../../src/audit/report/lease-facts.ts';
import { RecordStore } from '../../src/audit/report/record-store.ts';
import { unpackTable } from '../../src/audit/report/table.ts';
import { ANYTHING, fitting, NONE, searchable, type Wanted } from '../../src/report-page/filters.ts';
import { formatLength, formatTime, parseTime } from '../../src/report-page/times.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD } from '../audit/samples.ts';

const LEASES: readonly (readonly AuditFields[])[] = [
  [GRANTED, ISSUED_RECORD, CLOSED],
  [{ ...DENIED, repo: null, actor: 'codex' }],
  [
    {
      ...GRANTED,
      approval: 'granted',
      approval_grade: 'ssh_key',
      task_id: 'Task-99',
      environment: 'staging',
    },
  ],
];

function fits(wanted: Partial<Wanted>): number[] {
  const store = new RecordStore();
  const table = unpackTable(
    store.pack(LEASES.map((records) => records.map((record) => store.add({ ...record })))),
  );
  const found = fitting(searchable(table, leaseFacts(table)), { ...ANYTHING, ...wanted });
  return [...found.keys()].filter((lease) => found[lease] === 1);
}

const CASES: readonly (readonly [Partial<Wanted>, readonly number[]])[] = [
  [{}, [0, 1, 2]],
  [{ actor: 'codex' }, [1]],
  [{ actor: 'nobody' }, []],
  [{ repo: NONE }, [1]],
  [{ repo: 'acme/web-app' }, [0, 2]],
  [{ environment: 'staging' }, [2]],
  [{ state: 'denied' }, [1]],
  [{ state: 'unfinished', counted: 'unfinished' }, [2]],
  [{ counted: 'leases' }, [0, 2]],
  [{ grade: 'ssh_key' }, [2]],
  [{ grade: NONE }, [0, 1]],
  [{ task: 'TASK-9' }, [2]],
  [{ text: 'ASIAIOS' }, [0]],
  [{ text: 'no_rule codex' }, [1]],
  [{ text: 'landing  publish-preview.sh' }, [0, 1, 2]],
  [{ text: 'landing codex staging' }, []],
];
test.each(CASES)('%o finds %o', (wanted, expected) => {
  expect(fits(wanted)).toEqual(expected);
});

test.each([
  ['2026-03-01', '2026-03-01T00:00:00.000Z'],
  [' 2026-03-01 08:30 ', '2026-03-01T08:30:00.000Z'],
  ['2026-03-01T08:30:05.120Z', '2026-03-01T08:30:05.120Z'],
  ['2026-13-01', null],
  ['08:30', null],
  ['tomorrow', null],
])('the time "%s" is %s', (text, expected) => {
  const time = parseTime(text);
  expect(time === null ? null : new Date(time).toISOString()).toBe(expected);
});

test('times and lengths are short', () => {
  expect(formatTime(Date.parse('2026-03-01T08:30:05.120Z'))).toBe('2026-03-01 08:30:05');
  expect(formatTime(null)).toBe('');
  expect([0, 240, 1499, 61_000, 3_600_000, 90_061_000].map(formatLength)).toEqual([
    '0 ms',
    '240 ms',
    '1 s',
    '1 m 1 s',
    '1 h',
    '1 d 1 h',
  ]);
});

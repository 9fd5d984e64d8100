import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newNumbers, newTally } from '../../src/audit/leases/numbers.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { auditStats } from '../../src/commands/audit-stats.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

/** One second apart: a run takes one from its issue to its end, an approval one from the request to the answer. */
const run = (lease_id: string, change: Partial<AuditFields> = {}): AuditFields[] =>
  [GRANTED, ISSUED_RECORD, CLOSED].map((fields) => ({
    ...fields,
    lease_id,
    masked: { stdout: 0, stderr: 0 },
    ...change,
  }));

const approval = (lease_id: string, approval_id: string): AuditFields[] => {
  const { facts, ...subject } = GRANTED;
  return [
    { ...subject, event: 'approval_requested', lease_id, approval_id },
    {
      ...subject,
      event: 'approval_given',
      lease_id,
      approval_id,
      approver: 'ada',
      approval_grade: 'ssh_key',
    },
  ];
};

const RECORDS: readonly AuditFields[] = [
  ...run('a1'),
  ...approval('a2', 'x'),
  ...run('a2', { approval: 'granted', approval_grade: 'ssh_key', ttl_requested: 3600 }),
  ...run('a3', {
    masked: { stdout: 2, stderr: 1 },
    outcome: 'revoke_failed',
    child: { exit_code: 3, signal: null, duration_ms: 5 },
  }),
  ...run('a4', { child: { exit_code: null, signal: 'SIGTERM', duration_ms: 5 }, end_reason: 'time_limit' }),
  { ...GRANTED, lease_id: 'a5' },
  { event: 'lease_ended', lease_id: 'a3', outcome: 'revoked_verified', reason: 'asked' },
  { ...GRANTED, lease_id: 'a6' },
  { event: 'lease_ended', lease_id: 'a6', outcome: 'expired', reason: 'wrapper_died' },
  DENIED,
  { ...DENIED, lease_id: 'd2' },
  { ...DENIED, lease_id: 'd3', reason: 'denied_by_rule' },
  ...run('b1', { capability: 'read-ci-artifacts', scope: ['artifacts:read'] }),
  ...run('b2', { capability: 'read-ci-artifacts', scope: ['artifacts:read', 'artifacts:list'] }),
];

async function stats(options: Parameters<typeof auditStats>[1], records = RECORDS, json = false) {
  const stateDir = tempDir();
  writeLog(stateDir, seal(records));
  const printed = printing(stateDir, { json });
  const status = await auditStats(printed.context, options);
  return { status, text: printed.stdout(), notes: printed.stderr() };
}

test('in words', async () => {
  const { status, text, notes } = await stats({});
  expect(status).toBe(0);
  expect(text).toBe(`\
publish-preview-build
  runs         6, from 2026-03-01 12:00:00Z to 2026-03-01 12:00:20Z; 1 unfinished; 1 ended by another capwrap
  denied       3: no_rule_matched 2, denied_by_rule 1
  lease end    expires 3, expired 1, revoked_verified 1
  child        exit 0 2, exit other 1, signal 1; stopped by capwrap 1
  leaks        secrets in the output of 1 run, masked 3 times
  TTL asked    median 15m, 95 % up to 1h, longest 1h
  TTL granted  15m each time; less than asked 1 time
  TTL used     1s each time
  scope        the same in all 6 runs: s3:PutObject cloudfront:CreateInvalidation
  approvals    none 5, ssh_key 1
  waited       1s each time

read-ci-artifacts
  runs         2, from 2026-03-01 12:00:21Z to 2026-03-01 12:00:24Z
  lease end    expires 2
  child        exit 0 2
  TTL asked    15m each time
  TTL granted  15m each time
  TTL used     1s each time
  scope        2 different ones; in 1 of 2 runs: artifacts:read artifacts:list
  approvals    none 2
`);
  expect(notes).toMatch(/^a scope is what the credential may do; /);
});

test('as JSON', async () => {
  const { text } = await stats({ capability: 'read-*' }, RECORDS, true);
  const second = { count: 2, min: 1, median: 1, p95: 1, max: 1 };
  const ttl = { count: 2, min: 900, median: 900, p95: 900, max: 900 };
  expect(JSON.parse(text)).toEqual({
    filter: "--capability 'read-*'",
    since: null,
    until: null,
    records: RECORDS.length,
    unreadable: 0,
    capabilities: [
      {
        capability: 'read-ci-artifacts',
        first: '2026-03-01T12:00:21.000Z',
        last: '2026-03-01T12:00:24.000Z',
        runs: 2,
        unfinished: 0,
        ended_by_other: 0,
        stopped: 0,
        shortened: 0,
        leaks: { runs: 0, masked: 0 },
        denied: {},
        outcomes: { expires: 2 },
        children: { 'exit 0': 2 },
        approvals: { none: 2 },
        ttl_seconds: { requested: ttl, granted: ttl, used: second },
        ttl_used_share: { count: 2, min: 1 / 900, median: 1 / 900, p95: 1 / 900, max: 1 / 900 },
        approval_wait_seconds: null,
        scopes: [
          { scope: ['artifacts:list', 'artifacts:read'].reverse(), runs: 1 },
          { scope: ['artifacts:read'], runs: 1 },
        ],
      },
    ],
  });
});

test('how little of the time was used is a fact of enough runs', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => run(`c${at}`)).flat();
  expect((await stats({}, many(19))).text).not.toContain('%');
  expect((await stats({}, many(20))).text).toContain(
    'TTL used     1s each time; 95 % of 20 runs used at most 1 % of the time they were granted\n',
  );
});

test('a log that is not there is not an empty one', async () => {
  const { context, stdout, stderr } = printing(tempDir(), { json: true });
  expect(await auditStats(context, {})).toBe(1);
  expect(stdout()).toBe('');
  expect(stderr()).toContain('there is no audit log yet');
});

test('a filter that nothing fits says what was searched, and a line that is no record is told', async () => {
  expect((await stats({ repo: 'acme/web-ap' })).notes).toBe(
    `no lease and no denial fits --repo acme/web-ap: ${RECORDS.length} records searched\ncapwrap: hint: capwrap audit stats --repo acme/web-app\n`,
  );
  const stateDir = tempDir();
  writeLog(stateDir, [...seal(RECORDS), 'garbage']);
  const { context, stderr } = printing(stateDir);
  expect(await auditStats(context, {})).toBe(1);
  expect(stderr()).toContain('capwrap: warning: lines that are no record: 1; see capwrap audit verify\n');
});

describe('what is counted', () => {
  test('quantiles are numbers that were added, those that the plain way finds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 300 }),
        (values) => {
          const numbers = newNumbers();
          for (const value of [...values, Number.NaN, Number.POSITIVE_INFINITY]) numbers.add(value);
          const summary = numbers.summary();
          const notAbove = (limit = 0) => values.filter((value) => value <= limit).length / values.length;
          const below = (limit = 0) => values.filter((value) => value < limit).length / values.length;
          expect(summary?.count).toBe(values.length);
          expect([summary?.min, summary?.max]).toEqual([Math.min(...values), Math.max(...values)]);
          for (const [share, of] of [
            [0.5, summary?.median],
            [0.95, summary?.p95],
          ] as const) {
            expect(values).toContain(of);
            expect(notAbove(of)).toBeGreaterThanOrEqual(share);
            expect(below(of)).toBeLessThan(share);
          }
        },
      ),
      { numRuns: 50 },
    );
    expect(newNumbers().summary()).toBeNull();
  });

  test('a tally has a limit', () => {
    const tally = newTally();
    for (let at = 0; at < 1500; at++) tally.add(`key ${at}`);
    expect(tally.counts()[0]).toEqual(['others', 500]);
    expect(tally.counts()).toHaveLength(1001);
  });
});

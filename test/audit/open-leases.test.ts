/** Which leases the log leaves open, told from its records alone, and whether their runs still live. */
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  endOfTime,
  isOver,
  type OpenLease,
  openLeases,
  wrapperOf,
} from '../../src/audit/leases/open-leases.ts';
import { countUsage } from '../../src/audit/leases/usage.ts';
import { withBook } from '../../src/audit/log/book.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { formatHolder, newHolder } from '../../src/base/lock-holder.ts';
import { tempDir } from '../helpers/cli.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from './samples.ts';

const LEASE = GRANTED.lease_id ?? '';
const of = (record: AuditFields, lease_id: string): AuditFields => ({ ...record, lease_id });
const ended = (outcome: AuditFields['outcome'], lease_id = LEASE): AuditFields =>
  ({ event: 'lease_ended', lease_id, ...(outcome ? { outcome } : {}) }) as AuditFields;

async function openIn(records: readonly AuditFields[], tail = ''): Promise<readonly OpenLease[]> {
  const path = writeLog(tempDir(), seal(records));
  appendFileSync(path, tail);
  return (await withBook(path, openLeases)) ?? [];
}

test.each<[string, AuditFields[], { issued: boolean; failed: boolean } | null]>([
  ['granted', [GRANTED], { issued: false, failed: false }],
  ['granted and issued', [GRANTED, ISSUED_RECORD], { issued: true, failed: false }],
  ['closed', [GRANTED, ISSUED_RECORD, CLOSED], null],
  ['ended from outside', [GRANTED, ISSUED_RECORD, ended('revoked_unverified')], null],
  ['ended with nothing to end', [GRANTED, ended(undefined)], null],
  ['tried in vain', [GRANTED, ISSUED_RECORD, ended('revoke_failed')], { issued: true, failed: true }],
  ['tried in vain, then ended', [GRANTED, ISSUED_RECORD, ended('revoke_failed'), ended('expired')], null],
  ['ended, then tried in vain', [GRANTED, ISSUED_RECORD, ended('expired'), ended('revoke_failed')], null],
  ['denied', [DENIED], null],
])('%s', async (_name, records, expected) => {
  const open = await openIn(records);
  expect(open.map(({ leaseId, issued, failed }) => ({ leaseId, issued: issued !== null, failed }))).toEqual(
    expected === null ? [] : [{ leaseId: LEASE, ...expected }],
  );
});

test.each([0, 30, 40, 41, 44, 48, 52, 100])('a time of %d characters hides no lease', async (length) => {
  const path = writeLog(
    tempDir(),
    seal([GRANTED]).map((line) => line.replace(/"timestamp":"[^"]*"/, `"timestamp":"${'x'.repeat(length)}"`)),
  );
  expect(await withBook(path, openLeases)).toMatchObject([{ leaseId: LEASE }]);
});

test('oldest first, among others, past rubbish and a torn line', async () => {
  const records = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'cccccccccccccccc'].flatMap((id) => [
    of(GRANTED, id),
    of(ISSUED_RECORD, id),
  ]);
  const open = await openIn(
    [...records, of(CLOSED, 'bbbbbbbbbbbbbbbb')],
    `rubbish\n{"event":"closed","lease_id":"aaaaaaaaaaaaaaaa"`,
  );
  expect(open.map(({ leaseId }) => leaseId)).toEqual(['aaaaaaaaaaaaaaaa', 'cccccccccccccccc']);
});

test('an end that was tried in vain leaves the lease open for limits, too', () => {
  const rule = 'capabilities.publish-preview-build.rules[0]';
  const capability = {
    name: 'publish-preview-build',
    rules: [{ at: rule, limits: { perHour: null, perTask: null, open: 1 } }],
  } as unknown as Parameters<typeof countUsage>[1]['capability'];
  const now = new Date('2026-03-01T12:05:00Z');
  const mapPath = GRANTED.map_path ?? '';
  const openFor = (...records: AuditFields[]) => {
    const lines = seal([GRANTED, ISSUED_RECORD, ...records]).reverse();
    const log = lines.map((line) => ({ bytes: Buffer.from(line), ended: true, next: 0 }));
    return countUsage(log, { capability, mapPath, taskId: 'task-12' }, now)[0]?.open;
  };
  expect(openFor()).toBe(1);
  expect(openFor(ended('revoke_failed'))).toBe(1);
  expect(openFor(ended('revoked_unverified'))).toBe(0);
});

test('whether the run lives is told from its process, and only where that is certain', () => {
  const folder = tempDir();
  const { pid: gone = 0 } = spawnSync(process.execPath, ['-e', '']);
  const state = (owner?: string) =>
    wrapperOf(
      { leaseId: LEASE, granted: owner === undefined ? {} : { owner }, issued: null, failed: false },
      folder,
    );
  const linux = process.platform === 'linux';
  expect(state(formatHolder(newHolder()))).toBe(linux ? 'alive' : 'unknown');
  expect(state(formatHolder({ ...newHolder(), pid: gone }))).toBe('dead');
  if (linux)
    expect(state(formatHolder({ ...newHolder(), start: '1' })), 'the number is in use again').toBe('dead');
  expect(state(formatHolder({ ...newHolder(), space: 'elsewhere-0' }))).toBe('unknown');
  expect(state('nonsense')).toBe('unknown');
  expect(state()).toBe('unknown');
});

test('a lease is over by the clock of its issuer', () => {
  const lease = (skew?: number): OpenLease => ({
    leaseId: LEASE,
    granted: { deadline: '2026-03-01T12:10:00.000Z' },
    issued: {
      expires_at: '2026-03-01T12:15:00.000Z',
      ...(skew === undefined ? {} : { clock_skew_seconds: skew }),
    },
    failed: false,
  });
  const at = new Date('2026-03-01T12:15:00.000Z');
  expect(isOver(lease(), at)).toBe(true);
  expect(isOver(lease(5), at)).toBe(false);
  expect(isOver(lease(), new Date(at.getTime() - 1))).toBe(false);
  expect(endOfTime({ ...lease(), issued: null }).toISOString()).toBe('2026-03-01T12:10:00.000Z');
  expect(isOver({ ...lease(), issued: {} }, at), 'without a time nothing is over').toBe(false);
});

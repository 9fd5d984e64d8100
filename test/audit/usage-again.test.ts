/** A count that goes on from an earlier look at the log gives what a count of the whole log gives, whatever came in between. */
import { closeSync, openSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readUsage, type UsageLook, usageIn } from '../../src/audit/leases/usage.ts';
import type { UsageQuery } from '../../src/audit/leases/uses.ts';
import { archiveName, listArchives } from '../../src/audit/log/archives.ts';
import { bookOf } from '../../src/audit/log/book.ts';
import { bytesOfFile } from '../../src/audit/log/bytes.ts';
import { type ChainHead, GENESIS, sealRecord } from '../../src/audit/log/chain.ts';
import { buildRecord } from '../../src/audit/record/build-record.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import type { Limits, Rule } from '../../src/policy/capability.ts';
import { tempDir } from '../helpers/cli.ts';
import { GRANTED, STAMP, SUBJECT } from './samples.ts';

const NOW = new Date();
const HOUR = 3_600_000;
const at = (index: number) => `capabilities.x.rules[${index}]`;

function query(limits: Limits): UsageQuery {
  const rules = [0, 1].map((index) => ({ at: at(index), limits }) as Rule);
  return { capability: { name: 'x', rules }, mapPath: String(SUBJECT.map_path), taskId: 'task-1' };
}

const WITH_TASK = query({ perHour: 1, perTask: 1, open: 1 });
const WITHOUT = query({ perHour: 1, perTask: null, open: 1 });

interface Told {
  readonly event: 'granted' | 'issued' | 'closed' | 'lease_ended' | 'denied';
  readonly lease: number;
  readonly rule: number;
  readonly task: number;
  readonly outcome: 'expires' | 'not_issued' | 'revoke_failed';
  /** Hours before NOW. */
  readonly ago: number;
  readonly lives: number;
}

/** A log that can be written to as runs, rotation, retention, crashes and strangers do. */
function logIn(dir: string) {
  const path = join(dir, 'audit.jsonl');
  let head: ChainHead = GENESIS;
  let first = 1;
  const put = (fields: AuditFields, ago: number) => {
    const timestamp = new Date(NOW.getTime() - ago * HOUR).toISOString();
    const sealed = sealRecord(buildRecord(fields, { ...STAMP, timestamp }), head);
    head = sealed.head;
    writeFileSync(path, `${sealed.line}\n`, { flag: 'a', mode: 0o600 });
  };
  const append = ({ event, lease, rule, task, outcome, ago, lives }: Told) => {
    const until = new Date(NOW.getTime() + (lives - ago) * HOUR).toISOString();
    const about = { lease_id: `lease-${lease}`, rule: at(rule), task_id: `task-${task}`, deadline: until };
    put({ ...GRANTED, ...about, expires_at: until, event, outcome }, ago);
  };
  return {
    path,
    append,
    rotate() {
      if (head.seq < first) return;
      const file = archiveName(first, head.seq);
      renameSync(path, join(dir, file));
      put({ event: 'rotated', rotated: { file, first, last: head.seq, bytes: 9 } }, 0);
      first = head.seq;
    },
    retire() {
      const [oldest] = listArchives(dir);
      if (oldest) rmSync(join(dir, oldest.name));
    },
    tear: () => writeFileSync(path, '{"timestamp":"2026', { flag: 'a', mode: 0o600 }),
    cut(bytes: number) {
      const { length } = [...bytesAt(path)];
      if (length > 0) truncateSync(path, Math.max(0, length - bytes));
    },
    replace(records: readonly Told[]) {
      for (const name of readdirSync(dir)) rmSync(join(dir, name));
      [head, first] = [GENESIS, 1];
      for (const each of records) append(each);
    },
  };
}

function bytesAt(path: string): Buffer {
  const fd = openSync(path, 'a+', 0o600);
  try {
    const file = bytesOfFile(fd);
    return file.read(0, file.size());
  } finally {
    closeSync(fd);
  }
}

function countIn(path: string, asked: UsageQuery, before: UsageLook | null) {
  const fd = openSync(path, 'a+', 0o600);
  try {
    return usageIn(bookOf(path, bytesOfFile(fd)), asked, before, NOW);
  } finally {
    closeSync(fd);
  }
}

const told = fc.record<Told>({
  event: fc.constantFrom('granted', 'granted', 'issued', 'closed', 'lease_ended', 'denied'),
  lease: fc.integer({ min: 0, max: 4 }),
  rule: fc.integer({ min: 0, max: 2 }),
  task: fc.integer({ min: 1, max: 2 }),
  outcome: fc.constantFrom('expires', 'not_issued', 'revoke_failed'),
  ago: fc.constantFrom(0, 0, 0.5, 2, 47, 50, -1),
  lives: fc.constantFrom(0.25, 12),
});

const step = fc.oneof(
  { weight: 8, arbitrary: told.map((record) => ({ kind: 'append', record }) as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'rotate' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'retire' } as const) },
);
const disaster = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'none' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'tear' } as const) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 3000 }).map((bytes) => ({ kind: 'cut', bytes }) as const),
  },
  { weight: 1, arbitrary: fc.array(told).map((records) => ({ kind: 'replace', records }) as const) },
);

test('whatever is appended, rotated, removed, cut or replaced in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.array(step, { maxLength: 8 }),
      disaster,
      fc.boolean(),
      async (before, between, after, wholeLog) => {
        const asked = wholeLog ? WITH_TASK : WITHOUT;
        const log = logIn(tempDir());
        const run = (each: (typeof before)[number]) =>
          each.kind === 'append' ? log.append(each.record) : log[each.kind]();
        before.forEach(run);
        const counted = await readUsage(log.path, asked);
        expect(counted).not.toBeNull();
        between.forEach(run);
        if (after.kind === 'tear') log.tear();
        if (after.kind === 'cut') log.cut(after.bytes);
        if (after.kind === 'replace') log.replace(after.records);
        expect(countIn(log.path, asked, counted?.look ?? null)).toEqual(countIn(log.path, asked, null));
      },
    ),
    { numRuns: 150 },
  );
});

describe('what was counted before', () => {
  const GRANT: Told = { event: 'granted', lease: 1, rule: 0, task: 1, outcome: 'expires', ago: 0, lives: 1 };

  test('is not read again', async () => {
    const log = logIn(tempDir());
    for (let lease = 0; lease < 5; lease++) log.append({ ...GRANT, lease });
    log.rotate();
    const { look } = (await readUsage(log.path, WITH_TASK)) ?? {};
    log.append({ ...GRANT, event: 'closed', lease: 2 });
    log.rotate();
    log.append({ ...GRANT, lease: 9 });
    // Had it been opened, nothing could be told.
    const [oldest] = listArchives(join(log.path, '..'));
    writeFileSync(join(log.path, '..', oldest?.name ?? ''), '"rule":"capabilities.x.rules[0]"\n');
    expect(countIn(log.path, WITH_TASK, null)).toBeNull();
    expect(countIn(log.path, WITH_TASK, look ?? null)?.[0]).toEqual({
      rule: at(0),
      lastHour: 6,
      forTask: 6,
      open: 5,
    });
  });

  test('counts no more where the log has been replaced by one that is longer', async () => {
    const log = logIn(tempDir());
    log.append(GRANT);
    const { look } = (await readUsage(log.path, WITH_TASK)) ?? {};
    log.replace([
      { ...GRANT, rule: 1 },
      { ...GRANT, rule: 1, lease: 2 },
    ]);
    expect(countIn(log.path, WITH_TASK, look ?? null)?.map(({ forTask }) => forTask)).toEqual([0, 2]);
  });
});

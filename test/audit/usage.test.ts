/** What counts as a use, as data: records of a log, and the figures that follow from them. */
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { countUsage, readUsage, usageIn } from '../../src/audit/leases/usage.ts';
import type { UsageQuery } from '../../src/audit/leases/uses.ts';
import { bytesOfFile } from '../../src/audit/log/bytes.ts';
import { type LogLine, readLinesBackwards } from '../../src/audit/log/lines.ts';
import { openAuditLog } from '../../src/audit/log/log.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import type { Limits, Rule } from '../../src/policy/capability.ts';
import { tempDir } from '../helpers/cli.ts';
import { capabilityFrom } from '../policy/map-from.ts';
import { DENIED, GRANTED, recordsOf, SUBJECT, seal, writeLog } from './samples.ts';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const uid = process.getuid?.() ?? -1;

const MAP = String(SUBJECT.map_path);
const at = (index: number, name = 'x') => `capabilities.${name}.rules[${index}]`;
const fromNow = (ms: number) => new Date(NOW.getTime() + ms).toISOString();

/** A record `ago` milliseconds before NOW; the future is negative. */
interface Told extends Partial<AuditFields> {
  readonly ago: number;
}

function granted(lease_id: string, ago: number, more: Partial<AuditFields> = {}): Told {
  const about = { task_id: 'task-1', rule: at(0), deadline: fromNow(15 * MINUTE - ago) };
  return { ...GRANTED, ...about, lease_id, ...more, ago };
}

function later(
  event: 'issued' | 'closed',
  lease_id: string,
  ago: number,
  more: Partial<AuditFields> = {},
): Told {
  return { ...granted(lease_id, ago), event, outcome: 'revoked_verified', ...more };
}

const ended = (lease_id: string, ago: number): Told => ({
  event: 'lease_ended',
  lease_id,
  outcome: 'revoked_verified',
  ago,
});

function linesOf(records: readonly Told[]): string[] {
  return records.map(({ ago, ...fields }) => seal([fields as AuditFields], NOW.getTime() - ago)[0] ?? '');
}

const ALL: Limits = { perHour: 1, perTask: 1, open: 1 };

function query(limits: readonly (Limits | null)[] = [ALL], more: Partial<UsageQuery> = {}): UsageQuery {
  const [rule] = capabilityFrom({
    provider: 'local-issuer',
    audience: 'a',
    scope: ['s'],
    rules: [{ allow: {} }],
  }).rules;
  const rules = limits.map((each, index): Rule => ({ ...(rule as Rule), at: at(index), limits: each }));
  return { capability: { name: 'x', rules }, mapPath: MAP, taskId: 'task-1', ...more };
}

/** Lines of a log, last first, as they are read; `seen` is what was taken of them. */
function* backwards(lines: readonly string[], seen: string[] = []): Generator<LogLine> {
  for (const line of lines.toReversed()) {
    seen.push(line);
    yield { bytes: Buffer.from(line), ended: true, next: 0 };
  }
}

function count(records: readonly Told[], asked = query()): number[] {
  const [usage] = countUsage(backwards(linesOf(records)), asked, NOW);
  return [usage?.lastHour ?? -1, usage?.forTask ?? -1, usage?.open ?? -1];
}

describe('uses in the last hour, uses for the task, open leases', () => {
  const cases: readonly [what: string, records: readonly Told[], figures: readonly number[]][] = [
    ['no record', [], [0, 0, 0]],
    ['a run that is going', [granted('a', MINUTE)], [1, 1, 1]],
    ['one with its credential', [granted('a', MINUTE), later('issued', 'a', MINUTE)], [1, 1, 1]],
    [
      'one that is closed',
      [granted('a', MINUTE), later('issued', 'a', MINUTE), later('closed', 'a', 0)],
      [1, 1, 0],
    ],
    ['one that another process ended', [granted('a', MINUTE), ended('a', 0)], [1, 1, 0]],
    ['one that was both', [granted('a', MINUTE), ended('a', 2), later('closed', 'a', 1)], [1, 1, 0]],
    [
      'one that got nothing',
      [granted('a', MINUTE), later('closed', 'a', 0, { outcome: 'not_issued' })],
      [0, 0, 0],
    ],
    [
      'one that got nothing and was ended, too',
      [granted('a', MINUTE), later('closed', 'a', 1, { outcome: 'not_issued' }), ended('a', 0)],
      [0, 0, 0],
    ],
    [
      'one that had a credential, whatever its end says',
      [
        granted('a', MINUTE),
        later('issued', 'a', MINUTE),
        later('closed', 'a', 0, { outcome: 'not_issued' }),
      ],
      [1, 1, 0],
    ],
    [
      'one whose credential capwrap refused',
      [granted('a', MINUTE), later('closed', 'a', 0, { outcome: 'expires' })],
      [1, 1, 0],
    ],
    ['an end that belongs to another', [granted('a', MINUTE), later('closed', 'b', 0)], [1, 1, 1]],
    ['one that was killed, before its deadline', [granted('a', 14 * MINUTE)], [1, 1, 1]],
    ['one that was killed, after it', [granted('a', 15 * MINUTE)], [1, 1, 0]],
    [
      'one that was killed, whose credential lives longer',
      [granted('a', 20 * MINUTE), later('issued', 'a', 20 * MINUTE, { expires_at: fromNow(1) })],
      [1, 1, 1],
    ],
    [
      'one that was killed, whose credential is over before the deadline',
      [granted('a', MINUTE), later('issued', 'a', MINUTE, { expires_at: fromNow(-1) })],
      [1, 1, 1],
    ],
    ['a deadline that is none', [granted('a', 14 * HOUR, { deadline: 'soon' })], [0, 1, 1]],
    ['59 minutes and 59 seconds ago', [granted('a', HOUR - 1000)], [1, 1, 0]],
    ['an hour ago', [granted('a', HOUR)], [0, 1, 0]],
    ['the future: the clock was set back', [granted('a', -5 * HOUR)], [1, 1, 1]],
    ['another task', [granted('a', MINUTE, { task_id: 'task-2' })], [1, 0, 1]],
    ['another rule', [granted('a', MINUTE, { rule: at(1) })], [0, 0, 0]],
    ['the same place under another name', [granted('a', MINUTE, { rule: at(0, 'xx') })], [0, 0, 0]],
    ['another map', [granted('a', MINUTE, { map_path: '/other/capabilities.yaml' })], [0, 0, 0]],
    [
      'a capability whose name was masked: its place counts',
      [granted('a', MINUTE, { capability: '[capwrap:MY_TOKEN]' })],
      [1, 1, 1],
    ],
    ['a denial', [{ ...DENIED, rule: at(0), reason: 'limit_reached', ago: 0 }], [0, 0, 0]],
    [
      'words that look like records',
      [granted('a', MINUTE), { ...DENIED, justification: '{"event":"closed","lease_id":"a"}', ago: 0 }],
      [1, 1, 1],
    ],
    [
      'many at once, ended in another order',
      [
        ...[granted('a', 9), granted('b', 8), granted('c', 7), granted('d', 6, { task_id: 't' })],
        ...[later('closed', 'c', 5), later('closed', 'a', 4, { outcome: 'not_issued' })],
      ],
      [3, 2, 2],
    ],
    [
      'a clock that was wrong for a while hides nothing behind it',
      [granted('a', MINUTE), later('closed', 'a', 20 * HOUR), granted('b', MINUTE)],
      [2, 2, 1],
    ],
  ];
  test.each(cases)('%s', (_what, records, figures) => {
    expect(count(records)).toEqual(figures);
  });

  test('of each rule by itself, and of what a limit asks for', () => {
    const some: (Limits | null)[] = [
      { perHour: 5, perTask: null, open: null },
      null,
      { perHour: null, perTask: 2, open: 3 },
    ];
    const records = [granted('a', 3), granted('b', 2, { rule: at(1) }), granted('c', 1, { rule: at(2) })];
    expect(countUsage(backwards(linesOf(records)), query(some), NOW)).toEqual([
      { rule: at(0), lastHour: 1, forTask: null, open: null },
      { rule: at(2), lastHour: null, forTask: 1, open: 1 },
    ]);
  });

  test.each(['x'.repeat(2000), '\u202e\u{1f600}'.repeat(300), 'a"b\\c\nd', '\ud800 alone'])(
    'for a task id that the record holds in another form (%#)',
    (taskId) => {
      expect(count([granted('a', 3 * 24 * HOUR, { task_id: taskId })], query([ALL], { taskId }))).toEqual([
        0, 1, 0,
      ]);
    },
  );
});

describe('how far the log is read', () => {
  const day = (days: number, lease: string) => granted(lease, days * 24 * HOUR);
  const log = [
    ...[day(9, 'a'), granted('b', 8 * 24 * HOUR, { task_id: 'other' }), day(3, 'c')],
    ...[granted('d', HOUR / 2), later('closed', 'd', 0)],
  ];

  test('two days where no rule has per_task', () => {
    const seen: string[] = [];
    const limits = { perHour: 1, perTask: null, open: 1 };
    const usage = countUsage(backwards(linesOf(log), seen), query([limits]), NOW);
    expect(usage).toEqual([{ rule: at(0), lastHour: 1, forTask: null, open: 0 }]);
    expect(seen).toHaveLength(3);
  });

  test('to its beginning where one has', () => {
    const seen: string[] = [];
    const usage = countUsage(backwards(linesOf(log), seen), query([null, ALL, ALL]), NOW);
    expect(usage.map(({ forTask }) => forTask)).toEqual([0, 0]);
    expect(seen).toHaveLength(5);
    expect(count(log)).toEqual([1, 3, 0]);
  });
});

describe('a log that is damaged', () => {
  const good = linesOf([granted('a', MINUTE)])[0] ?? '';
  test.each([
    ['cut in the middle', good.slice(0, -30)],
    ['glued to another', `${good}${good}`],
    ['without an event', good.replace('"event":"granted",', '"event":7,')],
  ])('is refused where the line names the rule: %s', (_what, line) => {
    expect(() => countUsage(backwards([good, line, good]), query(), NOW)).toThrow(
      expect.objectContaining({ code: 'ERR_AUDIT_UNSAFE', hint: 'capwrap audit verify' }),
    );
  });

  test('is read past lines that name it nowhere, and past an end that was not finished', () => {
    const dir = tempDir();
    const path = writeLog(dir, ['', 'rubbish', '{"event":"lease_ended"', '[1]', good]);
    appendFileSync(path, good.slice(0, 700));
    const fd = openSync(path, 'r');
    expect(countUsage(readLinesBackwards(bytesOfFile(fd)), query(), NOW)).toEqual([
      { rule: at(0), lastHour: 1, forTask: 1, open: 1 },
    ]);
    closeSync(fd);
  });

  test('gives unknown usage where it is read from the file, and no usage where there is none', async () => {
    const dir = tempDir();
    const path = join(dir, 'audit.jsonl');
    const none = [{ rule: at(0), lastHour: 0, forTask: 0, open: 0 }];
    expect((await readUsage(path, query()))?.usage).toEqual(none);
    writeFileSync(path, '');
    expect((await readUsage(path, query()))?.usage).toEqual(none);
    writeFileSync(path, `${good.slice(0, -30)}\n`);
    expect(await readUsage(path, query())).toBeNull();
    const folder = join(dir, 'folder');
    mkdirSync(folder);
    expect(await readUsage(folder, query())).toBeNull();
  });
});

describe('appending with a guard', () => {
  const open = (stateDir: string) => openAuditLog({ stateDir, uid });

  test('writes nothing where it says no, and answers why', async () => {
    const log = open(tempDir());
    expect((await log.append(GRANTED, { unless: () => null })).refusal).toBeNull();
    const before = readFileSync(log.path);
    expect((await log.append(GRANTED, { durable: true, unless: () => 'no room' })).refusal).toBe('no room');
    expect(readFileSync(log.path).equals(before)).toBe(true);
    expect((await log.append(DENIED)).refusal).toBeNull();
    expect(recordsOf(log.path).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test('that throws leaves the log as it was, and unlocked', async () => {
    const log = open(tempDir());
    await log.append(GRANTED);
    const before = readFileSync(log.path);
    const unless = () => {
      throw new Error('guard');
    };
    await expect(log.append(GRANTED, { unless })).rejects.toThrow('guard');
    expect(readFileSync(log.path).equals(before)).toBe(true);
    expect((await log.append(DENIED)).refusal).toBeNull();
  });

  test('counts what others have just written: of many that race for three places three get one', async () => {
    const dir = tempDir();
    const asked = query([{ perHour: 3, perTask: null, open: null }]);
    const ends = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        open(dir).append(
          { ...GRANTED, rule: at(0), lease_id: `lease-${index}` },
          { unless: (book) => ((usageIn(book, asked)?.[0]?.lastHour ?? 3) >= 3 ? 'full' : null) },
        ),
      ),
    );
    expect(ends.filter(({ refusal }) => refusal === null)).toHaveLength(3);
    expect(recordsOf(join(dir, 'audit.jsonl'))).toHaveLength(3);
  });
});

/** Whoever can write the log can write anything into it: nothing of that reaches a terminal as it is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { auditList, auditShow, auditStats, auditTail } from '../../src/commands/audit.ts';
import { leases } from '../../src/commands/leases.ts';
import type { CommandContext } from '../../src/ui/context.ts';
import { textWidth } from '../../src/ui/text-width.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

const LEASE = '9f8c6b6a41d2e07c';
const DANGEROUS = [
  '\u001b[2J',
  '\u001b]0;x\u0007',
  '\u009b31m',
  '\r',
  '\n',
  '\t',
  '\0',
  '\u202e',
  '\u2066',
  '\u2028',
  '\u200b',
  '\u00ad',
  '\u{e0041}',
  '\u3164',
  '\ud800',
  '北京',
  'e\u0301',
  '🚀',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...DANGEROUS), fc.string({ maxLength: 4 })), { maxLength: 12 })
  .map((parts) => parts.join(''));

/** Any text in place of any text of a record, and any value in place of some. */
const hostile = (record: object) =>
  fc.tuple(fc.infiniteStream(text), fc.nat(30)).map(([texts, odd]) => {
    let at = 0;
    const spoil = (value: unknown): unknown => {
      if (typeof value === 'string')
        return at++ === odd ? { [texts.next().value ?? '']: 1 } : texts.next().value;
      if (Array.isArray(value)) return value.map(spoil);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, spoil(of)]));
    };
    const { event, lease_id, ...rest } = record as Record<string, unknown>;
    return JSON.stringify({ timestamp: texts.next().value, event, lease_id, ...(spoil(rest) as object) });
  });

const RECORDS = [
  { event: 'approval_requested', lease_id: LEASE, approval_id: 'x', asked_through: ['x'] },
  {
    event: 'approval_given',
    lease_id: LEASE,
    approval_id: 'x',
    approver: 'x',
    approver_key: 'x',
    approval_until: 'x',
    approval_uses: 2,
  },
  {
    ...GRANTED,
    approval: 'granted',
    approver: 'x',
    approval_grade: 'x',
    state_override: 'x',
    parent_lease_id: 'x',
    owner: 'x',
    host: 'x',
    cut: { x: { bytes: 1, sha256: 'x' } },
  },
  { ...ISSUED_RECORD, jti: 'x', hashed_token: 'x', source: 'x', delivery: ['x'], session_name: 'x' },
  {
    ...CLOSED,
    end_reason: 'x',
    unmasked: ['x'],
    error: { code: 'x', message: 'x' },
    revocation: { end: 'x', probe: 'x', error: 'x' },
  },
  { event: 'lease_ended', lease_id: LEASE, reason: 'x', outcome: 'x' },
  { event: 'reconciled', lease_id: LEASE, verdict: 'x', reasons: ['x'] },
  { ...DENIED, reason: 'x', said: 'x' },
  { ...GRANTED, lease_id: 'open', deadline: 'x', provider: 'x' },
  { event: 'recovered', recovered: { bytes: 1, sha256: 'x', file: 'x' }, map_path: 'x' },
  { event: 'x', lease_id: LEASE },
];
const log = fc.tuple(...RECORDS.map(hostile));

const UNSAFE = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

const COMMANDS: readonly [string, (context: CommandContext) => Promise<number>, lines: number | null][] = [
  ['list', (context) => auditList(context, {}), 4],
  ['list --event', (context) => auditList(context, { event: 'recovered' }), 2],
  ['list, on a terminal', (context) => auditList({ ...context, columns: 90 }, {}), 4],
  ['tail', (context) => auditTail(context, { follow: false, last: 99 }), RECORDS.length],
  ['leases', (context) => leases(context, {}), 2],
  ['show', (context) => auditShow(context, { lease: LEASE }), null],
  ['stats', (context) => auditStats(context, {}), null],
];

describe.each(COMMANDS)('%s', (name, run, lines) => {
  test.each([false, true])('prints nothing of a record as it is, one line a row (JSON: %s)', async (json) => {
    const stateDir = tempDir();
    await fc.assert(
      fc.asyncProperty(log, async (written) => {
        writeLog(stateDir, written);
        const { context, stdout, stderr } = printing(stateDir, { json });
        await run(context);
        // As JSON, show and tail print records as they stand; capwrap writes them safe for a terminal.
        if (!(json && /show|tail/.test(name))) expect(stdout()).not.toMatch(UNSAFE);
        expect(stderr()).not.toMatch(UNSAFE);
        if (json || lines === null) return;
        const printed = stdout().split('\n');
        expect(printed).toHaveLength(lines + 1);
        if (name.includes('terminal'))
          for (const line of printed) expect(textWidth(line)).toBeLessThanOrEqual(90);
      }),
      { numRuns: 15 },
    );
  });
});

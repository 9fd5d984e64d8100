import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvOf } from '../../src/audit/export/csv.ts';
import { LEASE_COLUMNS, RECORD_COLUMNS } from '../../src/audit/export/csv-columns.ts';
import { exportLog } from '../../src/audit/export/export.ts';
import { bookOf } from '../../src/audit/log/book.ts';
import { bytesOfBuffer } from '../../src/audit/log/bytes.ts';
import { GENESIS, sealRecord } from '../../src/audit/log/chain.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { type AuditExportOptions, auditExport } from '../../src/commands/audit-export.ts';
import { writeArchivedLog } from '../audit/archived-log.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from '../audit/samples.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

const B = { lease_id: 'bbbbbbbbbbbbbbbb', repo: 'acme/api', task_id: 'task-13' };
const RECORDS: readonly AuditFields[] = [
  { event: 'trusted', map_path: '/home/dev/web-app/capabilities.yaml', map_sha256: 'ab'.repeat(32) },
  GRANTED,
  { ...GRANTED, ...B },
  ISSUED_RECORD,
  DENIED,
  CLOSED,
  { event: 'lease_ended', lease_id: B.lease_id, outcome: 'expired' },
];
const LINES = seal(RECORDS);

async function exported(options: AuditExportOptions, lines: readonly string[] = LINES) {
  const stateDir = tempDir();
  writeLog(stateDir, lines);
  const { context, stdout, stderr } = printing(stateDir);
  const status = await auditExport(context, options);
  return { status, stdout: stdout(), stderr: stderr() };
}

/** RFC 4180, strictly: quotes only around a whole field, CRLF behind each record. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  let row: string[] = [];
  for (let end = 0; end < text.length; end = field.lastIndex) {
    field.lastIndex = end;
    const match = field.exec(text);
    if (!match) throw new Error(`no CSV at ${end}: ${text.slice(end, end + 40)}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

function table(text: string): Record<string, string>[] {
  const [names = [], ...rows] = parseCsv(text);
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? 'none'])));
}

describe('JSON lines', () => {
  const cases: readonly [Omit<AuditExportOptions, 'format'>, readonly number[]][] = [
    [{}, [0, 1, 2, 3, 4, 5, 6]],
    [{ repo: 'acme/web-app' }, [1, 3, 4, 5]],
    [{ outcome: 'expires' }, [1, 3, 5]], // only the last record has it, and the lease is whole
    [{ task: 'task-13' }, [2, 6]],
    [{ lease: '9f8c' }, [1, 3, 5]],
    [{ event: 'denied' }, [4]],
    [{ event: 'trusted' }, [0]],
    [{ since: '2026-03-01T12:00:02Z' }, [2, 4, 6]],
    [{ until: '2026-03-01T12:00:01Z' }, [0]],
    [{ since: '2026-03-01T12:00:01Z', until: '2026-03-01T12:00:02Z' }, [1, 3, 5]],
    [{ capability: 'none' }, []],
    [{ rows: 'records' }, [0, 1, 2, 3, 4, 5, 6]],
  ];
  test.each(cases)('are the lines of the log that fit %o', async (options, expected) => {
    expect(await exported({ format: 'jsonl', ...options })).toEqual({
      status: 0,
      stdout: expected.map((at) => `${LINES[at]}\n`).join(''),
      stderr: '',
    });
  });

  test('come from archives, too', async () => {
    const stateDir = tempDir();
    writeArchivedLog(stateDir, LINES, [
      { records: 2, compressed: true },
      { records: 2, compressed: false },
    ]);
    const { context, stdout } = printing(stateDir);
    expect(await auditExport(context, { format: 'jsonl', outcome: 'expires' })).toBe(0);
    expect(stdout()).toBe([1, 3, 5].map((at) => `${LINES[at]}\n`).join(''));
  });

  test.each([{}, { repo: 'acme/web-app' }])(
    'leave out what is no record, and say so: %o',
    async (options) => {
      const lines = [LINES[1] ?? '', 'garbage', '[]', LINES[5] ?? ''];
      const stateDir = tempDir();
      appendFileSync(
        writeLog(stateDir, lines),
        Buffer.from('{"event":"closed","x":"\xff"}\n{"event":"gr', 'latin1'),
      );
      const { context, stdout, stderr } = printing(stateDir);
      expect(await auditExport(context, { format: 'jsonl', ...options })).toBe(1);
      expect(stdout()).toBe(`${LINES[1]}\n${LINES[5]}\n`);
      expect(stderr()).toBe(
        'capwrap: warning: lines that are no record and were left out: 4; see capwrap audit verify\n',
      );
    },
  );
});

describe('CSV', () => {
  test('has a row for each lease and each denial, the last granted first', async () => {
    const { status, stdout } = await exported({ format: 'csv' });
    const rows = table(stdout);
    expect([status, Object.keys(rows[0] ?? {})]).toEqual([0, LEASE_COLUMNS]);
    expect(rows.map((row) => [row['lease_id'], row['status'], row['outcome']])).toEqual([
      [DENIED.lease_id, 'denied', 'not_issued'],
      [B.lease_id, 'ended', 'expired'],
      [CLOSED.lease_id, 'closed', 'expires'],
    ]);
    expect(rows[2]).toMatchObject({
      started: '2026-03-01T12:00:01.000Z',
      ended: '2026-03-01T12:00:05.000Z',
      scope: '["s3:PutObject","cloudfront:CreateInvalidation"]',
      command: '["./scripts/publish-preview.sh","--site","preview of x"]',
      'child.exit_code': '0',
      'child.signal': '',
      'masked.stdout': '2',
      seq: '6',
      hash: (JSON.parse(LINES[5] ?? '') as { hash: string }).hash,
    });
  });

  test('has a row for each record, when asked for', async () => {
    const { stdout } = await exported({ format: 'csv', rows: 'records', lease: '9f8c' });
    const rows = table(stdout);
    expect(Object.keys(rows[0] ?? {})).toEqual(RECORD_COLUMNS);
    expect(rows.map((row) => [row['seq'], row['event']])).toEqual([
      ['2', 'granted'],
      ['4', 'issued'],
      ['6', 'closed'],
    ]);
    expect(rows[2]).toMatchObject({ child: '{"exit_code":0,"signal":null,"duration_ms":3200}' });
  });

  test('of nothing is its names', async () => {
    const { stdout } = await exported({ format: 'csv', repo: 'acme/none' });
    expect(stdout).toBe(`${LEASE_COLUMNS.join(',')}\r\n`);
  });

  const cells: readonly [unknown, string][] = [
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    [-1.5, '-1.5'],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', '\\u{9}=1'],
    ['\r=1', '\\u{d}=1'],
    [' =1', "' =1"],
    ['\u00a0=1', "'\u00a0=1"],
    ['\uff1d1', "'\uff1d1"],
    ['\uff0b1', "'\uff0b1"],
    ['\uff0d1', "'\uff0d1"],
    ['\uff201', "'\uff201"],
    ['\ufe661', "'\ufe661"],
    ['\u22121', "'\u22121"],
    ['a;=1', "a;'=1"],
    [';=1', ";'=1"],
    ['=1;;@a', "'=1;;'@a"],
    ['a; @b;c', "a;' @b;c"],
    ['a=b', 'a=b'],
    ["'=1", "'=1"],
    ['\u202e\u200b\u001b[2J', '\\u{202e}\\u{200b}\\u{1b}[2J'],
    ['one\ntwo', 'one\\u{a}two'],
    ['say "a, b"', 'say "a, b"'],
    [['=1', 'a'], '["=1","a"]'],
    [{ a: ';=1' }, '{"a":";\'=1"}'],
    [true, 'true'],
    [false, 'false'],
    [null, ''],
    [undefined, ''],
    ['', ''],
    [0, '0'],
  ];
  test.each(cells)('shows %j as %j', (value, expected) => {
    expect(parseCsv(csvOf([[value, 'x']]))).toEqual([[expected, 'x']]);
  });

  test('is never a formula, a line too many or a cell too many, whatever the log holds', () => {
    const nasty = fc.constantFrom(...'=+-@\t\r\n;,"\' a\uff1d\u202e');
    const text = fc.array(fc.oneof(nasty, fc.string({ unit: anyCharacter, maxLength: 1 })), { maxLength: 8 });
    const value = fc.oneof(
      text.map((parts) => parts.join('')),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const fields = fc.dictionary(fc.constantFrom(...RECORD_COLUMNS), value);
    fc.assert(
      fc.property(fields, fc.constantFrom('lease_table', 'record_table'), (record, form) => {
        const { line } = sealRecord({ ...record, event: 'denied' }, GENESIS);
        const book = bookOf('audit.jsonl', bytesOfBuffer(Buffer.from(`${line}\n`)), []);
        const csv = [...exportLog(book, form, {}, { lines: 0, rows: 0, unreadable: 0 })].join('');
        const [names = [], ...others] = parseCsv(csv);
        expect(others.map((row) => row.length)).toEqual([names.length]);
        expect(csv.split('\r\n')).toHaveLength(3);
        const texts = others.flat().filter((cell) => !/^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/.test(cell));
        expect(texts.filter((cell) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(cell))).toEqual([]);
        const parts = texts.flatMap((cell) => cell.split(';'));
        const isFormula = (part: string) => /^\s*[=+\-@\u2212]/u.test(part.normalize('NFKC'));
        expect(parts.filter(isFormula)).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });
});

describe('the file', () => {
  test('is private and whole, and takes the place of another one', async () => {
    const output = join(tempDir(), 'leases.csv');
    writeFileSync(output, 'before', { mode: 0o644 });
    const { status, stdout } = await exported({ format: 'jsonl', output });
    expect([status, stdout]).toEqual([0, `wrote 7 rows to ${output}\n`]);
    expect(readFileSync(output, 'utf8')).toBe(LINES.map((line) => `${line}\n`).join(''));
    expect(statSync(output).mode & 0o777).toBe(0o600);
  });

  const refused: readonly [string, (path: string) => void, RegExp][] = [
    ['a symbolic link', (path) => symlinkSync('/dev/null', path), /is a symbolic link$/],
    ['a folder', (path) => mkdirSync(path), /is a directory$/],
  ];
  test.each(refused)('is never %s', async (_, prepare, message) => {
    const folder = tempDir();
    const output = join(folder, 'out');
    prepare(output);
    const failed = exported({ format: 'csv', output });
    await expect(failed).rejects.toMatchObject({ code: 'ERR_OUTPUT_WRITE' });
    await expect(failed).rejects.toThrow(message);
  });

  test('that can not be written is said with the reason', async () => {
    const output = join(tempDir(), 'missing', 'out');
    await expect(exported({ format: 'csv', output })).rejects.toMatchObject({
      code: 'ERR_OUTPUT_WRITE',
      message: `"${output}" can't be written (ENOENT)`,
    });
    expect(existsSync(output)).toBe(false);
  });

  test('never takes the place of the log', async () => {
    const stateDir = tempDir();
    const output = writeLog(stateDir, LINES);
    const failed = auditExport(printing(stateDir).context, { format: 'csv', output });
    await expect(failed).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: `"${output}" lies in capwrap's own state directory`,
    });
    expect(readFileSync(output, 'utf8')).toContain(LINES.at(-1));
  });

  test('is not made where there is no log', async () => {
    const output = join(tempDir(), 'out');
    const stateDir = tempDir();
    const { context, stderr } = printing(stateDir);
    expect(await auditExport(context, { format: 'csv', output })).toBe(1);
    expect([stderr(), existsSync(output)]).toEqual([
      `there is no audit log yet: ${stateDir}/audit.jsonl\n`,
      false,
    ]);
  });
});

test.each([
  [{ format: 'jsonl', rows: 'leases' } as const, /"--rows leases" is for CSV/],
  [{ format: 'csv', until: 'later' } as const, /"--until later" is neither a duration nor a date/],
])('options that make no sense are refused: %o', async (options, message) => {
  const failed = exported(options);
  await expect(failed).rejects.toMatchObject({ code: 'ERR_USAGE' });
  await expect(failed).rejects.toThrow(message);
});

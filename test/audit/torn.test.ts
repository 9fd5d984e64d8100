import { createHash } from 'node:crypto';
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openAuditLog } from '../../src/audit/log/log.ts';
import { LONGEST_LINE } from '../../src/audit/log/log-tail.ts';
import { verifyLog } from '../../src/audit/log/verify.ts';
import { tempDir } from '../helpers/cli.ts';
import { CLOSED, GRANTED, recordsOf, seal, writeLog } from './samples.ts';

const open = (stateDir: string) => openAuditLog({ stateDir, uid: process.getuid?.() ?? -1 });
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a log that a crash cut', () => {
  test('at any byte of its last record is repaired: nothing is lost silently, and the chain is whole', async () => {
    const lines = seal([GRANTED, { event: 'issued', lease_id: '9f8c6b6a41d2e07c' }]);
    const first = `${lines[0]}\n`;
    const last = Buffer.from(`${lines[1]}\n`);
    for (let length = 1; length < last.length; length++) {
      const stateDir = tempDir();
      const path = writeLog(stateDir, lines);
      truncateSync(path, first.length + length);
      await open(stateDir).append(CLOSED);
      const records = recordsOf(path);
      expect(records.map(({ event }) => event)).toEqual(['granted', 'recovered', 'closed']);
      const fragment = last.subarray(0, length);
      expect(records[1]?.['recovered']).toEqual({
        bytes: length,
        sha256: sha256(fragment),
        file: 'audit.torn-1',
      });
      expect(readFileSync(join(stateDir, 'audit.torn-1')).equals(fragment)).toBe(true);
      expect(readdirSync(stateDir).sort()).toEqual(['audit.jsonl', 'audit.torn-1']);
      if (length % 97 === 0)
        expect(await verifyLog(path)).toMatchObject({ ok: true, records: 3, recovered: 1 });
    }
  }, 60_000);

  const damages: readonly [string, string][] = [
    ['no newline and zeros', '\0'.repeat(5000)],
    ['a newline behind garbage', 'garbage\n'],
    ['an empty line', '\n'],
    ['another JSON object', '{"event":"closed"}\n'],
    ['a cut UTF-8 character', '{"event":"clo\xc3'],
  ];
  test.each(damages)('is repaired: %s', async (_what, fragment) => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, seal([GRANTED]));
    appendFileSync(path, fragment, 'latin1');
    await open(stateDir).append(CLOSED);
    expect(readFileSync(join(stateDir, 'audit.torn-1'), 'latin1')).toBe(fragment);
    expect(statSync(join(stateDir, 'audit.torn-1')).mode & 0o7777).toBe(0o600);
    expect(await verifyLog(path)).toMatchObject({ ok: true, records: 3, recovered: 1 });
  });

  test('before its first record was whole starts with what was recovered', async () => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, []);
    appendFileSync(path, '{"timestamp":');
    await open(stateDir).append(GRANTED);
    expect(recordsOf(path).map(({ event, seq }) => [event, seq])).toEqual([
      ['recovered', 1],
      ['granted', 2],
    ]);
  });

  test('again and again keeps each fragment', async () => {
    const stateDir = tempDir();
    const log = open(stateDir);
    for (const fragment of ['{"one', '{"two']) {
      await log.append(GRANTED);
      appendFileSync(log.path, fragment);
    }
    await log.append(CLOSED);
    expect(readdirSync(stateDir).sort()).toEqual(['audit.jsonl', 'audit.torn-1', 'audit.torn-2']);
    expect(await verifyLog(log.path)).toMatchObject({ ok: true, records: 5, recovered: 2 });
  });

  describe('and whose repair was cut too', () => {
    const torn = '{"timestamp":"2026';
    const cases: readonly [string, (stateDir: string, path: string) => void][] = [
      ['before the log was shortened', (_stateDir, path) => appendFileSync(path, torn)],
      ['before the recovered record was written', () => undefined],
      [
        'inside the recovered record',
        (_stateDir, path) => appendFileSync(path, '{"timestamp":"2026-03-01T12:'),
      ],
    ];
    test.each(cases)('%s: is repaired in the end', async (what, change) => {
      const stateDir = tempDir();
      const path = writeLog(stateDir, seal([GRANTED]));
      writeFileSync(join(stateDir, 'audit.torn-1.pending'), torn, { mode: 0o600 });
      change(stateDir, path);
      await open(stateDir).append(CLOSED);
      const recovered = recordsOf(path).filter(({ event }) => event === 'recovered');
      expect(recovered[0]?.['recovered']).toMatchObject({ file: 'audit.torn-1', sha256: sha256(torn) });
      expect(recovered.length).toBe(what.startsWith('inside') ? 2 : 1);
      expect(readdirSync(stateDir).filter((name) => name.endsWith('.pending'))).toEqual([]);
      expect(await verifyLog(path)).toMatchObject({ ok: true });
    });
  });

  test.each([
    ['two lines that are no records', 'garbage\ngarbage\n'],
    ['no record and a torn one', 'garbage\n{"event'],
    ['an end far longer than any record', 'x'.repeat(3 * LONGEST_LINE)],
  ])('does not explain %s: that is refused', async (_what, damage) => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, seal([GRANTED]));
    appendFileSync(path, damage);
    const before = readFileSync(path);
    await expect(open(stateDir).append(CLOSED)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: `"${path}" is damaged before its last line`,
      hint: `capwrap audit verify; to start a new log: mv ${path} ${path}.damaged`,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    renameSync(path, `${path}.damaged`);
    await open(stateDir).append(CLOSED);
    expect(await verifyLog(path)).toMatchObject({ ok: true, records: 1 });
  });
});

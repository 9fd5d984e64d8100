import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openAuditLog } from '../../src/audit/log/log.ts';
import { verifyLog } from '../../src/audit/log/verify.ts';
import { auditLogFor } from '../../src/audit/open.ts';
import { openStateFor } from '../../src/ui/open-state.ts';
import { printing } from '../commands/audit-context.ts';
import { tempDir } from '../helpers/cli.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, recordsOf, seal, writeLog } from './samples.ts';

const uid = process.getuid?.() ?? -1;
const isRoot = uid === 0;
const NOBODY = 65_534;

const open = (stateDir: string) => openAuditLog({ stateDir, uid });
describe('appending', () => {
  test('writes one private line per record, stamped and in the chain', async () => {
    const stateDir = tempDir();
    const log = open(stateDir);
    expect(existsSync(log.path)).toBe(false);
    const before = Date.now();
    await log.append(GRANTED, { durable: true });
    await log.append(ISSUED_RECORD);
    await open(stateDir).append(CLOSED, { durable: true });
    expect(statSync(log.path).mode & 0o7777).toBe(0o600);
    expect(readdirSync(stateDir)).toEqual(['audit.jsonl']);
    const records = recordsOf(log.path);
    expect(records.map(({ event, seq }) => [event, seq])).toEqual([
      ['granted', 1],
      ['issued', 2],
      ['closed', 3],
    ]);
    for (const record of records) {
      expect(record).toMatchObject({ pid: process.pid, version: '0.0.0-test' });
      expect(record['host']).toMatch(/./);
      expect(record['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(String(record['timestamp']))).toBeGreaterThanOrEqual(before);
    }
    expect(await verifyLog(log.path)).toMatchObject({ ok: true, records: 3 });
  });

  test('keeps the order of calls that were not waited for', async () => {
    const log = open(tempDir());
    await Promise.all(['a', 'b', 'c', 'd'].map((lease_id) => log.append({ event: 'issued', lease_id })));
    expect(
      recordsOf(log.path)
        .map(({ lease_id }) => lease_id)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd']);
    expect(await verifyLog(log.path)).toMatchObject({ ok: true, records: 4 });
  });

  test('of a field that is none leaves the log as it was', async () => {
    const log = open(tempDir());
    await log.append(GRANTED);
    const before = readFileSync(log.path);
    await expect(log.append({ event: 'issued', token: 'x' } as never)).rejects.toMatchObject({
      code: 'ERR_INTERNAL',
    });
    expect(readFileSync(log.path).equals(before)).toBe(true);
  });

  test('to a changed last line goes on, and verify names that line', async () => {
    const stateDir = tempDir();
    const lines = seal([GRANTED, ISSUED_RECORD]);
    const path = writeLog(stateDir, [lines[0] ?? '', (lines[1] ?? '').replace('feat/x', 'feat/y')]);
    await open(stateDir).append(CLOSED);
    expect(await verifyLog(path)).toMatchObject({ ok: false, records: 1, firstBad: { line: 2 } });
  });
});

describe('a log that is not safe', () => {
  const refused: readonly [string, (path: string) => void, string][] = [
    ['a symbolic link', (path) => symlinkSync(`${path}.other`, path), 'is a symbolic link'],
    [
      'a link to a good log',
      (path) => {
        writeFileSync(`${path}.other`, '', { mode: 0o600 });
        symlinkSync(`${path}.other`, path);
      },
      'is a symbolic link',
    ],
    [
      'a file with a second name',
      (path) => {
        writeFileSync(path, '', { mode: 0o600 });
        linkSync(path, `${path}.other`);
      },
      'has 2 names (hard links)',
    ],
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), 'is not a regular file'],
    ['a directory', (path) => mkdirSync(path), 'is not a regular file'],
  ];
  test.each(refused)('is refused: %s', async (_what, make, why) => {
    const { path, append } = open(tempDir());
    make(path);
    await expect(append(GRANTED)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: `"${path}" ${why}: it can't be the audit log`,
      hint: `ls -l ${path}; to start a new log: mv ${path} ${path}.refused`,
    });
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test.runIf(isRoot)('is refused: a foreign owner (only root can make one)', async () => {
    const { path, append } = open(tempDir());
    writeFileSync(path, '', { mode: 0o600 });
    chownSync(path, NOBODY, NOBODY);
    await expect(append(GRANTED)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: expect.stringContaining(`belongs to user ${NOBODY}`),
    });
  });

  test('is tightened where its mode was loose, and the next record says so, once', async () => {
    const { path, append } = open(tempDir());
    await append(GRANTED);
    chmodSync(path, 0o644);
    await append(ISSUED_RECORD);
    await append(CLOSED);
    expect(statSync(path).mode & 0o7777).toBe(0o600);
    expect(recordsOf(path).map((record) => record['repaired_mode'])).toEqual([undefined, '0644', undefined]);
  });

  test('lies in a directory that is tightened as well, and the next record and a warning say so, once', async () => {
    const stateDir = tempDir();
    chmodSync(stateDir, 0o2755);
    const { context, stderr } = printing(stateDir);
    const { path, append } = auditLogFor(context, openStateFor(context));
    await append(GRANTED);
    await append(CLOSED);
    await auditLogFor(context, openStateFor(context)).append(DENIED);
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
    expect(recordsOf(path).map((record) => record['repaired_dir_mode'])).toEqual([
      '02755',
      undefined,
      undefined,
    ]);
    expect(stderr()).toBe(
      `capwrap: warning: "${stateDir}" had mode 02755, so that others could get at it; it has 0700 now\n`,
    );
  });
});

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openAuditLog } from '../../src/audit/log.ts';
import { LONGEST_LINE } from '../../src/audit/log-tail.ts';
import { verifyLog } from '../../src/audit/verify.ts';
import { tempDir } from '../helpers/cli.ts';
import { CLOSED, GRANTED, ISSUED_RECORD, seal, writeLog } from './samples.ts';
import { useWorker } from './worker.ts';

const startAppend = useWorker('append');
const uid = process.getuid?.() ?? -1;
const isRoot = uid === 0;
const NOBODY = 65_534;

const open = (stateDir: string) => openAuditLog({ stateDir, uid });
const recordsOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

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
    expect(records.map(({ event, seq }) => [event, seq])).toEqual([['granted', 1], ['issued', 2], ['closed', 3]]);
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
    expect(recordsOf(log.path).map(({ lease_id }) => lease_id).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(await verifyLog(log.path)).toMatchObject({ ok: true, records: 4 });
  });

  test('of a field that is none leaves the log as it was', async () => {
    const log = open(tempDir());
    await log.append(GRANTED);
    const before = readFileSync(log.path);
    await expect(log.append({ event: 'issued', token: 'x' } as never)).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
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
    ['a link to a good log', (path) => (writeFileSync(`${path}.other`, '', { mode: 0o600 }), symlinkSync(`${path}.other`, path)), 'is a symbolic link'],
    ['a file with a second name', (path) => (writeFileSync(path, '', { mode: 0o600 }), linkSync(path, `${path}.other`)), 'has 2 names (hard links)'],
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
    await expect(append(GRANTED)).rejects.toMatchObject({ code: 'ERR_AUDIT_UNSAFE', message: expect.stringContaining(`belongs to user ${NOBODY}`) });
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
});

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
      expect(records[1]?.['recovered']).toEqual({ bytes: length, sha256: sha256(fragment), file: 'audit.torn-1' });
      expect(readFileSync(join(stateDir, 'audit.torn-1')).equals(fragment)).toBe(true);
      expect(readdirSync(stateDir).sort()).toEqual(['audit.jsonl', 'audit.torn-1']);
      if (length % 97 === 0) expect(await verifyLog(path)).toMatchObject({ ok: true, records: 3, recovered: 1 });
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
    expect(recordsOf(path).map(({ event, seq }) => [event, seq])).toEqual([['recovered', 1], ['granted', 2]]);
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
      ['inside the recovered record', (_stateDir, path) => appendFileSync(path, '{"timestamp":"2026-03-01T12:')],
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

describe('a disk that takes no more', () => {
  test('in the middle of a record: the log gets its old length back, and the error names the cause', async () => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, seal([GRANTED]));
    const before = readFileSync(path);
    // The limit is in blocks of 512 or 1024 bytes, as the shell counts them; either lies within the appended records.
    const ended = await startAppend([stateDir, 'full', '100', 'plain'], { shell: 'ulimit -f 8' }).end;
    expect(ended.code, ended.stderr).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'ERR_AUDIT_WRITE', message: `"${path}" can't be written (EFBIG)` });
    const size = statSync(path).size;
    expect(size).toBeGreaterThan(before.length);
    expect([4096, 8192]).not.toContain(size);
    expect(await verifyLog(path)).toMatchObject({ ok: true, torn: null });
    expect(readdirSync(stateDir)).toEqual(['audit.jsonl']);
  });

  test.runIf(isRoot && process.platform === 'linux')('ENOSPC on a small file system (only root can mount one)', async (context) => {
    const stateDir = tempDir();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=700', 'none', stateDir], { stdio: 'pipe' });
    } catch {
      return context.skip('mounting is not allowed here');
    }
    try {
      const log = open(stateDir);
      const fill = async () => {
        for (let n = 0; n < 100; n++) await log.append(GRANTED, { durable: true });
      };
      await expect(fill()).rejects.toMatchObject({
        code: 'ERR_AUDIT_WRITE',
        message: expect.stringMatching(/^".*audit\.jsonl(\.lock)?" can't be written \(ENOSPC\)$/),
        hint: `make room: df -h ${stateDir}; df -i ${stateDir}`,
      });
      expect(await verifyLog(log.path)).toMatchObject({ ok: true, torn: null });
      expect(recordsOf(log.path).length).toBeGreaterThan(2);
    } finally {
      execFileSync('umount', [stateDir]);
    }
  });

  test('a folder that can not be written', async () => {
    const stateDir = tempDir();
    if (isRoot) chownSync(stateDir, NOBODY, NOBODY);
    chmodSync(stateDir, 0o500);
    const ended = await startAppend([stateDir, 'x', '1', 'durable'], isRoot ? { uid: NOBODY } : {}).end;
    expect(ended.code, ended.stderr).toBe(1);
    expect(JSON.parse(ended.stdout)).toEqual({
      code: 'ERR_AUDIT_WRITE',
      message: `"${join(stateDir, 'audit.jsonl.lock')}" can't be written (EACCES)`,
      hint: `ls -ld ${stateDir}; ls -l ${stateDir}`,
    });
    chmodSync(stateDir, 0o700);
  });

  test('a folder that is gone', async () => {
    const stateDir = join(tempDir(), 'gone');
    await expect(open(stateDir).append(GRANTED)).rejects.toMatchObject({
      code: 'ERR_AUDIT_WRITE',
      hint: `mkdir -m 700 -p ${stateDir}`,
    });
  });
});

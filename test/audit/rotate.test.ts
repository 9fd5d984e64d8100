/** Rotation, archives and retention: the log stays one chain, whatever a crash or a hand does in between. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openLeases } from '../../src/audit/leases/open-leases.ts';
import { listRows } from '../../src/audit/leases/rows.ts';
import { listArchives } from '../../src/audit/log/archives.ts';
import { withBook } from '../../src/audit/log/book.ts';
import { openAuditLog } from '../../src/audit/log/log.ts';
import { rotateLog } from '../../src/audit/log/maintain.ts';
import { NOW, type RotateRules } from '../../src/audit/log/rotate.ts';
import { verifyLog } from '../../src/audit/log/verify.ts';
import { auditAnchor, auditRotate, auditShow, auditVerify } from '../../src/commands/audit.ts';
import { printing } from '../commands/audit-context.ts';
import { tempDir } from '../helpers/cli.ts';
import { useWorker } from '../helpers/worker.ts';
import { bookRecords, CLOSED, DENIED, GRANTED, ISSUED_RECORD, recordsOf, seal, writeLog } from './samples.ts';

const uid = process.getuid?.() ?? -1;
const startAppend = useWorker('append');
const open = (stateDir: string, rotate: RotateRules = { maxBytes: null, maxAge: null }) =>
  openAuditLog({ stateDir, uid, rotate });
const lease = (n: number) => String(n).padStart(16, '0');

/** A log of `leases` leases, one archive each but for the last. */
async function manyFiles(leases: number): Promise<{ stateDir: string; path: string }> {
  const stateDir = tempDir();
  for (let n = 1; n <= leases; n++) {
    const log = open(stateDir, NOW);
    for (const fields of [GRANTED, ISSUED_RECORD, CLOSED])
      await log.append({ ...fields, lease_id: lease(n) });
  }
  return { stateDir, path: join(stateDir, 'audit.jsonl') };
}

const settings = (stateDir: string, text: string) =>
  writeFileSync(join(stateDir, 'config.yaml'), text, { mode: 0o600 });

describe('rotation', () => {
  test('leaves archives, each named by its records, and one chain', async () => {
    const { stateDir, path } = await manyFiles(3);
    expect(readdirSync(stateDir).sort()).toEqual([
      'audit-000000000001-000000000003.jsonl',
      'audit-000000000004-000000000007.jsonl',
      'audit.jsonl',
    ]);
    const [first] = recordsOf(join(stateDir, 'audit-000000000001-000000000003.jsonl'));
    expect(recordsOf(path)[0]).toMatchObject({
      event: 'rotated',
      seq: 8,
      rotated: {
        file: 'audit-000000000004-000000000007.jsonl',
        first: 4,
        last: 7,
        bytes: statSync(join(stateDir, 'audit-000000000004-000000000007.jsonl')).size,
        log_id: String(first?.['hash']).slice(0, 16),
      },
    });
    for (const name of readdirSync(stateDir)) expect(statSync(join(stateDir, name)).mode & 0o777).toBe(0o600);
    expect(await verifyLog(path)).toMatchObject({ ok: true, records: 11, head: { seq: 11 }, resumed: 0 });
  });

  test.each<[string, RotateRules, number]>([
    ['the size is reached', { maxBytes: 3000, maxAge: null }, 1],
    ['the size is not reached', { maxBytes: 30_000, maxAge: null }, 0],
    ['the first record is old', { maxBytes: null, maxAge: 3600 }, 1],
    ['the first record is young', { maxBytes: null, maxAge: 9e9 }, 0],
    ['never', { maxBytes: null, maxAge: null }, 0],
  ])('where %s', async (_, rules, archives) => {
    const stateDir = tempDir();
    writeLog(stateDir, seal([GRANTED, ISSUED_RECORD, CLOSED]));
    await open(stateDir, rules).append(GRANTED);
    expect(listArchives(stateDir)).toHaveLength(archives);
  });

  test('comes before the first record of a run alone', async () => {
    const stateDir = tempDir();
    const log = open(stateDir, NOW);
    for (const fields of [GRANTED, ISSUED_RECORD, CLOSED]) await log.append(fields);
    expect(readdirSync(stateDir)).toEqual(['audit.jsonl']);
  });

  test('by age does not archive the record of a rotation alone, again and again', async () => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, seal([GRANTED, CLOSED]));
    expect(await rotateLog(path, { stateDir, uid }, NOW)).toBe('audit-000000000001-000000000002.jsonl');
    expect(await rotateLog(path, { stateDir, uid }, NOW)).toBeNull();
    expect(await rotateLog(join(tempDir(), 'audit.jsonl'), { stateDir, uid }, NOW)).toBeNull();
  });

  test('is finished by the next run where a crash came between its two renames', async () => {
    const { stateDir, path } = await manyFiles(2);
    const before = bookRecords(path);
    renameSync(path, `${path}.next`);
    await open(stateDir).append(CLOSED);
    expect(bookRecords(path).slice(0, before.length)).toEqual(before);
    expect(await verifyLog(path)).toMatchObject({ ok: true, records: before.length + 1, resumed: 0 });
  });

  test('begins anew where a crash came before its first rename', async () => {
    const { stateDir, path } = await manyFiles(1);
    writeFileSync(`${path}.next`, 'what an earlier try left\n', { mode: 0o600 });
    await open(stateDir, NOW).append(GRANTED);
    expect(readdirSync(stateDir).sort()).toEqual(['audit-000000000001-000000000003.jsonl', 'audit.jsonl']);
    expect(await verifyLog(path)).toMatchObject({ ok: true, records: 5 });
  });

  test('replaces nothing that has the name of its archive', async () => {
    const { stateDir, path } = await manyFiles(1);
    const taken = join(stateDir, 'audit-000000000001-000000000003.jsonl.gz');
    writeFileSync(taken, 'x');
    const before = readFileSync(path);
    await expect(open(stateDir, NOW).append(GRANTED)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: `"${taken}" is in the way of the log's rotation`,
      hint: `look at what it is, then: mv ${taken} ${taken}.aside`,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('never shows a reader a log that is not whole', async () => {
    const stateDir = tempDir();
    const path = join(stateDir, 'audit.jsonl');
    const worker = startAppend([stateDir, 'run', '0', 'plain', '2000']);
    let records = 0;
    while (listArchives(stateDir).length < 40) {
      const found = await verifyLog(path);
      if (!found.exists) continue;
      expect(found).toMatchObject({ ok: true, firstBad: null });
      expect(found.records).toBeGreaterThanOrEqual(records);
      records = found.records;
    }
    worker.process.kill('SIGKILL');
    expect((await worker.end).signal).toBe('SIGKILL');
  });
});

describe('a log of several files', () => {
  test.each([
    ['plain', () => undefined],
    [
      'compressed by hand',
      (stateDir: string) => {
        for (const { name } of listArchives(stateDir)) {
          const plain = join(stateDir, name);
          writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)), { mode: 0o600 });
          unlinkSync(plain);
        }
      },
    ],
    [
      'there both ways',
      (stateDir: string) => {
        for (const { name } of listArchives(stateDir))
          writeFileSync(join(stateDir, `${name}.gz`), 'half of one');
      },
    ],
  ])('is read as one where archives are %s', async (_, change) => {
    const { stateDir, path } = await manyFiles(4);
    change(stateDir);
    expect(await verifyLog(path)).toMatchObject({ ok: true, records: 15 });
    const rows = await withBook(path, (book) => listRows(book, {}));
    expect(rows?.rows.map(({ record, status }) => [record['lease_id'], status])).toEqual(
      [1, 2, 3, 4].map((n) => [lease(n), 'closed']),
    );
    expect(await withBook(path, openLeases)).toEqual([]);
    const { context, stdout } = printing(stateDir, { json: true });
    expect(await auditShow(context, { lease: lease(1) })).toBe(0);
    expect(stdout().split('\n')).toHaveLength(4);
  });

  test('finds a lease that was granted in one file and is open in another', async () => {
    const stateDir = tempDir();
    await open(stateDir).append(GRANTED);
    const log = open(stateDir, NOW);
    await log.append({ ...ISSUED_RECORD, lease_id: 'another000000000' });
    const { path } = log;
    const [only] = (await withBook(path, openLeases)) ?? [];
    expect(only).toMatchObject({ leaseId: GRANTED.lease_id, issued: null });
    await log.append(CLOSED);
    expect(await withBook(path, openLeases)).toEqual([]);
  });

  const archive = (stateDir: string, at: number) => join(stateDir, listArchives(stateDir)[at]?.name ?? '');
  const damages: [string, (stateDir: string) => void, object][] = [
    [
      'an archive is missing in the middle',
      (dir) => unlinkSync(archive(dir, 1)),
      {
        file: 'audit-000000000008-000000000011.jsonl',
        line: 1,
        why: expect.stringContaining('seq is 8 where 4 is due'),
      },
    ],
    [
      'its oldest archive is missing',
      (dir) => unlinkSync(archive(dir, 0)),
      {
        file: 'audit-000000000004-000000000007.jsonl',
        line: 1,
        why: expect.stringContaining('no record says'),
      },
    ],
    [
      'a byte of an archive was changed',
      (dir) =>
        writeFileSync(archive(dir, 1), readFileSync(archive(dir, 1), 'utf8').replace('feat/x', 'feat/y')),
      { file: 'audit-000000000004-000000000007.jsonl', line: 2, why: expect.stringContaining('hash') },
    ],
    [
      'an archive was cut',
      (dir) => writeFileSync(archive(dir, 0), readFileSync(archive(dir, 0)).subarray(0, -1)),
      { file: 'audit-000000000001-000000000003.jsonl', line: 3, why: 'it has no end' },
    ],
    [
      'an archive is no gzip file',
      (dir) => renameSync(archive(dir, 0), `${archive(dir, 0)}.gz`),
      {
        file: 'audit-000000000001-000000000003.jsonl.gz',
        line: 0,
        why: expect.stringContaining('is damaged'),
      },
    ],
  ];
  test.each(damages)('fails verification where %s', async (_, damage, firstBad) => {
    const { stateDir, path } = await manyFiles(4);
    damage(stateDir);
    expect(await verifyLog(path)).toMatchObject({ ok: false, firstBad });
    const { context, stdout } = printing(stateDir);
    expect(await auditVerify(context, {})).toBe(1);
    expect(stdout()).toMatch(/ is bad: /);
  });

  test('goes on behind its newest archive where its current file is gone, and says so', async () => {
    const { stateDir, path } = await manyFiles(3);
    unlinkSync(path);
    await open(stateDir).append(GRANTED);
    expect(recordsOf(path)).toMatchObject([
      {
        event: 'rotated',
        seq: 8,
        rotated: { file: 'audit-000000000004-000000000007.jsonl', first: 4, last: 7, resumed: true },
      },
      { event: 'granted', seq: 9 },
    ]);
    expect(await verifyLog(path)).toMatchObject({ ok: true, resumed: 1 });
    const { context, stdout } = printing(stateDir);
    expect(await auditVerify(context, {})).toBe(0);
    expect(stdout()).toContain('the current file was missing 1 time, and what it held is lost');
  });

  test.each([
    ['gone', (path: string) => unlinkSync(path)],
    ['empty', (path: string) => truncateSync(path, 0)],
  ])('does not verify where its current file is %s', async (_, lose) => {
    const { stateDir, path } = await manyFiles(3);
    lose(path);
    expect(await verifyLog(path)).toMatchObject({ ok: false, currentMissing: true, records: 7 });
    const { context, stdout } = printing(stateDir);
    expect(await auditVerify(context, {})).toBe(1);
    expect(stdout()).toContain('the current file is missing or empty');
    await expect(auditAnchor(context, {})).rejects.toMatchObject({ code: 'ERR_AUDIT_UNSAFE' });
  });

  test('verifies where a rotation stands between its two renames', async () => {
    const { path } = await manyFiles(3);
    const { records } = await verifyLog(path);
    renameSync(path, `${path}.next`);
    expect(await verifyLog(path)).toMatchObject({ ok: true, currentMissing: false, records: records - 4 });
  });

  test('has a gap where that file goes away during a run, and verify says so', async () => {
    const { stateDir, path } = await manyFiles(2);
    const log = open(stateDir);
    await log.append(GRANTED);
    unlinkSync(path);
    await log.append(CLOSED);
    const [first, second] = recordsOf(path);
    expect(first).toMatchObject({
      event: 'rotated',
      seq: 9,
      rotated: { file: 'audit.jsonl', first: 1, last: 8, resumed: true },
    });
    expect(second).toMatchObject({ event: 'closed', seq: 10 });
    const why = 'its seq is 9 where 4 is due: a record is missing or moved';
    expect(await verifyLog(path)).toMatchObject({
      ok: false,
      firstBad: { file: 'audit.jsonl', line: 1, why },
    });
  });

  test('is noticed where a log without archives goes away, or loses its end, during a run', async () => {
    for (const cut of [
      (path: string) => unlinkSync(path),
      (path: string) => writeFileSync(path, ''),
      (path: string) => truncateSync(path, readFileSync(path).indexOf('\n') + 1),
    ]) {
      const stateDir = tempDir();
      const log = open(stateDir);
      await log.append(GRANTED);
      await log.append(ISSUED_RECORD);
      cut(log.path);
      await log.append(CLOSED);
      expect(recordsOf(log.path).at(-2)).toMatchObject({ event: 'rotated', seq: 3, rotated: { last: 2 } });
      expect(await verifyLog(log.path)).toMatchObject({ ok: false });
    }
  });
});

describe('capwrap audit rotate', () => {
  test('does what the settings say, and tells it', async () => {
    const { stateDir, path } = await manyFiles(3);
    settings(stateDir, 'audit: {archives: {compress: true}}\n');
    const { context, stdout, stderr } = printing(stateDir);
    expect(await auditRotate(context, { now: true })).toBe(0);
    expect(stdout()).toBe(`\
rotated: audit-000000000008-000000000011.jsonl
compressed: audit-000000000001-000000000003.jsonl.gz
compressed: audit-000000000004-000000000007.jsonl.gz
compressed: audit-000000000008-000000000011.jsonl.gz
`);
    expect(readdirSync(stateDir).filter((name) => name.endsWith('.jsonl'))).toEqual(['audit.jsonl']);
    for (const { name } of listArchives(stateDir)) execFileSync('gzip', ['-t', join(stateDir, name)]);
    expect(await verifyLog(path)).toMatchObject({ ok: true, records: 12 });
    expect(await auditRotate(context, {})).toBe(0);
    expect(stderr()).toBe('nothing is due\n');
  });

  test('removes what is older than the settings keep, and the log says so', async () => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, seal([GRANTED, ISSUED_RECORD, CLOSED]));
    await open(stateDir, NOW).append({ ...GRANTED, lease_id: lease(2) });
    settings(stateDir, 'audit: {archives: {keep: 30d}}\n');
    const { context, stdout } = printing(stateDir, { json: true });
    expect(await auditRotate(context, {})).toBe(0);
    expect(JSON.parse(stdout())).toEqual({
      rotated: null,
      compressed: [],
      retired: ['audit-000000000001-000000000003.jsonl'],
      kept: [],
    });
    expect(readdirSync(stateDir).sort()).toEqual(['audit-rotate.json', 'audit.jsonl', 'config.yaml']);
    expect(recordsOf(path).at(-1)).toMatchObject({ event: 'retired', retired: { first: 1, last: 3 } });
    expect(await verifyLog(path)).toMatchObject({ ok: true, records: 3, retired: 3, head: { seq: 6 } });
    const verified = printing(stateDir);
    expect(await auditVerify(verified.context, {})).toBe(0);
    expect(verified.stdout()).toContain('3 records before the first were removed by retention');
  });

  test('keeps an archive in which an open lease was granted, and all behind it', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, seal([GRANTED, ISSUED_RECORD]));
    await open(stateDir, NOW).append({ ...CLOSED, lease_id: lease(2) });
    settings(stateDir, 'audit: {archives: {keep: 1d}}\n');
    const { context, stdout } = printing(stateDir);
    expect(await auditRotate(context, {})).toBe(0);
    expect(stdout()).toBe(
      'kept although its time is over: audit-000000000001-000000000002.jsonl: leases that were granted in it and are open: 1\n',
    );
    await open(stateDir).append(CLOSED);
    expect(await auditRotate(context, {})).toBe(0);
    expect(listArchives(stateDir)).toEqual([]);
  });

  test('removes all that a crash while compressing has left of an old archive', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, seal([GRANTED, ISSUED_RECORD, CLOSED]));
    await open(stateDir, NOW).append(DENIED);
    const [archive] = listArchives(stateDir);
    const plain = join(stateDir, archive?.name ?? '');
    writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)), { mode: 0o600 });
    writeFileSync(`${plain}.gz.tmp`, 'half of it', { mode: 0o600 });
    settings(stateDir, 'audit: {archives: {keep: 30d}}\n');
    expect(await auditRotate(printing(stateDir).context, {})).toBe(0);
    expect(readdirSync(stateDir).sort()).toEqual(['audit-rotate.json', 'audit.jsonl', 'config.yaml']);
  });

  test('compresses no archive that could not be read then', async () => {
    const { stateDir } = await manyFiles(2);
    const large = join(stateDir, 'audit-000000000004-000000000009.jsonl');
    writeFileSync(large, '');
    truncateSync(large, 1024 ** 3 + 1);
    settings(stateDir, 'audit: {archives: {compress: true}}\n');
    const { context, stdout } = printing(stateDir);
    expect(await auditRotate(context, {})).toBe(0);
    expect(stdout()).toBe('compressed: audit-000000000001-000000000003.jsonl.gz\n');
  });

  test('refuses a FIFO in place of an archive, and waits for nobody', async () => {
    const { stateDir } = await manyFiles(2);
    execFileSync('mkfifo', [join(stateDir, 'audit-000000000004-000000000009.jsonl')]);
    settings(stateDir, 'audit: {archives: {compress: true}}\n');
    await expect(auditRotate(printing(stateDir).context, {})).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: expect.stringContaining('is not a regular file') as string,
    });
  });

  test('leaves young archives, and all of them without a time to keep', async () => {
    const { stateDir } = await manyFiles(3);
    utimesSync(stateDir, 0, 0);
    for (const text of ['audit: {archives: {keep: 1d}}\n', 'audit: {archives: {keep: never}}\n']) {
      settings(stateDir, text);
      expect(await auditRotate(printing(stateDir).context, {})).toBe(0);
      expect(listArchives(stateDir)).toHaveLength(2);
    }
  });

  test('of a log that was cut short by hand afterwards is noticed all the same', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, seal([GRANTED, ISSUED_RECORD, CLOSED]));
    await open(stateDir, NOW).append({ ...GRANTED, lease_id: lease(2) });
    const log = open(stateDir, NOW);
    await log.append({ ...GRANTED, lease_id: lease(3) });
    settings(stateDir, 'audit: {archives: {keep: 300d}}\n');
    rmSync(join(stateDir, 'audit-000000000004-000000000005.jsonl'));
    expect(await verifyLog(log.path)).toMatchObject({ ok: false });
    appendFileSync(log.path, '');
    expect(existsSync(join(stateDir, 'audit-000000000001-000000000003.jsonl'))).toBe(true);
  });
});

test('a folder in place of an archive is refused', async () => {
  const { stateDir, path } = await manyFiles(1);
  mkdirSync(join(stateDir, 'audit-000000000001-000000000002.jsonl'));
  await expect(withBook(path, (book) => [...book.lines()])).rejects.toMatchObject({
    code: 'ERR_AUDIT_UNSAFE',
  });
});

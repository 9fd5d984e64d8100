import { appendFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { archiveName } from '../../src/audit/log/archives.ts';
import { openAuditLog } from '../../src/audit/log/log.ts';
import { auditTail, auditVerify } from '../../src/commands/audit.ts';
import { auditExport } from '../../src/commands/audit-export.ts';
import { auditShow } from '../../src/commands/audit-show.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

const LINES = seal([GRANTED, ISSUED_RECORD, CLOSED, DENIED]);

describe('tail', () => {
  test('prints the latest records, one line each', async () => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, LINES);
    appendFileSync(path, '{"being":"written');
    const { context, stdout } = printing(stateDir);
    expect(await auditTail(context, { follow: false, last: 2 })).toBe(0);
    expect(stdout()).toBe(`\
2026-03-01T12:00:02.000Z closed    lease_id=9f8c6b6a41d2e07c capability=publish-preview-build actor=claude-code repo=acme/web-app branch=feat/x environment=preview outcome=expires expires_at=2026-03-01T12:15:00.000Z child=0
2026-03-01T12:00:03.000Z denied    lease_id=1111111111111111 capability=publish-preview-build actor=claude-code repo=acme/web-app branch=main environment=preview reason=no_rule_matched outcome=not_issued
`);
  });

  test.each([
    [0, 0],
    [3, 3],
    [100, 4],
  ])('of %d as JSON prints %d records as they are', async (last, expected) => {
    const stateDir = tempDir();
    writeLog(stateDir, LINES);
    const { context, stdout } = printing(stateDir, { json: true });
    expect(await auditTail(context, { follow: false, last })).toBe(0);
    expect(stdout()).toBe(
      LINES.slice(LINES.length - expected)
        .map((line) => `${line}\n`)
        .join(''),
    );
  });

  test('reads a long log from its end', async () => {
    const stateDir = tempDir();
    const lines = seal(Array.from({ length: 900 }, (_, n) => ({ ...CLOSED, task_id: `task-${n}` })));
    writeLog(stateDir, lines);
    const { context, stdout } = printing(stateDir, { json: true });
    expect(await auditTail(context, { follow: false, last: 890 })).toBe(0);
    expect(stdout()).toBe(
      lines
        .slice(10)
        .map((line) => `${line}\n`)
        .join(''),
    );
  });

  test('follows: what is appended, what begins anew under the same name, and a log that comes to be', async () => {
    const stateDir = tempDir();
    const log = openAuditLog({ stateDir, uid: process.getuid?.() ?? -1 });
    const { context, stdout } = printing(stateDir, { json: true });
    const ended = new AbortController();
    const running = auditTail(context, { follow: true, last: 10, signal: ended.signal });
    const events = () =>
      stdout()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { task_id: string }).task_id);
    const append = (task_id: string) => log.append({ event: 'denied', task_id });
    await append('one');
    await expect.poll(events).toEqual(['one']);
    await append('two');
    await append('three');
    await expect.poll(events).toEqual(['one', 'two', 'three']);
    renameSync(log.path, join(stateDir, 'kept.jsonl'));
    // A run that goes on would notice that its log is gone.
    await openAuditLog({ stateDir, uid: process.getuid?.() ?? -1 }).append({
      event: 'denied',
      task_id: 'four',
    });
    await expect.poll(events).toEqual(['one', 'two', 'three', 'four']);
    ended.abort();
    expect(await running).toBe(0);
  });

  test('follows through rotation and compression, and says each record once', async () => {
    const stateDir = tempDir();
    const lines = seal(Array.from({ length: 8 }, () => GRANTED));
    const path = writeLog(stateDir, lines.slice(0, 2));
    const { context, stdout } = printing(stateDir, { json: true });
    const ended = new AbortController();
    const running = auditTail(context, { follow: true, last: 1, signal: ended.signal });
    const printed = (last: number) =>
      lines
        .slice(1, last)
        .map((line) => `${line}\n`)
        .join('');
    await expect.poll(stdout).toBe(printed(2));
    appendFileSync(path, `${lines[2]}\n`);
    renameSync(path, join(stateDir, archiveName(1, 3)));
    writeLog(stateDir, lines.slice(3, 5));
    await expect.poll(stdout).toBe(printed(5));
    renameSync(path, join(stateDir, archiveName(4, 5)));
    writeFileSync(
      join(stateDir, `${archiveName(1, 3)}.gz`),
      gzipSync(
        lines
          .slice(0, 3)
          .map((line) => `${line}\n`)
          .join(''),
      ),
    );
    rmSync(join(stateDir, archiveName(1, 3)));
    await expect.poll(stdout).toBe(printed(5));
    writeLog(stateDir, lines.slice(5));
    await expect.poll(stdout).toBe(printed(8));
    ended.abort();
    expect(await running).toBe(0);
  });

  test('says who approved, and how strongly', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, seal([{ ...GRANTED, approver: 'ada', approval_grade: 'ssh_key_touch' }]));
    const { context, stdout } = printing(stateDir);
    await auditTail(context, { follow: false, last: 1 });
    expect(stdout()).toContain(' approver=ada grade=ssh_key_touch\n');
  });

  test('of no log fails, and shows garbage as what it is', async () => {
    const stateDir = tempDir();
    expect(await auditTail(printing(stateDir).context, { follow: false, last: 1 })).toBe(1);
    writeLog(stateDir, ['\u001b[2Jgarbage']);
    const { context, stdout } = printing(stateDir);
    expect(await auditTail(context, { follow: false, last: 1 })).toBe(1);
    expect(stdout()).toBe('a line that is no record; see capwrap audit verify\n');
  });

  test('as JSON, has nothing that could steer a terminal, and nothing but records', async () => {
    const stateDir = tempDir();
    const line = '{"event":"closed","lease_id":"9f8c6b6a41d2e07c","actor":"\u009b2J\u202e"}';
    writeLog(stateDir, [line, '\u001b[2Jgarbage']);
    const { context, stdout, stderr } = printing(stateDir, { json: true });
    expect(await auditTail(context, { follow: false, last: 2 })).toBe(1);
    const escaped = line.replace('\u009b', '\\u009b').replace('\u202e', '\\u202e');
    expect([stdout(), JSON.parse(stdout())]).toEqual([`${escaped}\n`, JSON.parse(line)]);
    expect(stderr()).toBe('capwrap: warning: a line that is no record; see capwrap audit verify\n');
    const shown = printing(stateDir, { json: true });
    await auditShow(shown.context, { lease: '9f8c6b6a41d2e07c' });
    expect(shown.stdout()).toBe(`${escaped}\n`);
    const exported = printing(stateDir);
    await auditExport({ ...exported.context, terminal: true }, { format: 'jsonl' });
    expect(exported.stdout()).toBe(`${escaped}\n`);
  });
});

describe('verify', () => {
  const LIMIT =
    'a chain alone cannot show that records were cut from its end or that the whole log was written anew: keep heads elsewhere (capwrap audit anchor) and compare (--anchor)';
  const hashOf = (line: string | undefined) => (JSON.parse(line ?? '') as { hash: string }).hash;

  async function verify(lines: readonly string[], tail = '') {
    const stateDir = tempDir();
    const path = writeLog(stateDir, lines);
    appendFileSync(path, tail);
    const { context, stdout } = printing(stateDir);
    return { status: await auditVerify(context, {}), text: stdout(), path, stateDir };
  }

  test('says that the chain is whole, and what that does not say', async () => {
    const { status, text, path } = await verify(LINES);
    expect(status).toBe(0);
    expect(text).toBe(
      `${path}\nthe chain is whole: 4 records\nhead: seq=4 hash=${hashOf(LINES[3])}\n${LIMIT}\n`,
    );
  });

  test('names the first bad line', async () => {
    const { status, text, path } = await verify([
      LINES[0] ?? '',
      (LINES[1] ?? '').replace('feat/x', 'feat/y'),
      ...LINES.slice(2),
    ]);
    expect(status).toBe(1);
    expect(text).toBe(
      `${path}\nline 2 is bad: its hash does not fit its bytes: it was changed\nthe 1 record before it follow one another; nothing behind it was judged\nhead: seq=1 hash=${hashOf(LINES[0])}\n${LIMIT}\n`,
    );
  });

  test('tells a torn end apart, and afterwards that it was set aside', async () => {
    const { status, text, stateDir } = await verify(LINES, '{"timestamp"');
    expect(status).toBe(1);
    expect(text).toContain('line 5 is torn: 12 bytes without an end, as a crash leaves them\n');
    await openAuditLog({ stateDir, uid: process.getuid?.() ?? -1 }).append(GRANTED);
    const { context, stdout } = printing(stateDir);
    expect(await auditVerify(context, {})).toBe(0);
    expect(stdout()).toContain(
      'the chain is whole: 6 records\ntorn lines that were set aside: 1; capwrap audit list --event recovered\n',
    );
  });

  test('of a log that is not there vouches for nothing', async () => {
    const stateDir = tempDir();
    const { context, stdout } = printing(stateDir);
    expect(await auditVerify(context, {})).toBe(1);
    expect(stdout()).toBe(`${stateDir}/audit.jsonl\nthere is no audit log\n`);
  });

  test('answers tools as JSON', async () => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, LINES.slice(1));
    const { context, stdout } = printing(stateDir, { json: true });
    expect(await auditVerify(context, {})).toBe(1);
    expect(JSON.parse(stdout())).toEqual({
      path,
      exists: true,
      ok: false,
      current_missing: false,
      records: 0,
      recovered: 0,
      resumed: 0,
      retired: 0,
      head: { seq: 0, hash: '0'.repeat(64) },
      first_bad: {
        file: 'audit.jsonl',
        line: 1,
        why: 'the log begins with seq 2, and no record says that those before it were removed',
      },
      torn: null,
      limit: LIMIT,
    });
  });

  test('refuses to read through a symbolic link', async () => {
    const stateDir = tempDir();
    symlinkSync('/dev/zero', join(stateDir, 'audit.jsonl'));
    await expect(auditVerify(printing(stateDir).context, {})).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: `"${stateDir}/audit.jsonl" is not a regular file`,
    });
  });
});

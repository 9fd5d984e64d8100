import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openAuditLog } from '../../src/audit/log/log.ts';
import { verifyLog } from '../../src/audit/log/verify.ts';
import { tempDir } from '../helpers/cli.ts';
import { useWorker } from '../helpers/worker.ts';
import { GRANTED, recordsOf, seal, writeLog } from './samples.ts';

const startAppend = useWorker('append');
const uid = process.getuid?.() ?? -1;
const isRoot = uid === 0;
const NOBODY = 65_534;
const open = (stateDir: string) => openAuditLog({ stateDir, uid });

describe('a disk that takes no more', () => {
  test('in the middle of a record: the log gets its old length back, and the error names the cause', async () => {
    const stateDir = tempDir();
    const path = writeLog(stateDir, seal([GRANTED]));
    const before = readFileSync(path);
    // The limit is in blocks of 512 or 1024 bytes, as the shell counts them; either lies within the appended records.
    const ended = await startAppend([stateDir, 'full', '100', 'plain'], { shell: 'ulimit -f 8' }).end;
    expect(ended.code, ended.stderr).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      code: 'ERR_AUDIT_WRITE',
      message: `"${path}" can't be written (EFBIG)`,
    });
    const size = statSync(path).size;
    expect(size).toBeGreaterThan(before.length);
    expect([4096, 8192]).not.toContain(size);
    expect(await verifyLog(path)).toMatchObject({ ok: true, torn: null });
    expect(readdirSync(stateDir)).toEqual(['audit.jsonl']);
  });

  test.runIf(isRoot && process.platform === 'linux')(
    'ENOSPC on a small file system (only root can mount one)',
    async (context) => {
      const stateDir = tempDir();
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=700', 'none', stateDir], {
          stdio: 'pipe',
        });
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
    },
  );

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

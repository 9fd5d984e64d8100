import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listArchives } from '../../src/audit/log/archives.ts';
import { openAuditLog } from '../../src/audit/log/log.ts';
import { verifyLog } from '../../src/audit/log/verify.ts';
import { textAt } from '../../src/audit/record/stored-record.ts';
import { tempDir } from '../helpers/cli.ts';
import { useWorker } from '../helpers/worker.ts';
import { bookRecords } from './samples.ts';

const startAppend = useWorker('append');
const uid = process.getuid?.() ?? -1;

test('ten processes at once, which rotate: every record is there, once, and the chain is whole', async () => {
  const stateDir = tempDir();
  const workers = Array.from({ length: 10 }, (_, n) =>
    startAppend([stateDir, `run-${n}`, '10', n % 2 ? 'durable' : 'plain', '4000']),
  );
  for (const end of await Promise.all(workers.map((worker) => worker.end)))
    expect(end, end.stdout + end.stderr).toMatchObject({ code: 0 });
  const path = join(stateDir, 'audit.jsonl');
  const leases = bookRecords(path).flatMap((record) => textAt(record, 'lease_id') ?? []);
  const archives = listArchives(stateDir).length;
  expect(archives).toBeGreaterThan(1);
  const expected = Array.from({ length: 100 }, (_, n) => `run-${n % 10}-${Math.floor(n / 10) + 1}`);
  expect(leases.sort()).toEqual(expected.sort());
  expect(await verifyLog(path)).toMatchObject({ ok: true, records: 100 + archives });
});

test('killed at random while appending and rotating: the next append goes through, and the chain stays whole', async () => {
  const stateDir = tempDir();
  const log = openAuditLog({ stateDir, uid });
  let records = 0;
  for (let round = 0; round < 15; round++) {
    const workers = [0, 1].map((lane) =>
      startAppend([stateDir, `run-${round}-${lane}`, '0', lane ? 'durable' : 'plain', '3000']),
    );
    await expect
      .poll(async () => (await verifyLog(log.path)).records, { timeout: 10_000, interval: 20 })
      .toBeGreaterThan(records);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    for (const { process: child } of workers) child.kill('SIGKILL');
    for (const end of await Promise.all(workers.map((worker) => worker.end)))
      expect(end.signal, end.stdout).toBe('SIGKILL');
    await log.append({ event: 'closed', lease_id: `after-${round}` }, { durable: true });
    const found = await verifyLog(log.path);
    expect(found).toMatchObject({ ok: true });
    expect(found.records).toBeGreaterThan(records);
    records = found.records;
  }
  expect(listArchives(stateDir).length).toBeGreaterThan(1);
});

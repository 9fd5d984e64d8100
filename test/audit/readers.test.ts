/** Readers of a log that is repaired, or loses its oldest archives, at that very moment. */
import { appendFileSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLeases } from '../../src/audit/leases/open-leases.ts';
import { listArchives } from '../../src/audit/log/archives.ts';
import { withBook } from '../../src/audit/log/book.ts';
import { GENESIS, readLink, sealRecord } from '../../src/audit/log/chain.ts';
import { openAuditLog } from '../../src/audit/log/log.ts';
import { NOW } from '../../src/audit/log/rotate.ts';
import { verifyLog } from '../../src/audit/log/verify.ts';
import { textAt } from '../../src/audit/record/stored-record.ts';
import { tempDir } from '../helpers/cli.ts';
import { CLOSED, GRANTED, ISSUED_RECORD, recordsOf, seal, writeLog } from './samples.ts';

const open = (stateDir: string) => openAuditLog({ stateDir, uid: process.getuid?.() ?? -1, rotate: NOW });

/** Four archives of a lease each; the records that retire the oldest two are there, and so are those two. */
async function aboutToBeRetired(): Promise<{ path: string; retire: (at: 0 | 1) => void }> {
  const stateDir = tempDir();
  for (const n of [1, 2, 3, 4]) {
    const log = open(stateDir);
    const lease_id = String(n).padStart(16, '0');
    for (const fields of [GRANTED, ISSUED_RECORD, CLOSED]) await log.append({ ...fields, lease_id });
  }
  const log = open(stateDir);
  const oldest = listArchives(stateDir).slice(0, 2);
  for (const { name: file, first, last } of oldest) {
    const hash = textAt(recordsOf(join(stateDir, file)).at(-1) ?? {}, 'hash') ?? '';
    await log.append({ event: 'retired', retired: { file, first, last, bytes: 1, hash } });
  }
  return { path: log.path, retire: (at) => unlinkSync(join(stateDir, oldest[at]?.name ?? '')) };
}

test('verify answers for the log that is left where retention takes archives from under it', async () => {
  const { path, retire } = await aboutToBeRetired();
  let seen = 0;
  const found = await verifyLog(path, () => {
    seen++;
    if (seen === 1) retire(0);
    if (seen === 2) retire(1);
  });
  expect(found).toMatchObject({ ok: true, firstBad: null, records: 11, retired: 7 });
});

test('a log that loses its oldest archives is read without them, from either end', async () => {
  const { path, retire } = await aboutToBeRetired();
  const [forwards, backwards] =
    (await withBook(path, (book) => {
      retire(0);
      retire(1);
      return [[...book.lines()], [...book.linesBackwards()]];
    })) ?? [];
  expect(forwards?.map(({ bytes }) => readLink(bytes)?.seq)).toEqual([
    8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
  ]);
  expect(backwards).toHaveLength(11);
  expect(await withBook(path, openLeases)).toEqual([]);
});

test('an archive that goes while older ones stay is damage', async () => {
  const { path, retire } = await aboutToBeRetired();
  await expect(
    withBook(path, (book) => {
      retire(1);
      return [...book.linesBackwards()];
    }),
  ).rejects.toMatchObject({ code: 'ERR_AUDIT_UNSAFE' });
  expect(await verifyLog(path)).toMatchObject({ ok: false, records: 3 });
});

test('verify looks again where a torn line is set aside while it reads', async () => {
  const lines = seal([GRANTED, ISSUED_RECORD, CLOSED]);
  const path = writeLog(tempDir(), lines);
  const whole = readFileSync(path).length;
  appendFileSync(path, '{"timestamp":"2026');
  const head = readLink(Buffer.from(lines.at(-1) ?? '')) ?? GENESIS;
  const recovered = { event: 'recovered', recovered: { bytes: 18, sha256: 'ab', file: 'audit.torn-1' } };
  let seen = 0;
  const found = await verifyLog(path, () => {
    if (++seen !== 1) return;
    truncateSync(path, whole);
    appendFileSync(path, `${sealRecord(recovered, head).line}\n`);
  });
  expect(found).toMatchObject({ ok: true, records: 4, recovered: 1, torn: null });
});

test('a damaged archive is named, also where it may hide the record that retention left', async () => {
  const { path, retire } = await aboutToBeRetired();
  await open(join(path, '..')).append(GRANTED);
  retire(0);
  retire(1);
  const name = listArchives(join(path, '..')).at(-1)?.name ?? '';
  writeFileSync(join(path, '..', `${name}.gz`), 'half of one');
  unlinkSync(join(path, '..', name));
  expect(await verifyLog(path)).toMatchObject({
    ok: false,
    records: 8,
    firstBad: { file: `${name}.gz`, line: 0 },
  });
});

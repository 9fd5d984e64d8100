/** The log offers the head of each durable record to its witnesses, and says what became of it. */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { headText, placeOf, siteOf } from '../../../src/audit/anchor/head.ts';
import { openAuditLog } from '../../../src/audit/log/log.ts';
import { NOW } from '../../../src/audit/log/rotate.ts';
import { auditVerify } from '../../../src/commands/audit.ts';
import { printing } from '../../commands/audit-context.ts';
import { tempDir } from '../../helpers/cli.ts';
import { CLOSED, GRANTED, ISSUED_RECORD, recordsOf } from '../samples.ts';

const uid = process.getuid?.() ?? -1;

function world(settings = { required: false }) {
  const stateDir = tempDir();
  chmodSync(stateDir, 0o700);
  const file = join(tempDir(), 'heads');
  writeFileSync(file, '');
  const warnings: string[] = [];
  const witnesses = {
    settings: { file, syslog: null, ...settings },
    warn: (message: string) => void warnings.push(message),
  };
  const open = (rotate = {}) => openAuditLog({ stateDir, uid, witnesses, ...rotate });
  const heads = () => readFileSync(file, 'utf8').match(/capwrap-head:\S+/g) ?? [];
  return { stateDir, file, warnings, open, heads };
}

function headAt(path: string, seq: number): string {
  const records = recordsOf(path) as { hash: string }[];
  const logId = records[0]?.hash.slice(0, 16) ?? '';
  return headText({ logId, seq, hash: records[seq - 1]?.hash ?? '', place: placeOf(siteOf(path)) });
}

test('durable records are witnessed, from the first on', async () => {
  const { open, heads } = world();
  const log = open();
  expect(await log.append(GRANTED, { durable: true })).toEqual({
    refusal: null,
    head: headAt(log.path, 1),
    unwitnessed: null,
  });
  await log.append(ISSUED_RECORD);
  await log.append(CLOSED, { durable: true });
  expect(heads()).toEqual([headAt(log.path, 1), headAt(log.path, 3)]);
});

test('a record that was kept out has no head', async () => {
  const { open, heads } = world();
  const refused = await open().append(GRANTED, { durable: true, unless: () => 'no' });
  expect(refused).toEqual({ refusal: 'no', head: null, unwitnessed: null });
  expect(heads()).toEqual([]);
});

test('heads stay those of one log when it is rotated, and the book fits them', async () => {
  const { stateDir, file, open, heads } = world();
  await open().append(GRANTED, { durable: true });
  await open().append(ISSUED_RECORD, { durable: true });
  await open({ rotate: NOW }).append(CLOSED, { durable: true });
  const ids = heads().map((head) => head.split(':')[2]);
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(1);
  const { context, stdout } = printing(stateDir, { json: true });
  expect(await auditVerify(context, { anchor: [file] })).toBe(0);
  expect(JSON.parse(stdout()).anchors).toMatchObject({
    matching: 3,
    newest: { seq: 4 },
    covered_by_chain_alone: 0,
  });
});

describe('a witness that doesn’t take a head', () => {
  test('is warned of, and said in the records that follow until it takes one', async () => {
    const { file, warnings, open } = world();
    const log = open();
    renameSync(file, `${file}.away`);
    const why = `"${file}" is missing`;
    const granted = await log.append(GRANTED, { durable: true });
    expect(granted.unwitnessed).toBeNull();
    expect(warnings).toEqual([`the audit log's head was not left with its witness: ${why}`]);
    await log.append(ISSUED_RECORD);
    renameSync(`${file}.away`, file);
    await log.append(CLOSED, { durable: true });
    await log.append(CLOSED, { durable: true });
    expect(recordsOf(log.path).map((record) => record['witness_error'])).toEqual([
      undefined,
      why,
      why,
      undefined,
    ]);
  });

  test('is an error for the run where it is required', async () => {
    const { file, open } = world({ required: true });
    renameSync(file, `${file}.away`);
    expect((await open().append(GRANTED, { durable: true })).unwitnessed).toMatchObject({
      code: 'ERR_AUDIT_WITNESS',
      message: `"${file}" is missing, and without that witness of the audit log nothing is issued`,
      hint: `ls -ld ${file}; where it is to be and isn't: touch ${file}`,
    });
  });

  test('is one where the log has no id, as after somebody removed its first file', async () => {
    const { stateDir, warnings, open } = world();
    const log = open();
    await log.append(GRANTED, { durable: true });
    await log.append(CLOSED, { durable: true });
    const [, second] = readFileSync(log.path, 'utf8').split('\n');
    writeFileSync(log.path, `${second}\n`);
    expect((await open().append(CLOSED, { durable: true })).head).toBeNull();
    expect(warnings).toEqual([
      `the audit log's head was not left with its witness: "${join(stateDir, 'audit.jsonl')}" has no id`,
    ]);
  });
});

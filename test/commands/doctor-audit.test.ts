import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { archiveName } from '../../src/audit/log/archives.ts';
import { bytesOfBuffer } from '../../src/audit/log/bytes.ts';
import { GENESIS, sealRecord } from '../../src/audit/log/chain.ts';
import { verifyEnd } from '../../src/audit/log/verify-end.ts';
import { buildRecord } from '../../src/audit/record/build-record.ts';
import { auditRotate } from '../../src/commands/audit-rotate.ts';
import { doctor } from '../../src/commands/doctor.ts';
import type { Check } from '../../src/commands/doctor-check.ts';
import { writeArchivedLog } from '../audit/archived-log.ts';
import { CLOSED, STAMP, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';
import { logOf } from './ship-context.ts';

const LINES = logOf(30);
const DAY = 86_400;

let state: string;
beforeEach(() => {
  state = join(tempDir(), 'state');
  mkdirSync(state, { mode: 0o700 });
});

/** The findings about the log. */
async function diagnose(options: { readonly offline?: boolean } = {}) {
  const { context, stdout } = printing(state, { json: true });
  await doctor(context, options);
  const { checks } = JSON.parse(stdout()) as { checks: Check[] };
  return (name: string) => checks.find((each) => each.name === name);
}

function configure(audit: object): void {
  writeFileSync(join(state, 'config.yaml'), JSON.stringify({ audit }), { mode: 0o600 });
}

describe('the log', () => {
  it('is followed through its end', async () => {
    const path = writeLog(state, LINES);
    expect((await diagnose())('audit')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/: 30 records, the chain is whole up to [0-9a-f]{16}$/),
    });
    writeFileSync(path, '{"seq":1}\n', { flag: 'a' });
    expect((await diagnose())('audit')).toMatchObject({
      status: 'problem',
      detail: expect.stringContaining('the line behind record 30 is bad: it is no record'),
      fix: 'capwrap audit verify',
    });
    writeLog(state, [(LINES[0] ?? '').replace('feat/x', 'feat/y'), ...LINES.slice(1)]);
    expect((await diagnose())('audit')?.detail).toContain('its first line is bad: its hash does not fit');
    writeLog(state, LINES);
    writeFileSync(path, '{"seq', { flag: 'a' });
    expect((await diagnose())('audit')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('its last line is torn'),
    });
  });

  it('is not read before its end, and that is said', async () => {
    writeArchivedLog(state, LINES, [{ records: 10, compressed: true }]);
    writeFileSync(join(state, `${archiveName(1, 10)}.gz`), 'no gzip at all');
    expect((await diagnose())('audit')?.detail).toMatch(
      /: the chain of its last 20 records is whole up to record 30, [0-9a-f]{16}; what is before them was not looked at: capwrap audit verify$/,
    );
    const file = bytesOfBuffer(Buffer.from(LINES.map((line) => `${line}\n`).join('')));
    const { records, begin, head, bad } = verifyEnd(file, 5000);
    expect([records, begin.seq, head.seq, bad]).toEqual([2, 28, 30, null]);
  });

  it('with a loose mode, or without its current file, is what the next run makes of it', async () => {
    const path = writeLog(state, LINES);
    chmodSync(path, 0o644);
    expect((await diagnose())('audit')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('its mode is 0644, and the next run tightens it'),
      fix: `chmod 600 ${path}`,
    });
    renameSync(path, join(state, archiveName(1, 30)));
    expect((await diagnose())('audit')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('is missing or empty'),
    });
  });

  it('tells that a witness lacks a head, as its last record says', async () => {
    const stamp = { ...STAMP, witnessError: '"/mnt/heads" is missing' };
    writeLog(state, [sealRecord(buildRecord(CLOSED, stamp), GENESIS).line]);
    expect((await diagnose())('audit')).toMatchObject({
      status: 'warning',
      detail: expect.stringMatching(
        /; its last record says that a head was not left: "\/mnt\/heads" is missing$/,
      ),
    });
  });

  it('has settings without which no run starts, and nothing else is looked at', async () => {
    expect((await diagnose())('audit_config')?.status).toBe('ok');
    writeFileSync(join(state, 'config.yaml'), 'audit: {rotate: 7}\n', { mode: 0o600 });
    const found = await diagnose();
    expect(found('audit_config')).toMatchObject({
      status: 'problem',
      detail: expect.stringContaining('"rotate" must be a mapping'),
    });
    expect(found('audit_rotation')).toBeUndefined();
  });
});

describe('its files', () => {
  it('rotate as the settings say; when capwrap audit rotate ran is told', async () => {
    writeArchivedLog(state, LINES, [{ records: 10, compressed: true }]);
    expect((await diagnose())('audit_rotation')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(
        /^rotates at 64 MiB; the current file has \d+ KiB; 1 archive with \d+ KiB, of these compressed: 1; capwrap audit rotate has not run here$/,
      ),
    });
    configure({ rotate: { max_size: 'never' } });
    await auditRotate(printing(state).context, {});
    expect((await diagnose())('audit_rotation')?.detail).toMatch(
      /^never rotates; .*; capwrap audit rotate ran last at 20\d\d-\d\d-\d\dT[\d:.]+Z$/,
    );
  });

  it('wait for a timer that has stopped', async () => {
    configure({ rotate: { max_age: '30d' }, archives: { compress: true, keep: '400d' } });
    writeArchivedLog(state, LINES, [
      { records: 10, compressed: true },
      { records: 10, compressed: false },
    ]);
    const age = (name: string, days: number) => {
      const time = Date.now() / 1000 - days * DAY;
      utimesSync(join(state, name), time, time);
    };
    age(archiveName(11, 20), 1);
    age(`${archiveName(1, 10)}.gz`, 399);
    expect((await diagnose())('audit_rotation')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('rotates at 64 MiB or after 30d'),
    });
    age(archiveName(11, 20), 3);
    age(`${archiveName(1, 10)}.gz`, 403);
    expect((await diagnose())('audit_rotation')).toMatchObject({
      status: 'warning',
      detail: expect.stringMatching(
        /; since more than two days, to be compressed: 1, older than archives\.keep \(400d\): 1$/,
      ),
      fix: 'capwrap audit rotate',
    });
  });

  it('are no problem of a run where the time of the last one is kept in a file that others can read', async () => {
    writeFileSync(join(state, 'audit-rotate.json'), '{}', { mode: 0o600 });
    chmodSync(join(state, 'audit-rotate.json'), 0o644);
    expect((await diagnose())('audit_rotation')).toMatchObject({
      status: 'warning',
      fix: `chmod 600 ${join(state, 'audit-rotate.json')}`,
    });
  });

  it('must be closed to others', async () => {
    writeArchivedLog(state, LINES, [{ records: 10, compressed: false }]);
    const path = join(state, archiveName(1, 10));
    chmodSync(path, 0o640);
    expect((await diagnose())('audit_rotation')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining(`${archiveName(1, 10)} has mode 0640: others can read or change it`),
      fix: `chmod 600 ${path}`,
    });
  });
});

describe('its witnesses', () => {
  it('may be none', async () => {
    expect((await diagnose())('audit_witness')).toMatchObject({ status: 'ok' });
  });

  it('are looked at, and no head is left: a file', async () => {
    writeLog(state, LINES);
    const file = join(state, '..', 'heads.log');
    configure({ witness: { file, required: true } });
    expect((await diagnose())('audit_witness.file')).toEqual({
      name: 'audit_witness.file',
      status: 'problem',
      detail: `"${file}" is missing, and nothing is issued without it (required)`,
      fix: `ls -ld ${file}; where it is to be and isn't: touch ${file}`,
    });
    writeFileSync(file, '');
    expect((await diagnose())('audit_witness.file')).toMatchObject({
      status: 'warning',
      detail: expect.stringMatching(
        /can be added to, and nothing is issued without it \(required\); it is yours/,
      ),
    });
    expect(readFileSync(file, 'utf8')).toBe('');
    configure({ witness: { file: '/dev/null' } });
    expect((await diagnose())('audit_witness.file')).toMatchObject({
      status: 'warning',
      detail: '"/dev/null" is not a regular file',
    });
  });

  it('are looked at, and no head is left: a receiver over TCP, and none over UDP', async () => {
    const got: Buffer[] = [];
    const server = createServer((socket) => socket.on('data', (bytes) => got.push(bytes)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
    configure({ witness: { syslog: `tcp://127.0.0.1:${port}` } });
    expect((await diagnose({ offline: true }))('audit_witness.syslog')).toMatchObject({
      status: 'skipped',
      detail: `tcp://127.0.0.1:${port}: not asked: --offline`,
    });
    expect((await diagnose())('audit_witness.syslog')).toMatchObject({
      status: 'ok',
      detail: `tcp://127.0.0.1:${port} accepts a connection`,
    });
    await close();
    expect(got).toEqual([]);
    expect((await diagnose())('audit_witness.syslog')).toMatchObject({
      status: 'warning',
      detail: `"tcp://127.0.0.1:${port}" can't be written to (ECONNREFUSED)`,
    });
    configure({ witness: { syslog: `udp://127.0.0.1:${port}` } });
    expect((await diagnose())('audit_witness.syslog')).toMatchObject({
      status: 'skipped',
      detail: `udp://127.0.0.1:${port}: nobody answers over UDP`,
    });
  });
});

describe('its shipping', () => {
  const endpoint = 'https://collector.example';
  const putCursor = (change: object = {}) => {
    const at = new Date(Date.now() - 2 * DAY * 1000).toISOString();
    const { hash } = JSON.parse(LINES[9] ?? '') as { hash: string };
    const first = JSON.parse(LINES[0] ?? '') as { hash: string };
    const cursor = {
      endpoint,
      log_id: first.hash.slice(0, 16),
      seq: 10,
      hash,
      accepted_at: at,
      sending: null,
    };
    const text = JSON.stringify({ ...cursor, rejected: 0, missed: 0, ...change });
    writeFileSync(join(state, 'ship-cursor.json'), text, { mode: 0o600 });
  };

  it('may be to nobody', async () => {
    expect((await diagnose())('audit_ship')).toMatchObject({
      status: 'skipped',
      detail: 'no collector is named',
    });
  });

  it.each<[string, object | null, Check['status'], string | RegExp]>([
    ['never', null, 'warning', `${endpoint}: nothing was sent so far`],
    [
      'long ago',
      {},
      'warning',
      /^https:\/\/collector\.example accepted last at 20.*Z; records that wait: 20; no process that runs here is sending$/,
    ],
    ['a while ago', { accepted_at: new Date().toISOString() }, 'ok', /records that wait: 20/],
    ['of everything', { seq: 30 }, 'ok', /; no record waits; /],
    [
      'of all but some',
      { seq: 30, rejected: 2, missed: 1 },
      'warning',
      /rejected by the collector: 2; gone.*: 1$/,
    ],
    [
      'to another',
      { endpoint: 'https://other.example' },
      'warning',
      /is named, and what was sent so far went to/,
    ],
    ['of a longer log', { seq: 31 }, 'warning', /up to record 31, and the one here ends with record 30$/],
    [
      'of another log',
      { log_id: 'a'.repeat(16) },
      'warning',
      /^.* was sent log a{16} up to record 10, and the one here is log/,
    ],
    ['with a cursor that is none', { seq: -1 }, 'warning', /is no cursor of capwrap's$/],
  ])('is told without asking the collector: %s', async (_, cursor, status, detail) => {
    configure({ ship: { endpoint } });
    writeLog(state, LINES);
    if (cursor !== null) putCursor(cursor);
    const found = (await diagnose())('audit_ship');
    expect(found?.status).toBe(status);
    if (typeof detail === 'string') expect(found?.detail).toBe(detail);
    else expect(found?.detail).toMatch(detail);
  });

  it('needs a private file of headers', async () => {
    const headers_file = join(state, 'headers');
    configure({ ship: { endpoint, headers_file } });
    writeFileSync(headers_file, 'Authorization: Bearer hunter2hunter2\n', { mode: 0o600 });
    chmodSync(headers_file, 0o644);
    expect((await diagnose())('audit_ship')).toMatchObject({
      status: 'warning',
      detail: `"${headers_file}" can be read or written by others`,
      fix: `chmod 600 ${headers_file}`,
    });
    rmSync(headers_file);
    expect((await diagnose())('audit_ship')?.detail).toBe(`headers_file "${headers_file}" does not exist`);
  });
});

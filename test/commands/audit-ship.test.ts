import {
  appendFileSync,
  chmodSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { archiveName } from '../../src/audit/log/archives.ts';
import { openAuditLog } from '../../src/audit/log/log.ts';
import { NOW } from '../../src/audit/log/rotate.ts';
import { withLock } from '../../src/base/lock.ts';
import { writeArchivedLog } from '../audit/archived-log.ts';
import { CLOSED, GRANTED, seal, writeLog } from '../audit/samples.ts';
import { type Behaviour, startCollector } from '../collector/server.ts';
import { selfSigned } from '../helpers/certificate.ts';
import { appendLines, logOf, QUICK, shipGround } from './ship-context.ts';

const LINES = logOf(30);
/** Of another log. */
const OTHERS = logOf(40, Date.parse('2026-04-01T00:00:00Z'));
const ROTATED = rotatedBehind(10, LINES);
const OTHERS_ROTATED = rotatedBehind(20, OTHERS);
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, at) => first + at);
const hashOf = (seq: number) => (JSON.parse(LINES[seq - 1] ?? '') as { hash: string }).hash;

/** The same log, whose next record tells of a rotation. */
function rotatedBehind(last: number, lines: readonly string[]): string[] {
  const start = Date.parse((JSON.parse(lines[0] ?? '') as { timestamp: string }).timestamp);
  const rotated = { file: archiveName(1, last), first: 1, last, bytes: 9, log_id: idOf(lines) };
  return seal(
    lines.map((_, at) =>
      at === last ? { event: 'rotated', rotated } : { ...CLOSED, task_id: `task-${at}` },
    ),
    start,
  );
}

function idOf([first = '']: readonly string[]): string {
  return (JSON.parse(first) as { hash: string }).hash.slice(0, 16);
}

/** A collector and a log of `count` records in front of it. */
async function ground(count: number, options: Parameters<typeof startCollector>[0] = {}) {
  const collector = await startCollector(options);
  const { stateDir, ...rest } = shipGround(collector.url);
  if (count > 0) writeLog(stateDir, LINES.slice(0, count));
  return { collector, stateDir, ...rest };
}

describe('what is behind the cursor', () => {
  test('is sent once, and the lines are those of the log', async () => {
    const { collector, stateDir, ship, cursor } = await ground(20);
    expect(await ship()).toEqual({
      status: 0,
      stdout: `sent 20 up to record 20 (${collector.url})\n`,
      stderr: '',
    });
    expect(await ship()).toMatchObject({
      stdout: `nothing new: record 20 was sent before (${collector.url})\n`,
    });
    appendLines(stateDir, LINES.slice(20));
    expect(await ship()).toMatchObject({ status: 0, stdout: `sent 10 up to record 30 (${collector.url})\n` });
    expect(collector.seqs()).toEqual(upTo(30));
    expect([...collector.stored.values()].map(({ record }) => record.body)).toEqual(
      LINES.map((stringValue) => ({ stringValue })),
    );
    expect([collector.repeats, collector.faults, collector.bodies.length]).toEqual([0, [], 2]);
    expect(cursor()).toMatchObject({ seq: 30, hash: hashOf(30), sending: null, rejected: 0, missed: 0 });
  });

  test('is told to tools as JSON', async () => {
    const { collector, ship } = await ground(3);
    expect(JSON.parse((await ship({}, true)).stdout)).toEqual({
      endpoint: collector.url,
      records: 3,
      rejected: 0,
      missed: 0,
      seq: 3,
      hash: hashOf(3),
      complete: true,
    });
  });

  test('is nothing where there is no log', async () => {
    const { collector, ship } = await ground(0);
    expect(await ship()).toMatchObject({
      status: 0,
      stdout: `nothing new: there is no record yet (${collector.url})\n`,
    });
    expect(collector.bodies).toEqual([]);
  });

  test('goes on through archives, compressed ones too, and a rotation in between', async () => {
    const collector = await startCollector();
    const { stateDir, ship } = shipGround(collector.url);
    const sizes = [
      { records: 5, compressed: true },
      { records: 5, compressed: false },
    ];
    const log = writeArchivedLog(stateDir, LINES.slice(0, 12), sizes);
    await ship();
    renameSync(log, join(stateDir, archiveName(11, 12)));
    writeLog(stateDir, LINES.slice(12, 15));
    expect(await ship()).toMatchObject({ stdout: `sent 3 up to record 15 (${collector.url})\n` });
    expect(collector.seqs()).toEqual(upTo(15));
    expect([collector.repeats, collector.faults]).toEqual([0, []]);
  });

  test('leaves out a line that is being written', async () => {
    const { collector, stateDir, ship } = await ground(4);
    const path = join(stateDir, 'audit.jsonl');
    const next = `${LINES[4]}\n`;
    appendFileSync(path, next.slice(0, 100));
    await ship();
    appendFileSync(path, next.slice(100));
    await ship();
    expect(collector.seqs()).toEqual(upTo(5));
  });
});

describe('a collector that goes away and comes back', () => {
  test('has each record once: refused connections, errors, answers that get lost', async () => {
    const { collector, stateDir, ship, cursor } = await ground(5);
    await collector.stop();
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_COLLECTOR_UNAVAILABLE',
      message: `"${collector.url}" refuses connections; records 1 to 5 and later wait`,
    });
    expect(cursor()).toMatchObject({ seq: 0, sending: 5 });
    await collector.start();
    appendLines(stateDir, LINES.slice(5, 10));
    collector.plan({ status: 503, headers: { 'retry-after': '0' } }, { status: 502 }, 'cut_after_store', {
      status: 429,
    });
    const back = await ship();
    expect(back.status).toBe(0);
    expect(back.stderr).toBe(
      `capwrap: warning: "${collector.url}" answered 503: not now and asks for 0 s; trying again\nthe collector is back\n`,
    );
    expect(collector.seqs()).toEqual(upTo(10));
    expect(collector.repeats).toBe(5); // the batch whose answer was lost, told apart by its ids
    expect(collector.faults).toEqual([]);
  });

  test('gets the same bytes again, whatever has been appended since', async () => {
    const { collector, stateDir, ship } = await ground(5);
    collector.plan('cut_after_store');
    const times = { ...QUICK, pauses: { ...QUICK.pauses, patience: 0 } };
    await expect(ship({ times })).rejects.toMatchObject({
      code: 'ERR_COLLECTOR_UNAVAILABLE',
      message: `"${collector.url}" closed the connection before its answer was complete; records 1 to 5 and later wait`,
    });
    expect((await ship({ status: true })).stdout).toContain(
      'unsure     up to record 5 may be there: no answer has come so far\n',
    );
    appendLines(stateDir, LINES.slice(5, 9));
    await ship();
    const [lost, again, rest] = collector.bodies;
    expect(lost?.equals(again ?? Buffer.alloc(0))).toBe(true);
    expect([rest !== undefined, collector.bodies.length]).toEqual([true, 3]);
    expect([collector.seqs(), collector.repeats]).toEqual([upTo(9), 5]);
  });

  test('is waited for as long as it takes with --follow, while the log grows and is rotated', async () => {
    const { collector, stateDir, follow, cursor } = await ground(4);
    const following = follow();
    await expect.poll(() => cursor()?.['seq']).toBe(4);
    await collector.stop();
    appendLines(stateDir, LINES.slice(4, 8));
    await expect.poll(following.stderr).toContain('refuses connections');
    renameSync(join(stateDir, 'audit.jsonl'), join(stateDir, archiveName(1, 8)));
    writeLog(stateDir, LINES.slice(8, 12));
    await collector.start();
    await expect.poll(() => collector.seqs()).toEqual(upTo(12));
    // The collector has a batch before ship has its answer.
    await expect.poll(() => cursor()?.['seq']).toBe(12);
    const { status, stdout, stderr } = await following.end();
    expect(status).toBe(0);
    expect(stdout).toBe(
      `sending to ${collector.url} from record 1 on\nsent 12 up to record 12 (${collector.url})\n`,
    );
    expect(stderr).toBe(
      `capwrap: warning: "${collector.url}" refuses connections; trying again\nthe collector is back\n`,
    );
    expect([collector.repeats, collector.faults]).toEqual([0, []]);
  });

  test('and asks for more time than there is, is asked the next time', async () => {
    const { collector, ship } = await ground(1);
    collector.plan({ status: 503, headers: { 'retry-after': '3600' } });
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_COLLECTOR_UNAVAILABLE',
      message: `"${collector.url}" answered 503: not now and asks for 3600 s; record 1 and later wait`,
    });
    expect(collector.bodies).toHaveLength(1);
  });

  test('is not waited for after a stop', async () => {
    const { collector, ship, cursor } = await ground(5);
    await collector.stop();
    const ended = new AbortController();
    const pauses = { first: 60_000, longest: 60_000, patience: 60_000 };
    const running = ship({ signal: ended.signal, times: { look: 1, pauses } });
    await expect.poll(() => cursor()?.['sending']).toBe(5);
    ended.abort();
    expect(await running).toMatchObject({
      status: 1,
      stdout: `sent nothing (${collector.url}); stopped before the end of the log\n`,
    });
  });

  test('does not keep a stop waiting: a request that is under way is let come to its end', async () => {
    const { collector, follow, cursor } = await ground(5);
    collector.plan('store_and_hold');
    const following = follow();
    await expect.poll(() => collector.stored.size).toBe(5);
    const ended = following.end();
    collector.answerHeld();
    expect((await ended).status).toBe(0);
    expect(cursor()).toMatchObject({ seq: 5, sending: null });
  });
});

describe('the connection', () => {
  test.each([
    ['http', {}],
    ['https', { tls: selfSigned() }],
  ] as const)(
    'over %s is one for all batches',
    async (_, { tls }: { tls?: ReturnType<typeof selfSigned> }) => {
      const { collector, stateDir, ship, configure } = await ground(30, {
        mostBytes: 3000,
        ...(tls && { tls }),
      });
      if (tls) {
        const ca_file = join(stateDir, 'ca.pem');
        writeFileSync(ca_file, tls.cert);
        configure({ endpoint: collector.url, ca_file });
      }
      await ship();
      expect(collector.bodies.length).toBeGreaterThan(3);
      expect([collector.seqs(), collector.connections]).toEqual([upTo(30), 1]);
    },
  );

  test('that was kept and is closed under a batch is no fault: the same bytes go over a new one', async () => {
    const { collector, ship } = await ground(30, { mostBytes: 3000 });
    collector.plan('accept', 'accept', 'accept', 'cut_after_store');
    expect(await ship()).toMatchObject({ status: 0, stderr: '' });
    expect([collector.seqs(), collector.faults, collector.connections]).toEqual([upTo(30), [], 2]);
    const [cut, again] = collector.bodies.slice(3);
    expect(cut?.equals(again ?? Buffer.alloc(0))).toBe(true);
  });
});

describe('what the collector does not take', () => {
  const final: readonly [string, Behaviour, RegExp][] = [
    [
      '400',
      { status: 400, body: '{"message":"bad data"}' },
      /answered 400: bad data; records 1 to 3 and later wait/,
    ],
    ['500', { status: 500, body: '<html>' }, /answered 500; /],
    [
      'a redirect',
      { status: 307, headers: { location: 'http://localhost:1/' } },
      /answered 307.*, a redirect, which/,
    ],
    ['a page in place of an answer', { status: 200, body: '<html>' }, /something that is not OTLP in JSON/],
    ['a count that is none', { rejected: 'many' }, /something that is not OTLP in JSON/],
    ['words that steer a terminal', { status: 400, body: '{"message":"\\u001b[2J"}' }, /400: \\u\{1b\}\[2J;/],
  ];
  test.each(final)('is not sent again: %s', async (_, behaviour, message) => {
    const { collector, ship, cursor } = await ground(3);
    collector.plan(behaviour);
    const failed = ship();
    await expect(failed).rejects.toMatchObject({ code: 'ERR_COLLECTOR_REFUSED' });
    await expect(failed).rejects.toThrow(message);
    expect(collector.bodies).toHaveLength(1);
    expect(cursor()).toMatchObject({ seq: 0 });
    await ship();
    expect(collector.seqs().at(-1)).toBe(3);
  });

  test.each([
    [200, ''],
    [204, ''],
    [202, '{}'],
    [200, '{"partialSuccess":{}}'],
    [200, '{"partialSuccess":null}'],
  ])('is not an answer of %s with the body "%s": that is an acceptance', async (status, body) => {
    const { collector, ship, cursor } = await ground(2);
    collector.plan({ status, body });
    expect(await ship()).toMatchObject({ status: 0, stderr: '' });
    expect(cursor()).toMatchObject({ seq: 2 });
  });

  test.each([[2], ['2']])('is counted, and the status says so: %o', async (rejected) => {
    const { collector, ship, cursor } = await ground(5);
    collector.plan({ rejected, message: 'no\nroom' });
    expect(await ship()).toEqual({
      status: 1,
      stdout: `sent 5 up to record 5 (${collector.url})\n`,
      stderr:
        'capwrap: warning: the collector rejected 2 of the records 1 to 5, and they are not sent again: no\\u{a}room\n',
    });
    expect(cursor()).toMatchObject({ seq: 5, rejected: 2 });
    expect(await ship()).toMatchObject({ status: 0 });
    expect((await ship({ status: true })).stdout).toContain('rejected   2, by the collector\n');
  });

  test('is nothing where it only warns', async () => {
    const { collector, ship } = await ground(1);
    collector.plan({ rejected: 0, message: 'old version' });
    expect(await ship()).toMatchObject({
      status: 0,
      stderr: 'capwrap: warning: the collector took everything and says: old version\n',
    });
  });

  test('is sent in smaller portions where it was too large', async () => {
    const { collector, ship } = await ground(30, { mostBytes: 3000 });
    expect(await ship()).toMatchObject({ status: 0 });
    expect([collector.seqs(), collector.repeats, collector.faults]).toEqual([upTo(30), 0, []]);
  });

  test('and is one record that is too large, is named', async () => {
    const { collector, ship } = await ground(3, { mostBytes: 10 });
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_COLLECTOR_REFUSED',
      message: expect.stringContaining(`"${collector.url}" answered 413 to record 1 alone`),
    });
  });
});

describe('the log', () => {
  test('is sent up to the first line that does not follow', async () => {
    const { collector, stateDir, ship } = await ground(0);
    writeLog(stateDir, [
      ...LINES.slice(0, 4),
      (LINES[4] ?? '').replace('feat/x', 'feat/y'),
      ...LINES.slice(5),
    ]);
    for (let time = 1; time <= 2; time++) {
      await expect(ship()).rejects.toMatchObject({
        code: 'ERR_AUDIT_UNSAFE',
        message:
          '"audit.jsonl": the line behind record 4 can\'t be sent: its hash does not fit its bytes: it was changed',
      });
    }
    expect([collector.seqs(), collector.bodies.length]).toEqual([upTo(4), 1]);
  });

  const replacements: readonly [string, (stateDir: string) => void][] = [
    ['another one', (dir) => void writeLog(dir, OTHERS)],
    ['a shorter one', (dir) => void writeLog(dir, OTHERS.slice(0, 3))],
    ['its own beginning', (dir) => void writeLog(dir, LINES.slice(0, 6))],
    ['empty', (dir) => truncateSync(join(dir, 'audit.jsonl'))],
    ['gone', (dir) => rmSync(join(dir, 'audit.jsonl'))],
  ];
  test.each(replacements)('that is not the one that was sent stops it: %s', async (_, replace) => {
    const { collector, stateDir, ship } = await ground(10);
    await ship();
    replace(stateDir);
    const message = `the log has no record 10 with the hash ${hashOf(10).slice(0, 12)}…, which was the last that was sent: it was replaced, cut or written anew`;
    await expect(ship()).rejects.toMatchObject({ code: 'ERR_AUDIT_UNSAFE', message });
    await expect(ship({ status: true })).rejects.toMatchObject({ code: 'ERR_AUDIT_UNSAFE', message });
    expect(collector.bodies).toHaveLength(1);
  });

  test('can be sent from its first record on, when somebody says so', async () => {
    const { collector, stateDir, ship } = await ground(10);
    await ship();
    writeLog(stateDir, OTHERS.slice(0, 3));
    expect(await ship({ from: 'first' })).toMatchObject({ status: 0 });
    expect([collector.seqs(), collector.repeats]).toEqual([[...upTo(10), ...upTo(3)], 0]);
  });

  test('lacks records that were never sent: that is said, counted, and no reason to stop', async () => {
    const collector = await startCollector();
    const { stateDir, ship, cursor } = shipGround(collector.url);
    writeArchivedLog(stateDir, ROTATED.slice(0, 12), [
      { records: 5, compressed: false },
      { records: 5, compressed: false },
    ]);
    writeLog(stateDir, []);
    rmSync(join(stateDir, archiveName(6, 10)));
    await ship();
    writeLog(stateDir, ROTATED.slice(10, 12));
    rmSync(join(stateDir, archiveName(1, 5)));
    expect((await ship({ status: true })).stdout).toContain(
      'gone       5 of those that wait are not in the log any more\n',
    );
    expect(await ship()).toEqual({
      status: 1,
      stdout: `sent 2 up to record 12 (${collector.url})\n`,
      stderr: 'capwrap: warning: records 6 to 10 are not in the log any more and could not be sent\n',
    });
    expect(collector.seqs()).toEqual([...upTo(5), 11, 12]);
    expect(cursor()).toMatchObject({ seq: 12, missed: 5 });
    expect(await ship()).toMatchObject({ status: 0 });
  });

  test.each([
    [
      'another log that goes on behind a rotation',
      OTHERS_ROTATED.slice(20),
      `is not the one that was sent: its id is ${idOf(OTHERS)}, and that one's is ${idOf(LINES)}`,
    ],
    [
      'another log whose front is gone',
      OTHERS.slice(20),
      `begins behind record 10, the last that was sent, and tells no id by which it could be known as the log that was sent, ${idOf(LINES)}`,
    ],
  ])('that begins behind the cursor and is %s stops it', async (_, lines, found) => {
    const { collector, stateDir, ship } = await ground(10);
    await ship();
    writeLog(stateDir, lines);
    const message = `the log ${found}`;
    const hint =
      'capwrap audit verify; to send this log from its first record on: capwrap audit ship --from first';
    for (const status of [true, false])
      await expect(ship({ status })).rejects.toMatchObject({ code: 'ERR_AUDIT_UNSAFE', message, hint });
    expect(collector.seqs()).toEqual(upTo(10));
    expect((await ship({ from: 'first' })).stdout).toBe(`sent 20 up to record 40 (${collector.url})\n`);
  });

  test.each([
    ['behind the cursor, where its batch had no answer yet', 0, OTHERS, 'sent: its id'],
    ['right behind the cursor', 10, OTHERS.slice(10), 'no record 10 with the hash'],
  ])('that is another one and begins %s stops it', async (_, seq, lines, message) => {
    const { stateDir, ship, cursor, cursorFile } = await ground(10);
    await ship();
    const hash = seq === 0 ? '0'.repeat(64) : hashOf(seq);
    writeFileSync(cursorFile, JSON.stringify({ ...cursor(), seq, hash, sending: seq + 2 }));
    writeLog(stateDir, lines);
    const failed = ship();
    await expect(failed).rejects.toMatchObject({ code: 'ERR_AUDIT_UNSAFE' });
    await expect(failed).rejects.toThrow(message);
  });

  test('is not held up by a run or its rotation, nor a run by a collector that hangs', async () => {
    const { collector, stateDir, follow } = await ground(0);
    const place = { stateDir, uid: process.getuid?.() ?? -1 };
    const log = openAuditLog(place);
    collector.plan('hang');
    await log.append(GRANTED);
    const following = follow();
    await expect.poll(() => collector.bodies.length).toBe(1);
    await log.append(GRANTED);
    await collector.stop();
    await openAuditLog({ ...place, rotate: NOW }).append(GRANTED); // the fourth: a rotation is a record, too
    await collector.start();
    await expect.poll(() => collector.seqs()).toEqual(upTo(4));
    expect((await following.end()).status).toBe(0);
    expect([...collector.stored.values()].map(({ attributes }) => attributes['capwrap.event'])).toContain(
      'rotated',
    );
  });
});

describe('the cursor', () => {
  test.each([
    ['that has everything', LINES.slice(0, 10), 0],
    ['that has more to send', LINES.slice(0, 12), 0],
    ['that lost its front', OTHERS_ROTATED.slice(20), 1],
  ])(
    'of an older capwrap, without an id, is taken up once and completed: of a log %s',
    async (_, lines, status) => {
      const { stateDir, ship, cursor, cursorFile } = await ground(10);
      await ship();
      const { log_id, ...old } = cursor() ?? {};
      expect(log_id).toBe(idOf(LINES));
      writeFileSync(cursorFile, JSON.stringify(old));
      writeLog(stateDir, lines);
      expect((await ship()).status).toBe(status);
      expect(cursor()?.['log_id']).toBe(idOf(status === 0 ? LINES : OTHERS));
    },
  );

  test('of another collector stops it, until somebody says which it is', async () => {
    const { collector, ship, configure } = await ground(4);
    await ship();
    const other = await startCollector();
    configure({ endpoint: other.url });
    for (const status of [false, true]) {
      await expect(ship({ status })).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
        message: `"audit.ship.endpoint" is "${other.url}", and what was sent so far went to "${collector.url}"`,
      });
    }
    expect(await ship({ from: 'cursor' })).toMatchObject({
      stdout: `nothing new: record 4 was sent before (${other.url})\n`,
    });
    await ship({ from: 'first' });
    expect(other.seqs()).toEqual(upTo(4));
  });

  test.each([
    ['no JSON', 'x'],
    [
      'an id that is none',
      '{"endpoint":"e","log_id":"x","seq":1,"hash":"HASH","accepted_at":null,"sending":null,"rejected":0,"missed":0}',
    ],
    ['no object', 'null'],
    [
      'a number that is none',
      '{"endpoint":"e","seq":-1,"hash":"HASH","accepted_at":null,"sending":null,"rejected":0,"missed":0}',
    ],
    [
      'no hash',
      '{"endpoint":"e","seq":1,"hash":"x","accepted_at":null,"sending":null,"rejected":0,"missed":0}',
    ],
    [
      'something in flight before it',
      '{"endpoint":"e","seq":3,"hash":"HASH","accepted_at":null,"sending":2,"rejected":0,"missed":0}',
    ],
  ])('that is none is refused: %s', async (_, text) => {
    const { ship, cursorFile } = await ground(1);
    writeFileSync(cursorFile, text.replace('HASH', 'a'.repeat(64)), { mode: 0o600 });
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_STATE_UNSAFE',
      message: `"${cursorFile}" is no cursor of capwrap's`,
      hint: 'to send the log from its first record on: capwrap audit ship --from first',
    });
    expect(await ship({ from: 'first' })).toMatchObject({ status: 0 });
  });

  test('that others could have written is refused, and so is a link', async () => {
    const { ship, cursorFile } = await ground(1);
    await ship();
    chmodSync(cursorFile, 0o644);
    await expect(ship()).rejects.toMatchObject({ code: 'ERR_STATE_UNSAFE' });
    rmSync(cursorFile);
    symlinkSync('/dev/null', cursorFile);
    await expect(ship()).rejects.toMatchObject({ code: 'ERR_STATE_UNSAFE' });
  });

  test('tells how far the collector is, without asking it', async () => {
    const { collector, stateDir, ship } = await ground(3);
    await ship();
    const bodies = collector.bodies.length;
    expect((await ship({ status: true })).stdout).toMatch(
      /^collector {2}http:.*\naccepted {3}up to record 3, at 20.*Z\nwaiting {4}nothing\nsender {5}none that runs here\n$/,
    );
    appendLines(stateDir, LINES.slice(3, 5));
    expect(JSON.parse((await ship({ status: true }, true)).stdout)).toEqual({
      endpoint: collector.url,
      log_id: idOf(LINES),
      seq: 3,
      hash: hashOf(3),
      accepted_at: expect.stringMatching(/^20/),
      last: 5,
      behind: 2,
      waiting_since: '2026-03-01T12:00:03.000Z',
      gone: 0,
      sending: null,
      rejected: 0,
      missed: 0,
      sender: null,
    });
    expect(collector.bodies).toHaveLength(bodies);
  });

  test('is moved by one shipper at a time', async () => {
    const { stateDir, ship } = await ground(1);
    await withLock(join(stateDir, 'ship.lock'), async () => {
      const running =
        process.platform === 'linux' ? /^process \d+ is sending this log already$/ : /is held by process/;
      await expect(ship()).rejects.toMatchObject({
        code: 'ERR_AUDIT_LOCKED',
        message: expect.stringMatching(running),
      });
    });
  });
});

describe('how the collector is reached', () => {
  test('over TLS, with an authority of its own', async () => {
    const certificate = selfSigned();
    const { collector, stateDir, ship, configure } = await ground(2, { tls: certificate });
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_COLLECTOR_REFUSED',
      message: expect.stringContaining('shows a certificate of an authority that is not trusted'),
      hint: 'where that authority is your own: audit.ship.ca_file',
    });
    const ca_file = join(stateDir, 'ca.pem');
    configure({ endpoint: collector.url, ca_file });
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: `ca_file "${ca_file}" can't be read (ENOENT)`,
      hint: 'name a readable PEM file in audit.ship, or drop ca_file',
    });
    writeFileSync(ca_file, certificate.cert);
    expect(await ship()).toMatchObject({ status: 0 });
    expect(collector.seqs()).toEqual([1, 2]);
  });

  test('with headers whose values no output ever has', async () => {
    const key = 'k3y-of-the-collector-1234567890';
    const { collector, stateDir, ship, configure } = await ground(2, {
      wanted: { authorization: `Bearer ${key}`, 'x-scope-orgid': 'acme' },
    });
    const headers_file = join(stateDir, 'headers');
    configure({ endpoint: collector.url, headers_file });
    writeFileSync(headers_file, `Authorization:  Bearer ${key}\r\n\nX-Scope-OrgID: other\n`, { mode: 0o600 });
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_COLLECTOR_REFUSED',
      message: `"${collector.url}" answered 401: no: [capwrap:authorization]; records 1 to 2 and later wait`,
      hint: 'look at headers_file: the key may be over',
    });
    writeFileSync(headers_file, `Authorization: Bearer ${key}\nX-Scope-OrgID: acme`);
    collector.plan({ rejected: 1, message: `token ${key} may not write` });
    expect(await ship()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('token [capwrap:authorization] may not write'),
    });
    expect(readFileSync(join(stateDir, 'ship-cursor.json'), 'utf8')).not.toContain(key);
  });

  const files: readonly [string, string, string][] = [
    ['Authorization', 'ERR_CONFIG_INVALID', 'line 1 is not "Name: value"'],
    ['A: b\n: hidden-value', 'ERR_CONFIG_INVALID', 'line 2 is not "Name: value"'],
    ['A b: hidden-value', 'ERR_CONFIG_INVALID', 'line 1 is not "Name: value"'],
    ['A:', 'ERR_CONFIG_INVALID', 'line 1 has a value of "a" that is not plain ASCII text'],
    ['A: hidden-väalue', 'ERR_CONFIG_INVALID', 'line 1 has a value of "a" that is not plain ASCII text'],
    ['A: hidden-value\u0000', 'ERR_CONFIG_INVALID', 'line 1 has a value of "a" that is not plain ASCII text'],
    ['A: hidden-value\na: b', 'ERR_CONFIG_INVALID', 'line 2 names "a" a second time'],
    [
      'Content-Type: hidden-value',
      'ERR_CONFIG_INVALID',
      'line 1 names "content-type", which capwrap sets itself',
    ],
    ['Host: hidden-value', 'ERR_CONFIG_INVALID', 'line 1 names "host", which capwrap sets itself'],
  ];
  test.each(files)('headers that make no sense are refused: %j', async (text, code, message) => {
    const { stateDir, ship, configure } = await ground(1);
    const headers_file = join(stateDir, 'headers');
    configure({ endpoint: 'http://127.0.0.1:1', headers_file });
    writeFileSync(headers_file, text, { mode: 0o600 });
    const failed = ship();
    await expect(failed).rejects.toMatchObject({
      code,
      message: `headers_file "${headers_file}": ${message}`,
    });
    await expect(failed).rejects.not.toThrow(/hidden/);
  });

  test('headers that others could read are refused, and a file that is not there', async () => {
    const { collector, stateDir, ship, configure } = await ground(1);
    const headers_file = join(stateDir, 'headers');
    configure({ endpoint: collector.url, headers_file });
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: `headers_file "${headers_file}" does not exist`,
    });
    writeFileSync(headers_file, 'A: b', { mode: 0o600 });
    chmodSync(headers_file, 0o640);
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_STATE_UNSAFE',
      hint: `chmod 600 ${headers_file}`,
    });
    expect(collector.bodies).toEqual([]);
  });

  test.each([
    ['http://collector.example:4318'],
    ['https://user:pass@collector.example'],
    ['https://collector.example/?a=b'],
    ['ftp://127.0.0.1'],
  ])('is never %s', async (endpoint) => {
    const { ship, configure } = await ground(1);
    configure({ endpoint });
    await expect(ship()).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' });
  });

  test('is for a config to say', async () => {
    const { stateDir, ship } = await ground(1);
    rmSync(join(stateDir, 'config.yaml'));
    await expect(ship()).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: 'no collector is named: "audit.ship" is in no config',
      hint: `write into ${stateDir}/config.yaml: audit: {ship: {endpoint: "https://collector.example:4318"}}`,
    });
  });

  test.each([
    [{ from: 'first', follow: true } as const, '"--from" and "--follow" don\'t go together'],
    [{ from: 'cursor', status: true } as const, '"--from" and "--status" don\'t go together'],
  ])('a start that is said goes with nothing else: %o', async (options, message) => {
    const { ship } = await ground(1);
    await expect(ship(options)).rejects.toMatchObject({ code: 'ERR_USAGE', message });
  });
});

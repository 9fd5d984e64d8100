import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { admitRequest, spendApproval, standing } from '../../src/approval/admission.ts';
import type { Ledger } from '../../src/approval/ledger.ts';
import { parseLedger } from '../../src/approval/ledger-lines.ts';
import { type ApprovalRequest, requestText } from '../../src/approval/request.ts';
import { useWorker } from '../helpers/worker.ts';
import { ledgerIn, REQUEST, TERMS, uid } from './samples.ts';

const OTHER: ApprovalRequest = { ...REQUEST, id: 'ffffffffffff' };
const LEASE = '1111111111111111';
const startSpend = useWorker('spend');

const usesOf = (ledger: Ledger, { id }: ApprovalRequest) =>
  ledger.read().filter((entry) => entry.id === id && entry.verb === 'use').length;

async function asked(...requests: readonly ApprovalRequest[]) {
  const found = ledgerIn();
  for (const request of requests) expect(await admitRequest(found.ledger, request, new Date())).toBeNull();
  return found;
}

test('what was asked and used is there again, in a private file', async () => {
  const { ledger, path } = await asked(REQUEST, OTHER);
  expect(await spendApproval(ledger, OTHER, TERMS, LEASE)).toBeNull();
  expect(ledger.read().map(({ verb, id, lease }) => [verb, id, lease])).toEqual([
    ['ask', REQUEST.id, REQUEST.lease_id],
    ['ask', OTHER.id, OTHER.lease_id],
    ['use', OTHER.id, LEASE],
  ]);
  expect(statSync(path).mode & 0o7777).toBe(0o600);
});

test('is empty where there is no file, and nothing is written for a refusal', async () => {
  const { ledger, path } = ledgerIn();
  expect(ledger.read()).toEqual([]);
  expect(await spendApproval(ledger, REQUEST, TERMS, LEASE)).toMatchObject({ reason: 'not_asked_here' });
  expect(() => statSync(path)).toThrow('ENOENT');
});

describe('cut by a crash', () => {
  test('in the last use: it counts for its approval, and the next append repairs', async () => {
    const { ledger, path } = await asked(REQUEST, OTHER);
    await spendApproval(ledger, REQUEST, TERMS, LEASE);
    const whole = readFileSync(path);
    const begin = whole.lastIndexOf('use ');
    for (const length of [4, 5, 16, 17, 30, whole.length - begin - 1]) {
      writeFileSync(path, whole.subarray(0, begin + length), { mode: 0o600 });
      const bySharedPrefix = length <= 'use '.length ? 1 : 0;
      expect([usesOf(ledger, REQUEST), usesOf(ledger, OTHER)]).toEqual([1, bySharedPrefix]);
      expect(await spendApproval(ledger, REQUEST, TERMS, LEASE)).toMatchObject({ reason: 'used_up' });
      expect(parseLedger(readFileSync(path, 'utf8')).torn).toBe(false);
      expect([usesOf(ledger, REQUEST), usesOf(ledger, OTHER)]).toEqual([1, bySharedPrefix]);
    }
  });

  test('in the mark and the entry of the next writer, at every byte', async () => {
    const { ledger, path } = await asked(REQUEST, OTHER);
    appendFileSync(path, `use ${REQUEST.id} 20`);
    const cut = readFileSync(path).length;
    await spendApproval(ledger, OTHER, TERMS, LEASE);
    const whole = readFileSync(path);
    for (let length = cut; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length), { mode: 0o600 });
      const before = { one: usesOf(ledger, REQUEST), other: usesOf(ledger, OTHER) };
      expect(before.one, `${length}`).toBeGreaterThanOrEqual(1);
      expect(before.other, `${length}`).toBe(length > whole.lastIndexOf('use ') ? 1 : 0);
      const result = await spendApproval(ledger, OTHER, { ...TERMS, uses: 3 }, LEASE);
      expect(result, `${length}`).toBeNull();
      expect(usesOf(ledger, OTHER), `${length}`).toBe(before.other + 1);
      expect(usesOf(ledger, REQUEST), `${length}`).toBe(before.one);
      expect(parseLedger(readFileSync(path, 'utf8')), `${length}`).toMatchObject({
        torn: false,
        fault: null,
      });
    }
  });

  test('in a denial: the approval is denied', async () => {
    const { ledger, path } = await asked(REQUEST, OTHER);
    appendFileSync(path, `deny ${REQUEST.id}`);
    expect(standing(ledger.read(), REQUEST.id, TERMS)).toMatchObject({ reason: 'refused' });
    expect(standing(ledger.read(), OTHER.id, TERMS)).toBeNull();
  });

  test('in a denial: its cool-down begins with the first who looks, and ends', async () => {
    const { ledger, path } = await asked(REQUEST);
    appendFileSync(path, `deny ${REQUEST.id}`);
    const request = { ...OTHER, demand: { ...REQUEST.demand, cooldown: 60 } };
    const at = (ms: number) => new Date(Date.now() + ms);
    expect(await admitRequest(ledger, request, at(0))).toMatchObject({ reason: 'cooling_down' });
    expect(await admitRequest(ledger, request, at(30_000))).toMatchObject({ reason: 'cooling_down' });
    expect(await admitRequest(ledger, request, at(61_000))).toBeNull();
  });

  test('in the very first line', async () => {
    const { ledger, path } = ledgerIn();
    writeFileSync(path, 'as', { mode: 0o600 });
    expect(await admitRequest(ledger, REQUEST, new Date())).toBeNull();
    expect(ledger.read().map(({ verb }) => verb)).toEqual(['ask']);
  });
});

test('damage before the last line is refused with its number, and nothing is written', async () => {
  const { ledger, path } = await asked(REQUEST, OTHER);
  await spendApproval(ledger, REQUEST, TERMS, LEASE);
  const text = readFileSync(path, 'utf8').replace(/^ask f/m, 'ask g');
  writeFileSync(path, text);
  const fault = {
    code: 'ERR_STATE_UNSAFE',
    message: `"${path}" is damaged: line 2 is none that capwrap wrote`,
    hint: expect.stringContaining(`mv ${path} ${path}.damaged`),
  };
  expect(() => ledger.read()).toThrow(expect.objectContaining(fault));
  await expect(spendApproval(ledger, OTHER, TERMS, LEASE)).rejects.toMatchObject(fault);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

describe('a file that is not a private one of this user', () => {
  const places: readonly [string, (path: string) => void, RegExp][] = [
    ['a symbolic link', (path) => symlinkSync('elsewhere', path), /is a symbolic link/],
    ['a symbolic link to a full device', (path) => symlinkSync('/dev/full', path), /is a symbolic link/],
    ['a FIFO', (path) => void execFileSync('mkfifo', [path]), /is not a regular file/],
    ['a folder', (path) => void execFileSync('mkdir', [path]), /is not a regular file/],
    [
      'one of two names',
      (path) => {
        writeFileSync(`${path}.other`, '', { mode: 0o600 });
        linkSync(`${path}.other`, path);
      },
      /has a second name/,
    ],
    ['readable for others', (path) => writeLoose(path, 0o644), /can be read or written by others/],
    ['writable for the group', (path) => writeLoose(path, 0o620), /can be read or written by others/],
  ];
  test.each(places)('%s is refused', async (_what, make, message) => {
    const { ledger, path } = ledgerIn();
    make(path);
    const fault = { code: 'ERR_STATE_UNSAFE', message: expect.stringMatching(message) };
    expect(() => ledger.read()).toThrow(expect.objectContaining(fault));
    await expect(admitRequest(ledger, REQUEST, new Date())).rejects.toMatchObject(fault);
  });

  function writeLoose(path: string, mode: number): void {
    writeFileSync(path, '');
    chmodSync(path, mode);
  }

  test('one of another user is refused', async () => {
    const { path, folder } = await asked(REQUEST);
    const { openLedger } = await import('../../src/approval/ledger.ts');
    expect(() => openLedger(folder, uid + 1).read()).toThrow(`"${path}" belongs to user ${uid}`);
  });
});

describe('several processes', () => {
  /** `lines` of others make the ledger so long that all have read it before the first has written. */
  async function race(processes: number, uses: number, lines: number) {
    const { ledger, folder, path } = await asked(REQUEST, OTHER);
    const other = readFileSync(path, 'utf8').split('\n')[1]?.replace('ask', 'end');
    appendFileSync(path, `${other}\n`.repeat(lines));
    const file = join(folder, 'asked.json');
    const go = join(folder, 'go');
    writeFileSync(file, requestText(REQUEST));
    const racers = Array.from({ length: processes }, (_, n) =>
      startSpend([folder, file, `${uses}`, n.toString(16).padStart(16, '0'), go]),
    );
    await Promise.all(racers.map(({ process: racer }) => once(racer.stderr as Readable, 'data')));
    writeFileSync(go, '');
    const ends = await Promise.all(racers.map(({ end }) => end));
    const results = ends.map((end) => {
      expect(end, end.stdout + end.stderr).toMatchObject({ code: 0 });
      return JSON.parse(end.stdout) as { taken: number; reason: string };
    });
    return { ledger, results };
  }

  test.each([
    [2, 1, 6000],
    [2, 2, 0],
    [20, 5, 0],
  ])('%i that race for %i uses', async (processes, uses, lines) => {
    const { ledger, results } = await race(processes, uses, lines);
    expect(results.reduce((sum, { taken }) => sum + taken, 0)).toBe(uses);
    expect(new Set(results.map(({ reason }) => reason))).toEqual(new Set(['used_up']));
    const taken = ledger.read().filter(({ verb }) => verb === 'use');
    expect(taken.map(({ id, doubtful }) => [id, doubtful])).toEqual(
      Array.from({ length: uses }, () => [REQUEST.id, false]),
    );
  });

  test('one that meets a full disk: the use is refused, and none is counted that was not taken', async () => {
    const { ledger, folder, path } = await asked(REQUEST, OTHER);
    const file = join(folder, 'asked.json');
    writeFileSync(file, requestText(REQUEST));
    // The limit is in blocks of 512 or 1024 bytes, as the shell counts them; either lies within a line.
    const args = [folder, file, '1000', LEASE, file];
    const ended = await startSpend(args, { shell: 'ulimit -f 8' }).end;
    const result = JSON.parse(ended.stdout);
    expect(result).toMatchObject({
      code: 'ERR_AUDIT_WRITE',
      message: `"${path}" can't be written (EFBIG)`,
    });
    expect(result.taken).toBeGreaterThan(10);
    expect([4096, 8192]).not.toContain(statSync(path).size);
    expect(usesOf(ledger, REQUEST)).toBe(result.taken);
    expect(usesOf(ledger, OTHER)).toBe(0);
    expect(await spendApproval(ledger, OTHER, TERMS, LEASE)).toBeNull();
  });
});

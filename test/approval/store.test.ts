import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { answerText } from '../../src/approval/answer.ts';
import { type ApprovalRequest, requestText } from '../../src/approval/request.ts';
import { type ApprovalStore, openApprovals } from '../../src/approval/store.ts';
import { osUser } from '../../src/base/os-user.ts';
import { tempDir } from '../helpers/cli.ts';
import { REQUEST, typed, uid, withBinding } from './samples.ts';

const DAY = 24 * 3600 * 1000;
const HEX16 = '0123456789abcdef';

let stateDir = '';
let folder = '';
let store: ApprovalStore;

beforeEach(() => {
  stateDir = tempDir();
  folder = join(stateDir, 'approvals');
  store = openApprovals(stateDir, uid);
});

const asked = (id: string, ageMs = 0): ApprovalRequest => ({
  ...REQUEST,
  id,
  created_at: new Date(Date.now() - ageMs).toISOString(),
});
const fileOf = (id: string, name = 'request.json') => join(folder, id, name);

/** Writes a file as capwrap would. */
function put(id: string, name: string, text: string, mode = 0o600): void {
  mkdirSync(join(folder, id), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(id, name), text);
  chmodSync(fileOf(id, name), mode);
}

describe('a request', () => {
  test('is there again, private, under its id alone', () => {
    store.addRequest(REQUEST);
    expect(store.ids()).toEqual([REQUEST.id]);
    expect(store.request(REQUEST.id)).toEqual(REQUEST);
    expect(openApprovals(stateDir, uid).request(REQUEST.id)).toEqual(REQUEST);
    expect(store.request('0'.repeat(12))).toBeNull();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, REQUEST.id)).mode & 0o777).toBe(0o700);
    expect(statSync(fileOf(REQUEST.id)).mode & 0o777).toBe(0o600);
  });

  test('is not written over by another of the same id', () => {
    const first = asked(REQUEST.id);
    store.addRequest(first);
    expect(() => store.addRequest({ ...first, nonce: 'f'.repeat(32) })).toThrow('EEXIST');
    expect(store.request(REQUEST.id)).toEqual(first);
  });

  test('that is too long to be answered is refused before anything is written', () => {
    const long = withBinding({ command: ['x'.repeat(300_000)] });
    expect(() => store.addRequest(long)).toThrow(
      expect.objectContaining({
        code: 'ERR_APPROVAL_INVALID',
        message: expect.stringMatching(/^"deploy" is asked for with \d+ /),
      }),
    );
    expect(store.ids()).toEqual([]);
  });

  test('that can just be answered is answered', () => {
    const long = withBinding({ command: ['x'.repeat(250_000)] });
    store.addRequest(long);
    const answer = typed(osUser(uid), { request: long });
    store.addAnswer(long.id, answer);
    expect(store.answers(long.id)).toEqual([answer]);
  });

  test.each([
    '..',
    '.',
    '',
    '../ledger',
    REQUEST.id.toUpperCase(),
    `${REQUEST.id}/`,
    `${REQUEST.id}\n`,
    'ledger',
  ])('has no such id: %j', (id) => {
    store.addRequest(REQUEST);
    expect(store.request(id)).toBeNull();
    expect(store.denial(id)).toBeNull();
    expect(store.answers(id)).toEqual([]);
  });

  const damages: readonly [string, () => void][] = [
    ['empty', () => put(REQUEST.id, 'request.json', '')],
    ['cut', () => put(REQUEST.id, 'request.json', requestText(REQUEST).slice(0, 100))],
    ['of zeros', () => put(REQUEST.id, 'request.json', '\0'.repeat(1000))],
    ['not there', () => mkdirSync(join(folder, REQUEST.id))],
    ['of another id', () => put(REQUEST.id, 'request.json', requestText(asked('0'.repeat(12))))],
  ];
  test.each(damages)('whose file is %s is none, and keeps no other from being asked', (_what, damage) => {
    damage();
    expect(store.request(REQUEST.id)).toBeNull();
    store.addRequest(asked('1'.repeat(12)));
    expect(store.request('1'.repeat(12))).not.toBeNull();
  });

  const unsafe: readonly [string, () => unknown, RegExp][] = [
    [
      'a symbolic link to a good one',
      () => {
        put('1'.repeat(12), 'good', requestText(REQUEST));
        mkdirSync(join(folder, REQUEST.id));
        symlinkSync(fileOf('1'.repeat(12), 'good'), fileOf(REQUEST.id));
      },
      /is a symbolic link/,
    ],
    [
      'a FIFO',
      () =>
        execFileSync('sh', [
          '-c',
          'mkdir "$1" && mkfifo "$2"',
          'sh',
          join(folder, REQUEST.id),
          fileOf(REQUEST.id),
        ]),
      /is not a regular file/,
    ],
    [
      'readable for others',
      () => put(REQUEST.id, 'request.json', requestText(REQUEST), 0o644),
      /can be read or written by others/,
    ],
    [
      'far too large',
      () => put(REQUEST.id, 'request.json', ' '.repeat(2_000_000)),
      /is larger than 1048576 bytes/,
    ],
  ];
  test.each(unsafe)(
    'whose file is %s is refused, and keeps no other from being asked',
    (_what, make, message) => {
      make();
      expect(() => store.request(REQUEST.id)).toThrow(
        expect.objectContaining({ code: 'ERR_STATE_UNSAFE', message: expect.stringMatching(message) }),
      );
      store.addRequest(asked('2'.repeat(12)));
      expect(store.request('2'.repeat(12))).not.toBeNull();
    },
  );
});

describe('the folder', () => {
  test('may hold what is not capwrap’s: it is not taken for a request, and stays', () => {
    store.addRequest(asked('3'.repeat(12)));
    for (const name of ['README', '.git', '2f6c0e9a7b11.bak', 'ledger.damaged', 'f'.repeat(12)])
      writeFileSync(join(folder, name), 'x');
    mkdirSync(join(folder, 'F'.repeat(12)));
    symlinkSync('3'.repeat(12), join(folder, '4'.repeat(12)));
    const names = readdirSync(folder).sort();
    expect(store.ids()).toEqual(['3'.repeat(12)]);
    store.addRequest(asked('5'.repeat(12)));
    expect(readdirSync(folder).sort()).toEqual([...names, '5'.repeat(12)].sort());
  });

  test('that is a symbolic link is refused', () => {
    rmSync(folder, { recursive: true });
    symlinkSync(tempDir(), folder);
    expect(() => openApprovals(stateDir, uid)).toThrow(expect.objectContaining({ code: 'ERR_STATE_UNSAFE' }));
  });

  test('that others can read is closed to them', () => {
    chmodSync(folder, 0o755);
    openApprovals(stateDir, uid);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });
});

describe('after 30 days', () => {
  test('a request goes, with its answers; a younger one stays', () => {
    const [old, young] = [asked('a'.repeat(12), 30 * DAY + 60_000), asked('b'.repeat(12), 30 * DAY - 60_000)];
    for (const request of [old, young]) put(request.id, 'request.json', requestText(request));
    store.addAnswer(old.id, typed('builder'));
    store.addRequest(asked('c'.repeat(12)));
    expect([...store.ids()].sort()).toEqual(['b'.repeat(12), 'c'.repeat(12)]);
    expect(store.answers(old.id)).toEqual([]);
  });

  test('nothing goes of what lies in the future', () => {
    const request = asked('a'.repeat(12), -365 * DAY);
    put(request.id, 'request.json', requestText(request));
    store.addRequest(asked('c'.repeat(12)));
    expect(store.ids()).toContain(request.id);
  });

  test('a link in the place of a folder is not followed', () => {
    const elsewhere = tempDir();
    const old = asked('a'.repeat(12), 31 * DAY);
    put(old.id, 'request.json', requestText(old));
    renameSync(join(folder, old.id), join(elsewhere, 'kept'));
    symlinkSync(join(elsewhere, 'kept'), join(folder, old.id));
    store.addRequest(asked('c'.repeat(12)));
    expect(readdirSync(join(elsewhere, 'kept'))).toEqual(['request.json']);
  });
});

describe('answers', () => {
  beforeEach(() => store.addRequest(REQUEST));

  test('are all there, private, and typed by who can write there, whatever they say', () => {
    const answers = ['alice', 'bob', 'carol'].map((user) => typed(user));
    for (const answer of answers) store.addAnswer(REQUEST.id, answer);
    const users = store.answers(REQUEST.id).map((answer) => answer.kind === 'typed' && answer.user);
    expect(users).toEqual([osUser(uid), osUser(uid), osUser(uid)]);
    for (const name of readdirSync(join(folder, REQUEST.id)))
      expect(statSync(fileOf(REQUEST.id, name)).mode & 0o777).toBe(0o600);
  });

  test('are read no further than the 64th file', () => {
    for (let n = 0; n < 70; n++)
      put(REQUEST.id, `answer-${n.toString(16).padStart(16, '0')}.json`, answerText(typed(`user-${n}`)));
    expect(store.answers(REQUEST.id)).toHaveLength(64);
  });

  test.each([
    ['another name', 'answer-1.json', answerText(typed('x'))],
    ['a temporary file', `answer-${HEX16}.json.17.abc.tmp`, answerText(typed('x'))],
    ['no JSON', `answer-${HEX16}.json`, 'yes'],
    ['a request', `answer-${HEX16}.json`, requestText(REQUEST)],
  ])('are none: %s', (_what, name, text) => {
    put(REQUEST.id, name, text);
    expect(store.answers(REQUEST.id)).toEqual([]);
  });

  test('that others can write are none', () => {
    put(REQUEST.id, `answer-${HEX16}.json`, answerText(typed('x')), 0o666);
    expect(store.answers(REQUEST.id)).toEqual([]);
  });

  test('a denial says what was said, also nothing', () => {
    expect(store.denial(REQUEST.id)).toBeNull();
    store.addDenial(REQUEST.id, '');
    expect(store.denial(REQUEST.id)).toBe('');
    store.addDenial(REQUEST.id, 'not on a Friday');
    expect(store.denial(REQUEST.id)).toBe('not on a Friday');
  });
});

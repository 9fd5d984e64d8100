import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { addPin, type Pin, readPins, removePins } from '../../src/trust/pins.ts';
import { bundle } from '../helpers/bundle.ts';
import { tempDir } from '../helpers/cli.ts';

const UID = process.getuid?.() ?? -1;
const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

let dir: string;
let file: string;

beforeEach(() => {
  dir = tempDir();
  file = join(dir, 'trust.json');
});

const pin = (parts: Partial<Pin> = {}): Pin => ({
  path: '/repo/capabilities.yaml',
  repository: '/repo',
  sha256: A,
  grade: 'pinned',
  pinned_at: '2026-01-02T03:04:05.000Z',
  ...parts,
});

test('no file means no pins, and reading makes none', () => {
  expect(readPins(dir, UID)).toEqual([]);
  expect(readdirSync(dir)).toEqual([]);
});

test('pins come back as they were added, in a file that only the user can read', async () => {
  const pins = [
    pin(),
    pin({ sha256: B, grade: 'pinned_noninteractive' }),
    pin({ path: '/x', repository: null }),
  ];
  for (const each of pins) await addPin(dir, UID, each);
  expect(readPins(dir, UID)).toEqual(pins);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['trust.json']);
});

test('content pinned twice keeps the stronger grade', async () => {
  const weak = pin({ grade: 'pinned_noninteractive' });
  const strong = pin({ pinned_at: '2026-02-02T03:04:05.000Z' });
  await addPin(dir, UID, weak);
  await addPin(dir, UID, strong);
  expect(readPins(dir, UID)).toEqual([strong]);
  await addPin(dir, UID, weak);
  expect(readPins(dir, UID)).toEqual([strong]);
});

describe('removal', () => {
  const other = pin({ path: '/other/capabilities.yaml' });

  beforeEach(async () => {
    for (const each of [pin(), pin({ sha256: B }), other]) await addPin(dir, UID, each);
  });

  test('takes all versions of one map', async () => {
    expect(await removePins(dir, UID, pin().path)).toEqual([pin(), pin({ sha256: B })]);
    expect(readPins(dir, UID)).toEqual([other]);
  });

  test('takes one version', async () => {
    expect(await removePins(dir, UID, pin().path, B)).toEqual([pin({ sha256: B })]);
    expect(readPins(dir, UID)).toEqual([pin(), other]);
  });

  test('of what is not there leaves the file alone', async () => {
    const before = statSync(file).ino;
    expect(await removePins(dir, UID, '/nowhere')).toEqual([]);
    expect(statSync(file).ino).toBe(before);
  });
});

const list = (...pins: unknown[]) => JSON.stringify({ version: 1, pins });

describe('a file that capwrap did not write is an error, never an empty list', () => {
  test.each([
    { name: 'nothing', text: '' },
    { name: 'a torn file', text: list(pin()).slice(0, -9) },
    { name: 'another shape', text: '[]' },
    { name: 'null', text: 'null' },
    { name: 'another version', text: JSON.stringify({ version: 2, pins: [] }) },
    { name: 'a key too many', text: JSON.stringify({ version: 1, pins: [], trusted: true }) },
    { name: 'pins by name', text: JSON.stringify({ version: 1, pins: {} }) },
    { name: 'a pin with a key too many', text: list({ ...pin(), any: true }) },
    { name: 'a pin without a grade', text: list({ ...pin(), grade: undefined }) },
    { name: 'a grade that no pin has', text: list({ ...pin(), grade: 'admin_owned' }) },
    { name: 'a relative path', text: list(pin({ path: 'capabilities.yaml' })) },
    { name: 'a short digest', text: list(pin({ sha256: 'abc' })) },
    { name: 'a digest with a line end', text: list(pin({ sha256: `${A}\n` })) },
    { name: 'a date that is none', text: list(pin({ pinned_at: 'today' })) },
    { name: 'one good pin and one bad', text: list(pin(), {}) },
  ])('$name', async ({ text }) => {
    writeFileSync(file, text, { mode: 0o600 });
    const damaged = expect.objectContaining({
      code: 'ERR_STATE_UNSAFE',
      message: `"${file}" is damaged: it is not a list of pins`,
      hint: `mv ${file} ${file}.damaged, then trust the maps again`,
    });
    expect(() => readPins(dir, UID)).toThrow(damaged);
    await expect(addPin(dir, UID, pin())).rejects.toThrow(damaged);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('a file that others can write', () => {
    writeFileSync(file, list(pin()));
    chmodSync(file, 0o666);
    expect(() => readPins(dir, UID)).toThrow(expect.objectContaining({ code: 'ERR_STATE_UNSAFE' }));
  });

  test('a link', () => {
    writeFileSync(join(dir, 'elsewhere'), list(pin()), { mode: 0o600 });
    symlinkSync('elsewhere', file);
    expect(() => readPins(dir, UID)).toThrow(
      expect.objectContaining({ code: 'ERR_STATE_UNSAFE', message: `"${file}" is a symbolic link` }),
    );
  });
});

test('processes that pin at the same time lose no pin', async () => {
  const program = await bundle(`
    import { existsSync } from 'node:fs';
    import { addPin } from './src/trust/pins.ts';
    const [dir, name, go] = process.argv.slice(2);
    console.log('ready');
    while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 1));
    for (let n = 0; n < 10; n += 1) {
      await addPin(dir, process.getuid(), {
        path: '/' + name, repository: null, sha256: String(n).padStart(64, '0'), grade: 'pinned',
        pinned_at: new Date().toISOString(),
      });
    }
  `);
  const go = join(tempDir(), 'go');
  const writers = ['one', 'two', 'three'].map((name) => execa(process.execPath, [program, dir, name, go]));
  await Promise.all(writers.map((writer) => new Promise((resolve) => writer.stdout.once('data', resolve))));
  writeFileSync(go, '');
  await Promise.all(writers);
  expect(readPins(dir, UID)).toHaveLength(30);
  expect(existsSync(join(dir, 'trust.lock'))).toBe(false);
});

import { createHash } from 'node:crypto';
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
import {
  basisOf,
  headOf,
  type Lineage,
  lineageFor,
  NOTHING_TRUSTED,
  type OldPin,
  type Pin,
} from '../../src/trust/pin.ts';
import { addPin, forgetLineages, readTrust, removePins } from '../../src/trust/pins.ts';
import { bundle } from '../helpers/bundle.ts';
import { tempDir } from '../helpers/cli.ts';

const UID = process.getuid?.() ?? -1;
const bytesOf = (text: string) => Buffer.from(text);
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const A = digest('a');
const B = digest('b');
const C = digest('c');
const TEXTS: Record<string, string> = { [A]: 'a', [B]: 'b', [C]: 'c' };

let dir: string;
let file: string;
let place: { stateDir: string; uid: number };

beforeEach(() => {
  dir = tempDir();
  file = join(dir, 'trust.json');
  place = { stateDir: dir, uid: UID };
});

const OLD: OldPin = {
  path: '/repo/capabilities.yaml',
  repository: '/repo',
  sha256: A,
  grade: 'pinned',
  pinned_at: '2026-01-02T03:04:05.000Z',
};

const pin = (parts: Partial<Pin> = {}): Pin => ({ ...OLD, repo: 'acme/web', signature: null, ...parts });

const SIGNATURE = { principal: 'alice', statement: '{}', armored: '-' };

/** As `capwrap trust` does it; `replaces` is what stands there unless a test says otherwise. */
async function add(each: Pin, terms: { approvers?: string[]; replaces?: string | null } = {}): Promise<void> {
  const before = lineageFor(readTrust(place), each.path, each.repo);
  await addPin(place, each, {
    bytes: bytesOf(TEXTS[each.sha256] ?? ''),
    approvers: terms.approvers ?? [],
    replaces: terms.replaces === undefined ? before && headOf(before) : terms.replaces,
  });
}

const pins = () => readTrust(place).pins;

test('no file means no pins, and reading makes none', () => {
  expect(readTrust(place)).toBe(NOTHING_TRUSTED);
  expect(readdirSync(dir)).toEqual([]);
});

test('pins come back as they were added, in a file that only the user can read', async () => {
  const all = [
    pin(),
    pin({ sha256: B, grade: 'pinned_noninteractive' }),
    pin({ repo: null }),
    pin({ path: '/x', repository: null, grade: 'signed', signature: SIGNATURE }),
  ];
  for (const each of all) await add(each);
  expect(pins()).toEqual(all);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir).sort()).toEqual(['maps', 'trust.json']);
});

test('content pinned twice keeps the stronger grade', async () => {
  const weak = pin({ grade: 'pinned_noninteractive' });
  const strong = pin({ pinned_at: '2026-02-02T03:04:05.000Z' });
  await add(weak);
  await add(strong);
  expect(pins()).toEqual([strong]);
  await add(weak);
  expect(pins()).toEqual([strong]);
});

test('a signed pin, whose key may be withdrawn, stands beside a weaker one', async () => {
  const signed = pin({ grade: 'signed', signature: SIGNATURE });
  await add(signed);
  await add(pin());
  expect(pins()).toEqual([signed, pin()]);
});

describe('the lineage', () => {
  const lineages = () =>
    readTrust(place).lineages.map(({ repo, versions, approvers }) => [
      repo,
      versions.map(({ sha256 }) => sha256),
      approvers,
    ]);

  test('grows with each version, and keeps the approvers of the last', async () => {
    await add(pin());
    await add(pin({ sha256: B }), { approvers: ['alice'] });
    expect(lineages()).toEqual([['acme/web', [A, B], ['alice']]]);
    await add(pin({ sha256: C }), { approvers: ['bob'] });
    expect(lineages()).toEqual([['acme/web', [A, B, C], ['bob']]]);
  });

  test('is not moved by pinning an older version once more', async () => {
    await add(pin({ grade: 'pinned_noninteractive' }));
    await add(pin({ sha256: B }), { approvers: ['alice'] });
    await add(pin()); // raises the grade
    expect(pins().map(({ sha256, grade }) => [sha256, grade])).toEqual([
      [B, 'pinned'],
      [A, 'pinned'],
    ]);
    expect(lineages()).toEqual([['acme/web', [A, B], ['alice']]]);
  });

  test('outlives the pins, until it is forgotten', async () => {
    await add(pin(), { approvers: ['alice'] });
    await removePins(place, pin().path);
    expect(pins()).toEqual([]);
    expect(lineages()).toEqual([['acme/web', [A], ['alice']]]);
    const forgotten = await forgetLineages(place, pin().path);
    expect(forgotten.map(headOf)).toEqual([A]);
    expect(readTrust(place)).toEqual(NOTHING_TRUSTED);
  });

  test('remembers the strongest grade of each version, and compares with what was confirmed as strongly', async () => {
    await add(pin());
    await add(pin({ sha256: B, grade: 'pinned_noninteractive' }));
    const basis = (sha256: string, grade: Pin['grade']) => {
      const [lineage] = readTrust(place).lineages;
      return lineage && basisOf(lineage, sha256, grade);
    };
    expect([basis(C, 'pinned_noninteractive'), basis(C, 'pinned'), basis(C, 'signed')]).toEqual([B, A, A]);
    expect([basis(B, 'pinned'), basis(A, 'pinned')]).toEqual([A, null]);
    await add(pin({ sha256: B }));
    expect([basis(C, 'pinned'), basis(A, 'pinned')]).toEqual([B, B]);
    await removePins(place, pin().path);
    await add(pin({ sha256: A, grade: 'pinned_noninteractive' }));
    expect([basis(C, 'pinned'), basis(B, 'pinned')]).toEqual([A, A]);
  });

  test('must not have moved since the version was compared', async () => {
    await add(pin());
    const late = expect.objectContaining({
      code: 'ERR_MAP_UNTRUSTED',
      message: '"/repo/capabilities.yaml" was not pinned: another version of it was trusted in the meantime',
    });
    await expect(add(pin({ sha256: B }), { replaces: null })).rejects.toThrow(late);
    await expect(add(pin({ sha256: B }), { replaces: C })).rejects.toThrow(late);
    expect(pins()).toEqual([pin()]);
  });

  const lineage = (repo: string | null, ...approvers: string[]): Lineage => ({
    path: '/m',
    repo,
    versions: [{ sha256: A, grade: 'pinned' }],
    approvers,
    mark: '0'.repeat(32),
  });
  test.each([
    { name: 'the own one', all: [lineage('a', 'x'), lineage('b')], repo: 'a', found: 0 },
    { name: 'an own one without approvers', all: [lineage('a')], repo: 'a', found: 0 },
    { name: 'another one with approvers', all: [lineage('a'), lineage('b', 'x')], repo: 'a', found: 1 },
    {
      name: 'another one with approvers, of a new repository',
      all: [lineage('b', 'x')],
      repo: null,
      found: 0,
    },
    { name: 'none without approvers', all: [lineage('b')], repo: 'a', found: -1 },
  ])('that a version continues: $name', ({ all, repo, found }) => {
    expect(lineageFor({ ...NOTHING_TRUSTED, lineages: all }, '/m', repo)).toBe(all[found] ?? null);
    expect(lineageFor({ ...NOTHING_TRUSTED, lineages: all }, '/other', repo)).toBe(null);
  });
});

describe('without a record there is no pin', () => {
  test('and nothing in the file', async () => {
    const record = () => Promise.reject(new Error('disk full'));
    const version = { bytes: bytesOf('a'), approvers: [], replaces: null, record };
    await expect(addPin(place, pin(), version)).rejects.toThrow('disk full');
    expect(existsSync(file)).toBe(false);
  });
});

describe('removal', () => {
  const other = pin({ path: '/other/capabilities.yaml' });
  const moved = pin({ repo: 'acme/moved' });

  beforeEach(async () => {
    for (const each of [pin(), pin({ sha256: B }), moved, other]) await add(each);
  });

  test('takes all versions of one map, whatever repository they are for', async () => {
    expect(await removePins(place, pin().path)).toEqual([pin(), pin({ sha256: B }), moved]);
    expect(pins()).toEqual([other]);
  });

  test('takes one version', async () => {
    expect(await removePins(place, pin().path, B)).toEqual([pin({ sha256: B })]);
    expect(pins()).toEqual([pin(), moved, other]);
  });

  test('of what is not there leaves the file alone', async () => {
    const before = statSync(file).ino;
    expect(await removePins(place, '/nowhere')).toEqual([]);
    expect(await forgetLineages(place, '/nowhere')).toEqual([]);
    expect(statSync(file).ino).toBe(before);
  });
});

describe('pins of version 1', () => {
  beforeEach(() => {
    writeFileSync(file, JSON.stringify({ version: 1, pins: [OLD, { ...OLD, sha256: B }] }), { mode: 0o600 });
  });

  test('are read, and are none', () => {
    expect(readTrust(place)).toEqual({ pins: [], lineages: [], oldPins: [OLD, { ...OLD, sha256: B }] });
  });

  test('stay until they are replaced or removed', async () => {
    await add(pin());
    expect(readTrust(place)).toMatchObject({ pins: [pin()], oldPins: [{ ...OLD, sha256: B }] });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ version: 2 });
    expect(await removePins(place, OLD.path)).toEqual([pin(), { ...OLD, sha256: B }]);
    expect(readTrust(place)).toMatchObject({ pins: [], oldPins: [] });
  });
});

const list = (...all: unknown[]) => JSON.stringify({ version: 2, pins: all, lineages: [], old_pins: [] });
const lines = (...all: unknown[]) => JSON.stringify({ version: 2, pins: [], lineages: all, old_pins: [] });
const LINE = {
  path: '/m',
  repo: null,
  versions: [{ sha256: A, grade: 'pinned' }],
  approvers: [],
  mark: '0'.repeat(32),
};

describe('a file that capwrap did not write is an error, never an empty list', () => {
  test.each([
    { name: 'nothing', text: '' },
    { name: 'a torn file', text: list(pin()).slice(0, -9) },
    { name: 'another shape', text: '[]' },
    { name: 'null', text: 'null' },
    { name: 'another version', text: JSON.stringify({ version: 3, pins: [], lineages: [], old_pins: [] }) },
    { name: 'version 2 in the shape of 1', text: JSON.stringify({ version: 2, pins: [] }) },
    { name: 'version 1 in the shape of 2', text: JSON.stringify({ version: 1, pins: [pin()] }) },
    {
      name: 'a signed pin in version 1',
      text: JSON.stringify({ version: 1, pins: [{ ...OLD, grade: 'signed' }] }),
    },
    {
      name: 'an old pin with a repository',
      text: JSON.stringify({ version: 2, pins: [], lineages: [], old_pins: [pin()] }),
    },
    { name: 'a signature on a pin that is not signed', text: list(pin({ signature: SIGNATURE })) },
    { name: 'half a signature', text: list({ ...pin({ grade: 'signed' }), signature: { statement: 'x' } }) },
    { name: 'a lineage without a version', text: lines({ ...LINE, versions: [] }) },
    {
      name: 'a lineage of something else',
      text: lines({ ...LINE, versions: [{ sha256: 'x', grade: 'pinned' }] }),
    },
    { name: 'a mark that is none', text: lines({ ...LINE, mark: 'x' }) },
    { name: 'approvers that are no names', text: lines({ ...LINE, approvers: [1] }) },
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
    expect(() => readTrust(place)).toThrow(damaged);
    await expect(removePins(place, '/m')).rejects.toThrow(damaged);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('a file that others can write', () => {
    writeFileSync(file, list(pin()));
    chmodSync(file, 0o666);
    expect(() => readTrust(place)).toThrow(expect.objectContaining({ code: 'ERR_STATE_UNSAFE' }));
  });

  test('a link', () => {
    writeFileSync(join(dir, 'elsewhere'), list(pin()), { mode: 0o600 });
    symlinkSync('elsewhere', file);
    expect(() => readTrust(place)).toThrow(
      expect.objectContaining({ code: 'ERR_STATE_UNSAFE', message: `"${file}" is a symbolic link` }),
    );
  });
});

test('processes that pin at the same time lose no pin', async () => {
  const program = await bundle(`
    import { createHash } from 'node:crypto';
    import { existsSync } from 'node:fs';
    import { addPin } from './src/trust/pins.ts';
    const [stateDir, name, go] = process.argv.slice(2);
    console.log('ready');
    while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 1));
    for (let n = 0; n < 10; n += 1) {
      const path = '/' + name + n;
      const bytes = Buffer.from(path);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const grades = { grade: 'pinned', signature: null, pinned_at: new Date().toISOString() };
      const pin = { path, repo: null, repository: null, sha256, ...grades };
      await addPin({ stateDir, uid: process.getuid() }, pin, { bytes, approvers: [], replaces: null });
    }
  `);
  const go = join(tempDir(), 'go');
  const writers = ['one', 'two', 'three'].map((name) => execa(process.execPath, [program, dir, name, go]));
  await Promise.all(writers.map((writer) => new Promise((resolve) => writer.stdout.once('data', resolve))));
  writeFileSync(go, '');
  await Promise.all(writers);
  expect(pins()).toHaveLength(30);
  expect(existsSync(join(dir, 'trust.lock'))).toBe(false);
});

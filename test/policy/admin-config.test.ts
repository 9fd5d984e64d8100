import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { NO_ADMIN_CONFIG, parseAdminConfig, readAdminConfig } from '../../src/base/admin-config.ts';
import { tempDir } from '../helpers/cli.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB';
const OTHER = 'ecdsa-sha2-nistp256 AAAAE2VjZHNh';
const SK = 'sk-ssh-ed25519@openssh.com AAAAGnNr';

const IS_ROOT = process.getuid?.() === 0;

let path: string;

beforeEach(() => {
  path = join(tempDir(), 'config.yaml');
});

function put(text: string): string {
  writeFileSync(path, text, { mode: 0o644 });
  return path;
}

test('a missing file or folder demands nothing', () => {
  expect(readAdminConfig(1000, path)).toBe(NO_ADMIN_CONFIG);
  expect(readAdminConfig(1000, join(path, 'deeper'))).toBe(NO_ADMIN_CONFIG);
});

test("a file that is not root's is refused, not ignored", () => {
  put('require: {map_trust: pinned}\n');
  if (IS_ROOT) chownSync(path, 1000, 1000);
  expect(() => readAdminConfig(1000, path)).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG_UNSAFE', exitStatus: 125 }),
  );
});

test('a dangling link is refused, not taken for a missing file', () => {
  symlinkSync('gone', path);
  expect(() => readAdminConfig(1000, path)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_UNSAFE' }));
});

test('a file of root that says something else is refused', () => {
  expect(() => readAdminConfig(1000, '/etc/passwd')).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG_INVALID', exitStatus: 125 }),
  );
});

describe('what it may say', () => {
  test.each([
    { text: '', config: NO_ADMIN_CONFIG },
    { text: '# nothing yet\n', config: NO_ADMIN_CONFIG },
    { text: 'state_dir: /var/lib/capwrap\n', config: { ...NO_ADMIN_CONFIG, stateDir: '/var/lib/capwrap' } },
    {
      text: 'state_dir: /var/lib/{uid}/x/../c\n',
      config: { ...NO_ADMIN_CONFIG, stateDir: '/var/lib/1000/c' },
    },
    { text: 'require: {}\n', config: NO_ADMIN_CONFIG },
    {
      text: 'require: {map_trust: admin_owned}\n',
      config: { ...NO_ADMIN_CONFIG, requireMapTrust: 'admin_owned' },
    },
    {
      text: 'state_dir: /s\nrequire:\n  map_trust: pinned\n',
      config: { ...NO_ADMIN_CONFIG, stateDir: '/s', requireMapTrust: 'pinned' },
    },
    {
      text: `approvers:\n  alice: {keys: ["${KEY} alice@laptop", "${SK}"], actors: [alice]}\n  b.o-b: {keys: ["${OTHER}"]}\n`,
      config: {
        ...NO_ADMIN_CONFIG,
        approvers: [
          { name: 'alice', keys: [`${KEY} alice@laptop`, SK], actors: ['alice'] },
          { name: 'b.o-b', keys: [OTHER], actors: [] },
        ],
      },
    },
  ])('$text', ({ text, config }) => {
    expect(parseAdminConfig(text, path, 1000)).toEqual(config);
  });

  test.each([
    {
      text: 'statedir: /x\n',
      at: '1:1',
      why: '"statedir" is not a key of "config"; known: state_dir, require, approvers, audit',
    },
    {
      text: 'require:\n  trust: pinned\n',
      at: '2:3',
      why: '"trust" is not a key of "require"; known: map_trust',
    },
    { text: '{state_dir}\n', at: '1:2', why: '"state_dir" has no value' },
    { text: 'state_dir:\n', at: '1:11', why: '"state_dir" must be an absolute path' },
    {
      text: '? [a]\n: b\n',
      at: '1:3',
      why: '"?" is not a key of "config"; known: state_dir, require, approvers, audit',
    },
    { text: 'require: ~\n', at: '1:10', why: '"require" must be a mapping' },
    { text: 'state_dir: relative/path\n', at: '1:12', why: '"state_dir" must be an absolute path' },
    { text: 'state_dir: 12\n', at: '1:12', why: '"state_dir" must be an absolute path' },
    { text: 'state_dir: /x/{user}\n', at: '1:12', why: '"state_dir" may hold no placeholder but {uid}' },
    { text: 'state_dir: "/x/\\n"\n', at: '1:12', why: '"state_dir" may hold no control character' },
    {
      text: 'require: {map_trust: trusted}\n',
      at: '1:22',
      why: '"require.map_trust" must be one of pinned_noninteractive, pinned, signed, admin_owned',
    },
    { text: '- a\n', at: '1:1', why: '"config" must be a mapping' },
    { text: 'state_dir: /a\nstate_dir: /b\n', at: '2:1', why: 'is not valid YAML' },
    { text: 'state_dir: /a\n---\nstate_dir: /b\n', at: '2:1', why: 'is not valid YAML' },
    { text: 'state_dir: !!python/name /a\n', at: '1:12', why: 'is not valid YAML' },
    {
      text: 'state_dir: &a /a\nrequire: {map_trust: *a}\n',
      at: '2:22',
      why: '"require.map_trust" must be one of pinned_noninteractive, pinned, signed, admin_owned',
    },
    { text: 'approvers: []\n', at: '1:12', why: '"approvers" must be a mapping' },
    { text: 'approvers: {Alice: {}}\n', at: '1:13', why: '"Alice" is not a key of "approvers"' },
    { text: 'approvers: {a: {}}\n', at: '1:16', why: '"keys" is missing in "a"' },
    { text: 'approvers: {a: {key: x}}\n', at: '1:17', why: '"key" is not a key of "a"; known: keys, actors' },
    { text: 'approvers: {a: {keys: x}}\n', at: '1:23', why: '"keys" must be a list' },
    { text: 'approvers: {a: {keys: []}}\n', at: '1:23', why: '"keys" is empty' },
    { text: 'approvers: {a: {keys: [1]}}\n', at: '1:24', why: '"keys" may hold nothing but text' },
    {
      text: 'approvers: {a: {keys: [~/.ssh/id.pub]}}\n',
      at: '1:23',
      why: '"keys" of "a" must be OpenSSH public keys',
    },
    {
      text: `approvers: {a: {keys: ["${KEY}"]}, b: {keys: ["${KEY} again"]}}\n`,
      at: `1:${`approvers: {a: {keys: ["${KEY}"]}, b: {keys: `.length + 1}`,
      why: '"keys" of "b" has a key of "a"',
    },
    { text: 'state_dir: [/a\n', at: null, why: 'is not valid YAML' },
  ])('$text is refused with its place', ({ text, at, why }) => {
    const message = at === null ? expect.stringContaining(why) : `"${path}:${at}" ${why}`;
    expect(() => parseAdminConfig(text, path, 1000)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message }),
    );
  });
});

describe.skipIf(!IS_ROOT)('a file of root (only root can make one)', () => {
  test('is read', () => {
    put('state_dir: /s/{uid}\nrequire: {map_trust: pinned}\n');
    expect(readAdminConfig(1000, path)).toEqual({
      ...NO_ADMIN_CONFIG,
      stateDir: '/s/1000',
      requireMapTrust: 'pinned',
    });
  });

  test.each([0o646, 0o664])('mode %o is refused', (mode) => {
    put('require: {map_trust: pinned}\n');
    chmodSync(path, mode);
    expect(() => readAdminConfig(1000, path)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_UNSAFE' }));
  });

  test('a folder of somebody else above it is refused', () => {
    const folder = join(tempDir(), 'etc');
    mkdirSync(folder);
    path = join(folder, 'config.yaml');
    put('require: {map_trust: pinned}\n');
    chownSync(folder, 1000, 1000);
    expect(() => readAdminConfig(1000, path)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_UNSAFE',
        message: `"${folder}" belongs to user 1000, not root`,
      }),
    );
  });
});

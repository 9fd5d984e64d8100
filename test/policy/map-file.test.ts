import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findMapFile, pinnedPathOf, readMapFile, workTreeRoot } from '../../src/policy/map-file.ts';
import { MAX_MAP_BYTES } from '../../src/policy/yaml-text.ts';
import { tempDir } from '../helpers/cli.ts';
import { ambientOf } from './ambient.ts';

let top: string;
let deep: string;

/** top/repo/src/lib, with the map of the user's own under top/home. */
beforeEach(() => {
  top = tempDir();
  deep = join(top, 'repo', 'src', 'lib');
  mkdirSync(deep, { recursive: true });
});

function put(...path: string[]): string {
  const file = join(top, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'version: 1\n', { mode: 0o644 });
  return file;
}

const find = (explicit?: string, env: Record<string, string> = {}) =>
  findMapFile(ambientOf({ cwd: deep, env: { HOME: join(top, 'home'), ...env } }), explicit);

describe('where the map is looked for', () => {
  test('the nearest parent inside the work tree wins', () => {
    mkdirSync(join(top, 'repo', '.git'));
    put('repo', 'capabilities.yaml');
    const near = put('repo', 'src', 'capabilities.yaml');
    expect(find()).toBe(near);
  });

  test('the root of the work tree is the last place, and a ".git" file marks it too', () => {
    put('repo', '.git');
    const map = put('repo', 'capabilities.yaml');
    expect(find()).toBe(map);
  });

  test('a map above the work tree is not taken', () => {
    mkdirSync(join(top, 'repo', '.git'));
    put('capabilities.yaml');
    const own = put('home', '.config', 'capwrap', 'capabilities.yaml');
    expect(find()).toBe(own);
  });

  test('outside a work tree only the working directory counts', () => {
    put('repo', 'src', 'capabilities.yaml');
    const own = put('home', '.config', 'capwrap', 'capabilities.yaml');
    expect(find()).toBe(own);
    const here = put('repo', 'src', 'lib', 'capabilities.yaml');
    expect(find()).toBe(here);
  });

  test('an absolute XDG_CONFIG_HOME replaces ~/.config, a relative one does not', () => {
    const own = put('home', '.config', 'capwrap', 'capabilities.yaml');
    const xdg = put('xdg', 'capwrap', 'capabilities.yaml');
    expect(find(undefined, { XDG_CONFIG_HOME: join(top, 'xdg') })).toBe(xdg);
    expect(find(undefined, { XDG_CONFIG_HOME: '../../../xdg' })).toBe(own);
  });

  test('a dangling link is still the map: another one must not grant in its place', () => {
    put('home', '.config', 'capwrap', 'capabilities.yaml');
    const link = join(deep, 'capabilities.yaml');
    symlinkSync('gone', link);
    expect(find()).toBe(link);
    expect(() => readMapFile(link, ambientOf({ cwd: deep }))).toThrow(
      expect.objectContaining({ code: 'ERR_MAP_NOT_FOUND' }),
    );
  });

  test('an explicit path is taken relative to the working directory, whether it exists or not', () => {
    put('repo', 'src', 'lib', 'capabilities.yaml');
    expect(find('../other.yaml')).toBe(join(top, 'repo', 'src', 'other.yaml'));
    expect(() => find('')).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  test('where there is none, the message lists each place', () => {
    mkdirSync(join(top, 'repo', '.git'));
    const places = [
      join(deep, 'capabilities.yaml'),
      join(top, 'repo', 'src', 'capabilities.yaml'),
      join(top, 'repo', 'capabilities.yaml'),
      join(top, 'home', '.config', 'capwrap', 'capabilities.yaml'),
      '/etc/capwrap/capabilities.yaml',
    ];
    expect(() => find()).toThrow(
      expect.objectContaining({
        code: 'ERR_MAP_NOT_FOUND',
        message: `"capabilities.yaml" was not found; looked for ${places.join(', ')}`,
        hint: 'capwrap init',
      }),
    );
  });

  test('the root of a work tree', () => {
    expect(workTreeRoot(deep)).toBe(null);
    mkdirSync(join(top, 'repo', '.git'));
    expect(workTreeRoot(deep)).toBe(join(top, 'repo'));
  });
});

describe('what is read', () => {
  const read = (path: string, uid = process.getuid?.() ?? -1) =>
    readMapFile(path, ambientOf({ cwd: deep, uid }));

  test('the bytes with their digest, under the canonical path of a linked map', () => {
    const map = put('repo', 'capabilities.yaml');
    const link = join(deep, 'capabilities.yaml');
    symlinkSync(map, link);
    expect(read(link)).toEqual({
      path: map,
      dir: join(top, 'repo'),
      bytes: Buffer.from('version: 1\n'),
      sha256: createHash('sha256').update('version: 1\n').digest('hex'),
      adminOwned: false,
    });
    expect(pinnedPathOf(link)).toBe(map);
    expect(pinnedPathOf(join(deep, 'gone'))).toBe(join(deep, 'gone'));
  });

  test('a later edit changes nothing in what was read', () => {
    const map = put('repo', 'capabilities.yaml');
    const before = read(map);
    writeFileSync(map, 'version: 2\n');
    expect(before.bytes.toString()).toBe('version: 1\n');
    expect(read(map).sha256).not.toBe(before.sha256);
  });

  test('a map of 1 MiB, and none larger', () => {
    const map = put('repo', 'capabilities.yaml');
    truncateSync(map, MAX_MAP_BYTES);
    expect(read(map).bytes).toHaveLength(MAX_MAP_BYTES);
    truncateSync(map, MAX_MAP_BYTES + 1);
    expect(() => read(map)).toThrow(expect.objectContaining({ code: 'ERR_MAP_UNSAFE' }));
  });

  test('a folder that everybody may write makes the map unsafe', () => {
    const map = put('repo', 'capabilities.yaml');
    chmodSync(join(top, 'repo'), 0o777);
    expect(() => read(map)).toThrow(
      expect.objectContaining({
        code: 'ERR_MAP_UNSAFE',
        message: `"${top}/repo" can be written by everybody`,
      }),
    );
  });

  test('a file of root is admin-owned for everybody but root', () => {
    expect(read('/etc/passwd', 1000).adminOwned).toBe(true);
    expect(read('/etc/passwd', 0).adminOwned).toBe(false);
  });
});

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ISOLATION_NAMES } from '../../src/policy/isolation-names.ts';
import { createIsolation } from '../../src/runner/isolation.ts';
import { tempDir } from '../helpers/cli.ts';

describe('createIsolation', () => {
  it('sets every name of the list, to things that are empty', () => {
    const isolation = createIsolation(tempDir(), 'lease1', { privateHome: true });
    expect(Object.keys(isolation.variables).sort()).toEqual([...ISOLATION_NAMES].sort());
    for (const value of [...Object.values(isolation.variables), isolation.home ?? '']) {
      if (!value.startsWith('/')) continue;
      const stat = lstatSync(value);
      expect(stat.isDirectory() ? readdirSync(value).length : stat.size).toBe(0);
      expect(stat.mode & 0o077).toBe(0);
    }
    isolation.remove();
  });

  it('gives no HOME where the map leaves it the caller’s', () => {
    expect(createIsolation(tempDir(), 'lease1', { privateHome: false }).home).toBeNull();
  });

  it('is gone afterwards, whatever the child left, and nothing outside is touched', () => {
    const state = tempDir();
    const outside = tempDir();
    writeFileSync(join(outside, 'keep'), 'kept');
    chmodSync(outside, 0o755);
    const isolation = createIsolation(state, 'lease1', { privateHome: true });
    const home = isolation.home ?? '';
    mkdirSync(join(home, 'go', 'mod'), { recursive: true });
    writeFileSync(join(home, 'go', 'mod', 'file'), 'x', { mode: 0o400 });
    symlinkSync(outside, join(home, 'go', 'link'));
    chmodSync(join(home, 'go', 'mod'), 0o500);
    chmodSync(join(home, 'go'), 0o100);
    isolation.remove();
    expect(readdirSync(join(state, 'runs'))).toEqual([]);
    expect(readFileSync(join(outside, 'keep'), 'utf8')).toBe('kept');
    expect(lstatSync(outside).mode & 0o777).toBe(0o755);
    isolation.remove(); // a second time is harmless
  });

  it('removes what a run that died left behind, and not what a live one uses', () => {
    const state = tempDir();
    const live = createIsolation(state, 'live', { privateHome: false });
    const dead = createIsolation(state, 'dead', { privateHome: true });
    const owner = join(dead.home ?? '', '..', 'owner');
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(owner, readFileSync(owner, 'utf8').replace(/^\d+/, String(ended)));
    const next = createIsolation(state, 'next', { privateHome: false });
    expect(readdirSync(join(state, 'runs')).sort()).toEqual(['live', 'next']);
    live.remove();
    next.remove();
  });

  it('leaves a folder without an owner for a minute: it is just being made', () => {
    const state = tempDir();
    const half = join(state, 'runs', 'half');
    mkdirSync(half, { recursive: true });
    createIsolation(state, 'one', { privateHome: false }).remove();
    expect(existsSync(half)).toBe(true);
    const old = new Date(Date.now() - 120_000);
    utimesSync(half, old, old);
    createIsolation(state, 'two', { privateHome: false }).remove();
    expect(existsSync(half)).toBe(false);
  });

  it('refuses a lease id that is in use', () => {
    const state = tempDir();
    createIsolation(state, 'one', { privateHome: false });
    expect(() => createIsolation(state, 'one', { privateHome: false })).toThrow(
      expect.objectContaining({ code: 'ERR_STATE_UNSAFE' }),
    );
  });

  it('refuses a link in the place of its folder', () => {
    const state = tempDir();
    symlinkSync(tempDir(), join(state, 'runs'));
    expect(() => createIsolation(state, 'one', { privateHome: false })).toThrow(/symbolic link/);
  });
});

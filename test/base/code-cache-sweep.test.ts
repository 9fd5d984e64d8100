/** Which files of the folder of compiled code are taken for leftovers. */
import {
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sweepCompiledCode } from '../../src/base/code-cache-sweep.ts';
import { tempDir } from '../helpers/cli.ts';

const DAY = 24 * 3600;
const NOW = Date.parse('2026-06-01T00:00:00Z');
const daysAgo = (days: number) => NOW / 1000 - days * DAY;

it.each([
  ['a.js.bin', 31, false],
  ['a.js.bin', 29, true],
  ['a.js.bin.77', 1.1, false],
  ['a.js.bin.77', 0.9, true],
  ['in-use.js.bin', 400, true],
  ['of-the-future.js.bin', -400, true],
  ['a.js.bin.part', 400, true],
  ['notes', 400, true],
  ['.bin.d', 400, true],
])('%s, %d days old: stays is %s', (name, days, stays) => {
  const path = join(tempDir(), name);
  writeFileSync(path, '');
  utimesSync(path, daysAgo(days), daysAgo(days));
  sweepCompiledCode(join(path, '..'), new Set(['in-use.js.bin']), NOW);
  expect(existsSync(path)).toBe(stays);
});

it('leaves links, what they lead to, and folders', () => {
  const folder = tempDir();
  const target = join(tempDir(), 'target.bin');
  writeFileSync(target, '');
  utimesSync(target, daysAgo(400), daysAgo(400));
  symlinkSync(target, join(folder, 'link.bin'));
  lutimesSync(join(folder, 'link.bin'), daysAgo(400), daysAgo(400));
  mkdirSync(join(folder, 'folder.bin'));
  utimesSync(join(folder, 'folder.bin'), daysAgo(400), daysAgo(400));
  sweepCompiledCode(folder, new Set(), NOW);
  expect(existsSync(target)).toBe(true);
  expect(lstatSync(join(folder, 'link.bin')).isSymbolicLink()).toBe(true);
  expect(existsSync(join(folder, 'folder.bin'))).toBe(true);
});

it('says nothing of a folder that is not there', () => {
  expect(() => sweepCompiledCode(join(tempDir(), 'absent'), new Set(), NOW)).not.toThrow();
});

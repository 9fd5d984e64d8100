/** Which folders on the way are nobody else's to change. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownFolderIn } from '../../src/base/own-folder.ts';
import { tempDir } from '../helpers/cli.ts';

const UID = process.getuid?.() ?? -1;
const GID = process.getgid?.() ?? -1;
const ME = { uid: UID, gid: GID };
const NAMES = ['.cache', 'capwrap', 'code'];

/** A home whose `.cache` is there. */
function homeWith(mode: number): string {
  const home = tempDir();
  mkdirSync(join(home, '.cache'));
  chmodSync(join(home, '.cache'), mode);
  return home;
}

it('makes what is missing, for the user alone', () => {
  const home = tempDir();
  expect(ownFolderIn(home, NAMES, ME)).toBe(join(home, ...NAMES));
  expect(statSync(join(home, '.cache')).mode & 0o777).toBe(0o700);
});

it.each([
  [0o755, true],
  [0o757, false],
  [0o775, false],
  [0o1777, true],
  [0o1775, true],
])('a folder on the way with mode %o, of a group of many: is taken is %s', (mode, taken) => {
  const home = homeWith(mode);
  expect(ownFolderIn(home, NAMES, { uid: UID, gid: GID + 1 }) !== null).toBe(taken);
  expect(existsSync(join(home, '.cache', 'capwrap'))).toBe(taken);
});

describe.skipIf(UID !== 0)('of other users (asked as root only)', () => {
  it.each([
    ['their private group', 4242, 4242, true],
    ['their primary group, with another number', 4242, 100, false],
    ['a group beside their own', 100, 4242, false],
  ])('a folder that can be written by %s', (_, group, primary, taken) => {
    const home = homeWith(0o775);
    for (const folder of [home, join(home, '.cache')]) chownSync(folder, 4242, group);
    mkdirSync(join(home, '.cache', 'capwrap', 'code'), { recursive: true, mode: 0o700 });
    for (const names of [NAMES.slice(0, 2), NAMES]) chownSync(join(home, ...names), 4242, primary);
    const folder = ownFolderIn(home, NAMES, { uid: 4242, gid: primary });
    expect(folder !== null).toBe(taken);
  });

  it("root's group is nobody's own", () => {
    expect(ownFolderIn(homeWith(0o775), NAMES, ME)).toBeNull();
  });

  it('a link of theirs is not followed, one of the user is', () => {
    const home = tempDir();
    const elsewhere = tempDir();
    chmodSync(home, 0o1777);
    symlinkSync(elsewhere, join(home, '.cache'));
    lchownSync(join(home, '.cache'), 4242, 4242);
    expect(ownFolderIn(home, NAMES, ME)).toBeNull();
    expect(readdirSync(elsewhere)).toEqual([]);
    lchownSync(join(home, '.cache'), UID, GID);
    expect(ownFolderIn(home, NAMES, ME)).toBe(join(home, ...NAMES));
  });
});

import {
  chmodSync,
  chownSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { type FileTerms, readJudgedFile } from '../../src/base/judged-file.ts';
import { CapwrapError } from '../../src/errors.ts';
import { tempDir } from '../helpers/cli.ts';

const UID = process.getuid?.() ?? -1;
const GID = process.getgid?.() ?? -1;
const IS_ROOT = UID === 0;
const STRANGER = 65_534;

const TERMS: FileTerms = {
  owners: [0, UID],
  ownGroup: GID,
  maxBytes: 1024,
  codes: { missing: 'ERR_MAP_NOT_FOUND', unreadable: 'ERR_MAP_UNREADABLE', unsafe: 'ERR_MAP_UNSAFE' },
};

let dir: string;
let file: string;

beforeEach(() => {
  dir = join(tempDir(), 'a', 'b');
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  file = join(dir, 'file');
  writeFileSync(file, 'content', { mode: 0o644 });
});

function fault(
  path: string,
  terms: Partial<FileTerms> = {},
): { code: string; message: string; hint?: string } {
  try {
    readJudgedFile(path, { ...TERMS, ...terms });
  } catch (error) {
    if (!(error instanceof CapwrapError)) throw error;
    return { code: error.code, message: error.message, ...(error.hint ? { hint: error.hint } : {}) };
  }
  throw new Error(`"${path}" was read`);
}

describe('what is read', () => {
  test('a file of the running user', () => {
    expect(readJudgedFile(file, TERMS)).toMatchObject({ path: file, bytes: Buffer.from('content') });
  });

  test('an empty file', () => {
    truncateSync(file, 0);
    expect(readJudgedFile(file, TERMS).bytes).toHaveLength(0);
  });

  test('a file of exactly the largest size', () => {
    truncateSync(file, 1024);
    expect(readJudgedFile(file, TERMS).bytes).toHaveLength(1024);
  });

  test('a symbolic link, by its canonical path', () => {
    const link = join(tempDir(), 'link');
    symlinkSync(file, link);
    expect(readJudgedFile(link, TERMS).path).toBe(file);
  });

  test.each([
    { name: 'a file that the own group may write', path: () => file, mode: 0o664 },
    { name: 'a file below a folder that the own group may write', path: () => dir, mode: 0o775 },
    { name: 'a file below a sticky folder that everybody may write', path: () => dirname(dir), mode: 0o1777 },
  ])('$name', ({ path, mode }) => {
    chownSync(path(), UID, GID);
    chmodSync(path(), mode);
    expect(readJudgedFile(file, TERMS)).toMatchObject({ path: file, rootOnly: false });
  });

  test("a file that is root's alone is told apart", () => {
    expect(readJudgedFile('/etc/passwd', { ...TERMS, maxBytes: 1024 * 1024 }).rootOnly).toBe(true);
    expect(readJudgedFile(file, TERMS).rootOnly).toBe(false); // below the sticky folder for temporary files
  });
});

describe('what is refused, and how that is said', () => {
  test.each([
    {
      path: () => file,
      mode: 0o646,
      message: () => `"${file}" can be written by everybody`,
      hint: 'chmod o-w',
    },
    {
      path: () => dir,
      mode: 0o757,
      message: () => `"${dir}" can be written by everybody`,
      hint: 'chmod o-w',
    },
    {
      path: () => dirname(dir),
      mode: 0o757,
      message: () => `"${dirname(dir)}" can be written by everybody`,
      hint: 'chmod o-w',
    },
  ])('mode $mode, owner as it should be', ({ path, mode, message, hint }) => {
    chmodSync(path(), mode);
    expect(fault(file)).toEqual({
      code: 'ERR_MAP_UNSAFE',
      message: message(),
      hint: `${hint} ${path()}`,
    });
  });

  test.each([
    { name: 'the file', path: () => file, mode: 0o664 },
    { name: 'a folder above it', path: () => dirname(dir), mode: 0o775 },
  ])('a group that may write $name', ({ path, mode }) => {
    chmodSync(path(), mode);
    chownSync(path(), UID, GID);
    expect(fault(file, { ownGroup: null })).toEqual({
      code: 'ERR_MAP_UNSAFE',
      message: `"${path()}" can be written by group ${GID}`,
      hint: `chmod g-w ${path()}`,
    });
  });

  test.skipIf(!IS_ROOT).each([
    { name: 'the file', path: () => file },
    { name: 'a folder above it', path: () => dirname(dir) },
  ])('a foreign owner of $name (needs root to make one)', ({ path }) => {
    chownSync(path(), STRANGER, STRANGER);
    expect(fault(file)).toEqual({
      code: 'ERR_MAP_UNSAFE',
      message: `"${path()}" belongs to user ${STRANGER}, not root`,
      hint: `sudo chown ${UID} ${path()}`,
    });
  });

  test.skipIf(!IS_ROOT)('a sticky folder of a foreign owner (needs root to make one)', () => {
    chownSync(dir, STRANGER, STRANGER);
    chmodSync(dir, 0o1777);
    expect(fault(file).message).toBe(`"${dir}" belongs to user ${STRANGER}, not root`);
  });

  test('an owner that is not among those allowed', () => {
    if (IS_ROOT) chownSync(file, STRANGER, STRANGER);
    const owner = IS_ROOT ? STRANGER : UID;
    expect(fault(file, { owners: [0] }).message).toBe(`"${file}" belongs to user ${owner}, not root`);
    expect(fault(file, { owners: [0, 4242] })).toEqual({
      code: 'ERR_MAP_UNSAFE',
      message: `"${file}" belongs to user ${owner}, neither root nor the running user`,
      hint: `sudo chown 4242 ${file}`,
    });
  });

  test('a link from a safe place to a folder that everybody may write', () => {
    const link = join(tempDir(), 'link');
    symlinkSync(file, link);
    chmodSync(dir, 0o777);
    expect(fault(link).message).toBe(`"${dir}" can be written by everybody`);
  });

  test('one byte too many', () => {
    truncateSync(file, 1025);
    expect(fault(file)).toEqual({ code: 'ERR_MAP_UNSAFE', message: `"${file}" is larger than 1024 bytes` });
  });

  test.skipIf(IS_ROOT)('a file that may not be read (root may read all)', () => {
    chmodSync(file, 0o000);
    expect(fault(file)).toEqual({
      code: 'ERR_MAP_UNREADABLE',
      message: `"${file}" can't be read (EACCES)`,
    });
  });

  test.each([
    { name: 'nothing', make: () => {}, code: 'ERR_MAP_NOT_FOUND', why: 'does not exist' },
    {
      name: 'a dangling link',
      make: (path: string) => symlinkSync('gone', path),
      code: 'ERR_MAP_NOT_FOUND',
      why: 'does not exist',
    },
    {
      name: 'a link to itself',
      make: (path: string) => symlinkSync(path, path),
      code: 'ERR_MAP_UNREADABLE',
      why: "can't be read (ELOOP)",
    },
    {
      name: 'a folder',
      make: (path: string) => mkdirSync(path),
      code: 'ERR_MAP_UNSAFE',
      why: 'is not a regular file',
    },
  ])('$name', ({ make, code, why }) => {
    const path = join(dir, 'other');
    make(path);
    expect(fault(path)).toEqual({ code, message: `"${path}" ${why}` });
  });

  test('a path through a file', () => {
    expect(fault(join(file, 'x')).code).toBe('ERR_MAP_NOT_FOUND');
  });

  test('a FIFO that nobody writes to, without waiting for a writer', async () => {
    const path = join(dir, 'fifo');
    await execa('mkfifo', [path]);
    expect(fault(path)).toEqual({ code: 'ERR_MAP_UNSAFE', message: `"${path}" is not a regular file` });
  });

  test('a socket', async () => {
    const path = join(dir, 'socket');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    expect(fault(path)).toEqual({ code: 'ERR_MAP_UNSAFE', message: `"${path}" is not a regular file` });
    await new Promise((resolve) => server.close(resolve));
  });

  test.each(['/dev/zero', '/dev/null'])('the device %s', (path) => {
    expect(fault(path)).toEqual({
      code: 'ERR_MAP_UNSAFE',
      message: `"${realpathSync(path)}" is not a regular file`,
    });
  });

  test('hints hold the path as a shell would need it', () => {
    const odd = join(dir, "it's");
    writeFileSync(odd, '');
    chmodSync(odd, 0o666);
    expect(fault(odd).hint).toBe(`chmod o-w '${dir}/it'\\''s'`);
  });
});

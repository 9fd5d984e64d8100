import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { assertUnchanged, boundFiles } from '../../src/approval/bound-files.ts';
import { resolveCommand } from '../../src/runner/resolve-command.ts';
import { tempDir } from '../helpers/cli.ts';
import { uid } from './samples.ts';

let dir = '';
beforeEach(() => {
  dir = tempDir();
});

const MB = 1024 * 1024;

function file(name: string, content = name, mode = 0o644): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function bound(...argv: readonly string[]) {
  const path = `${dir}/bin:/bin:/usr/bin`;
  return boundFiles(resolveCommand(argv, { cwd: dir, path, sha256: false }), path);
}

/** What is approved of a command, and the check of it before the command starts. */
function approved(...argv: readonly string[]) {
  const path = `${dir}/bin:/bin:/usr/bin`;
  const command = resolveCommand(argv, { cwd: dir, path, sha256: false });
  const files = boundFiles(command, path);
  return { check: () => assertUnchanged(files, command, path) };
}

const paths = (...argv: readonly string[]) => bound(...argv).map(({ path }) => path);
const below = (...names: readonly string[]) => names.map((name) => `${dir}/${name}`);

describe('the program', () => {
  test('is bound by its content', () => {
    const path = file('tool', '#!/bin/sh\necho\n', 0o755);
    expect(bound('./tool')[0]).toEqual({
      path,
      sha256: createHash('sha256').update('#!/bin/sh\necho\n').digest('hex'),
      bytes: 15,
      modified: null,
    });
  });

  test('comes with all that interprets it, in their order', () => {
    mkdirSync(join(dir, 'bin'));
    file('bin/inner', '#!/bin/sh\n', 0o755);
    file('outer', `#!/usr/bin/env inner\n`, 0o755);
    expect(paths('./outer')).toEqual([...below('outer'), '/usr/bin/env', ...below('bin/inner'), '/bin/sh']);
  });

  test('that interprets itself is bound once, and ends', () => {
    file('loop', `#!${join(dir, 'loop')}\n`, 0o755);
    expect(
      boundFiles(
        { argv: ['./loop'], cwd: dir, path: join(dir, 'loop'), fault: null, sha256: null },
        undefined,
      ),
    ).toHaveLength(1);
  });

  test('that is not there leaves what the words name', () => {
    file('x.sh');
    expect(paths('./none', 'x.sh')).toEqual(below('x.sh'));
  });
});

describe('a word names a file', () => {
  const words: readonly [string, readonly string[]][] = [
    ['x.sh', ['x.sh']],
    ['./x.sh', ['x.sh']],
    ['--file=x.sh', ['x.sh']],
    ['--file=./sub/y', ['sub/y']],
    ['VAR=x.sh', ['x.sh']],
    ['a=b', ['a=b', 'b']],
    ['--file=a=b', ['a=b', 'b']],
    ['sub/z=b', ['sub/z=b', 'b']],
    ['-fx.sh', ['x.sh']],
    ['@x.sh', ['x.sh']],
    ['-d@x.sh', ['x.sh']],
    ['--body=@x.sh', ['x.sh']],
    ['file://x.sh', ['x.sh']],
    ['fileb://sub/y', ['sub/y']],
    ['', []],
    ['=', []],
    ['--', []],
    ['none', []],
    ['x.sh\0', []],
    ['--file=x.sh\0', []],
    ['.', []],
    ['sub', []],
    ['sub/../x.sh', ['sub/../x.sh']],
    ['--file=sub/../x.sh', ['sub/../x.sh']],
    ['aside/../x.sh', ['aside/../x.sh']],
    ['x.sh/', ['x.sh']],
    ['/dev/null', []],
    ['/dev/zero', []],
    ['fifo', []],
    ['dangling', []],
    ['loop', []],
    ['link', ['link']],
    ['x'.repeat(5000), []],
  ];
  test.each(words)('%j', (word, names) => {
    mkdirSync(join(dir, 'sub'));
    for (const name of ['x.sh', 'sub/y', 'sub/z=b', 'a=b', 'b']) file(name);
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    symlinkSync('nowhere', join(dir, 'dangling'));
    symlinkSync('loop', join(dir, 'loop'));
    symlinkSync('x.sh', join(dir, 'link'));
    symlinkSync('sub', join(dir, 'aside'));
    expect(paths('/bin/cat', word)).toEqual(
      ['/bin/cat', ...below(...names)].map((path) => path.replace(/^\/bin/, BIN)),
    );
  });

  test('where the kernel finds it, not where the word seems to lead', () => {
    mkdirSync(join(dir, 'evil/below'), { recursive: true });
    symlinkSync('evil/below', join(dir, 'link'));
    file('x.sh', 'good');
    file('evil/x.sh', 'EVIL');
    const [bad] = bound('./none', 'link/../x.sh');
    expect(bad?.sha256).toBe(createHash('sha256').update('EVIL').digest('hex'));
  });

  test('once, however often it is said', () => {
    file('x.sh');
    expect(paths('./none', 'x.sh', './x.sh', '--file=x.sh', join(dir, 'x.sh'))).toEqual(below('x.sh'));
  });

  test('up to 256 files, and no more: what is not bound could be changed', () => {
    const names = Array.from({ length: 257 }, (_, n) => `f${n}`);
    for (const name of names) file(name, '');
    expect(paths('./none', ...names.slice(1))).toEqual(below(...names.slice(1)));
    expect(() => bound('./none', ...names)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  test.skipIf(uid === 0)('that can not be read, and it is left out', () => {
    file('secret', 'x', 0o000);
    expect(paths('./none', 'secret')).toEqual([]);
  });
});

/** Where /bin is a link to /usr/bin, that is where its programs are. */
const BIN = execFileSync('readlink', ['-f', '/bin'], { encoding: 'utf8' }).trim();

describe('a FIFO that a word names', () => {
  let writer: ChildProcess | undefined;

  test('is left alone: whoever waits to write to it goes on waiting', async () => {
    const fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    writer = spawn('/bin/sh', ['-c', `echo ready; exec > "$0"; trap "" PIPE; echo one; echo two`, fifo], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise<number | null>((resolve) => writer?.once('exit', resolve));
    await new Promise((resolve) => writer?.stdout?.once('data', resolve));
    for (let n = 0; n < 200; n++) expect(paths('./none', 'fifo', 'fifo')).toEqual([]);
    expect(execFileSync('/bin/cat', [fifo], { encoding: 'utf8', timeout: 5000 })).toBe('one\ntwo\n');
    expect(await ended).toBe(0);
  });
});

describe('a file above the limit', () => {
  test('is bound by its size and time, and not read', () => {
    const path = file('large');
    truncateSync(path, 64 * MB + 1);
    utimesSync(path, 1_767_225_600, 1_767_225_600); // which its owner can
    expect(bound('./none', 'large')).toEqual([
      {
        path,
        sha256: null,
        bytes: 64 * MB + 1,
        modified: expect.stringContaining(statSync(path).ctime.toISOString().slice(0, 19)),
      },
    ]);
  });

  test('is told from itself when it was written to', () => {
    const path = file('large');
    truncateSync(path, 64 * MB + 1);
    const { check } = approved('./none', 'large');
    utimesSync(path, 1_767_225_600, 1_767_225_600);
    expect(check).toThrow(`"${path}" changed after the approval`);
  });
});

describe('what was approved', () => {
  function instead(path: string, make: () => unknown): void {
    rmSync(path);
    make();
  }

  const changes: readonly [string, (path: string) => void][] = [
    ['replaced by one of the same size', (path) => renameSync(file('other', 'EVIL'), path)],
    ['written to in place', (path) => writeFileSync(path, 'EVIL')],
    ['made longer', (path) => writeFileSync(path, 'good!')],
    ['removed', (path) => rmSync(path)],
    ['made a folder', (path) => instead(path, () => mkdirSync(path))],
    ['made a FIFO', (path) => instead(path, () => execFileSync('mkfifo', [path]))],
    ['made a link to another', (path) => instead(path, () => symlinkSync(file('other', 'EVIL'), path))],
    ['grown above the limit', (path) => truncateSync(path, 64 * MB + 1)],
  ];
  test.each(changes)('is refused when it was %s', (_what, change) => {
    const path = file('x.sh', 'good');
    const { check } = approved('./none', 'x.sh');
    check();
    change(path);
    expect(check).toThrow(
      expect.objectContaining({
        code: 'ERR_COMMAND_CHANGED',
        message: `"${path}" changed after the approval`,
        hint: `sha256sum ${path}`,
      }),
    );
  });

  test('is the content: a new file with the same one is the same', () => {
    const path = file('x.sh', 'good');
    const { check } = approved('./none', 'x.sh');
    renameSync(file('other', 'good'), path);
    check();
  });

  test('had no file where one came to be', () => {
    const { check } = approved('./none', 'later.sh', '--file=later.yaml');
    check();
    const path = file('later.yaml');
    expect(check).toThrow(`"${path}" changed after the approval`);
  });

  test('had another interpreter, where PATH leads to one before it now', () => {
    mkdirSync(join(dir, 'bin'));
    file('script', '#!/usr/bin/env cat\n', 0o755);
    const { check } = approved('./script');
    check();
    const path = file('bin/cat', '#!/bin/sh\n', 0o755);
    expect(check).toThrow(`"${path}" changed after the approval`);
  });

  test('is the folder, too: a swap of one above the file shows', () => {
    mkdirSync(join(dir, 'sub'));
    mkdirSync(join(dir, 'evil'));
    file('sub/x.sh', 'good');
    file('evil/x.sh', 'EVIL');
    const { check } = approved('./none', 'sub/x.sh');
    renameSync(join(dir, 'sub'), join(dir, 'gone'));
    symlinkSync('evil', join(dir, 'sub'));
    expect(check).toThrow('changed after the approval');
  });
});

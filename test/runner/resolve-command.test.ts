import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_PATH } from '../../src/base/system-path.ts';
import { commandError } from '../../src/runner/command-error.ts';
import { recheck, resolveCommand } from '../../src/runner/resolve-command.ts';
import { tempDir } from '../helpers/cli.ts';

let dir = '';

beforeEach(() => {
  dir = tempDir();
  mkdirSync(join(dir, 'bin'));
  mkdirSync(join(dir, 'folder'));
  file('bin/tool', '#!/bin/sh\n');
  file('bin/plain', '#!/bin/sh\n', 0o644);
});

function file(name: string, content: string, mode = 0o755): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function resolve(name: string, options: { path?: string | undefined; sha256?: boolean } = {}) {
  const path = 'path' in options ? options.path : `${join(dir, 'bin')}:/bin:/usr/bin`;
  return resolveCommand([name, 'arg'], { cwd: dir, path, sha256: options.sha256 ?? false });
}

describe('finding the program', () => {
  it('looks a bare name up on the child’s PATH', () => {
    expect(resolve('tool')).toEqual({
      argv: ['tool', 'arg'],
      cwd: dir,
      path: join(dir, 'bin', 'tool'),
      fault: null,
      sha256: null,
    });
  });

  it('walks links as the kernel does: what is behind one stands next to what it leads to', () => {
    mkdirSync(join(dir, 'elsewhere', 'deep'), { recursive: true });
    file('elsewhere/tool', '#!/bin/sh\n');
    file('tool', '#!/bin/sh\n');
    symlinkSync(join(dir, 'elsewhere', 'deep'), join(dir, 'link'));
    expect(resolve('link/../tool').path).toBe(join(dir, 'elsewhere', 'tool'));
    expect(resolve('tool', { path: 'link/..' }).path).toBe(join(dir, 'elsewhere', 'tool'));
    expect(resolve(`${dir}/link/../../tool`).path).toBe(join(dir, 'tool'));
  });

  it('takes a word with a slash as a path from the working directory', () => {
    expect(resolve('./bin/tool').path).toBe(join(dir, 'bin', 'tool'));
    expect(resolve('bin/../bin/tool').path).toBe(join(dir, 'bin', 'tool'));
  });

  it('goes past what can’t be started, as execvp does', () => {
    file('bin/sh', 'not executable', 0o644);
    expect(resolve('sh').fault).toBeNull();
    expect(resolve('sh').path).not.toBe(join(dir, 'bin', 'sh'));
  });

  it('tells a link that leads nowhere from one that leads back to itself', () => {
    symlinkSync('nowhere', join(dir, 'dangling'));
    symlinkSync('loop', join(dir, 'loop'));
    expect(resolve('./dangling').fault).toMatchObject({ kind: 'not_found' });
    expect(resolve('./loop').fault).toMatchObject({
      kind: 'not_executable',
      message: '"./loop" is a link that leads back to itself',
    });
  });

  it('takes an empty entry of PATH as the working directory', () => {
    file('here', '#!/bin/sh\n');
    expect(resolve('here', { path: '/nonexistent::' }).path).toBe(join(dir, 'here'));
    expect(resolve('here', { path: '/nonexistent' }).fault?.hint).toBe('write ./here');
  });

  it('uses the system’s path where the child has none', () => {
    expect(SYSTEM_PATH.split(':')).toContain('/bin');
    expect(resolve('sh', { path: undefined }).fault).toBeNull();
    expect(resolve('tool', { path: undefined }).fault?.kind).toBe('not_found');
  });

  it('resolves links in the folder and keeps the program’s own name', () => {
    symlinkSync(join(dir, 'bin'), join(dir, 'link'));
    symlinkSync('tool', join(dir, 'bin', 'other-name'));
    expect(resolve('./link/other-name').path).toBe(join(dir, 'bin', 'other-name'));
  });
});

/** [what, name, content of ./script or null, kind, exit status, message, hint] */
const FAULTS: readonly [
  string,
  string,
  string | null,
  string,
  number,
  RegExp,
  string | RegExp | undefined,
][] = [
  [
    'a name that is nowhere',
    'no-such-tool',
    null,
    'not_found',
    127,
    /^"no-such-tool" is not found on the child's PATH$/,
    /PATH/,
  ],
  [
    'a path that is nowhere',
    './no/such',
    null,
    'not_found',
    127,
    /^"\.\/no\/such" does not exist$/,
    undefined,
  ],
  ['an empty word', '', null, 'not_found', 127, /^"" is not found/, /PATH/],
  [
    'a file without permission',
    './bin/plain',
    null,
    'not_executable',
    126,
    /is not executable$/,
    'chmod +x ./bin/plain',
  ],
  [
    'the same, found by name',
    'plain',
    null,
    'not_executable',
    126,
    /bin\/plain" is not executable$/,
    /^chmod \+x \//,
  ],
  ['a folder', './folder', null, 'is_directory', 126, /is a folder/, undefined],
  ['a device', '/dev/null', null, 'not_executable', 126, /is not a regular file/, undefined],
  [
    'a missing interpreter',
    './script',
    '#!/no/such/interp -x\n',
    'interpreter_missing',
    127,
    /needs the interpreter "\/no\/such\/interp"/,
    'ls -l /no/such/interp',
  ],
  [
    'one that env does not find',
    './script',
    '#!/usr/bin/env no-such-lang\n',
    'interpreter_missing',
    127,
    /"no-such-lang", which is not on the child's PATH/,
    /PATH/,
  ],
  [
    'one that env -S does not find',
    './script',
    '#!/usr/bin/env -S -u A B=1 no-such-lang -x\n',
    'interpreter_missing',
    127,
    /"no-such-lang"/,
    /PATH/,
  ],
  [
    'a CR at the end of the line',
    './script',
    '#!/bin/sh\r\necho\r\n',
    'interpreter_crlf',
    127,
    /has a CR/,
    /^sed -i 's\/\\r\$\/\/' \//,
  ],
  [
    'a CR behind an argument',
    './script',
    '#!/usr/bin/env sh\r\n',
    'interpreter_crlf',
    127,
    /has a CR/,
    /^sed/,
  ],
];

describe('telling why it can’t be started', () => {
  it.each(FAULTS)('%s', (_what, name, content, kind, status, message, hint) => {
    if (content !== null) file('script', content);
    const { fault } = resolve(name);
    expect(fault?.kind).toBe(kind);
    expect(fault?.message).toMatch(message);
    if (hint === undefined) expect(fault?.hint).toBeUndefined();
    else expect(fault?.hint).toMatch(hint);
    expect(fault && commandError(fault).exitStatus).toBe(status);
  });

  it('a working directory that is gone', () => {
    const gone = join(dir, 'gone');
    mkdirSync(gone);
    rmSync(gone, { recursive: true });
    const { fault, path } = resolveCommand(['sh'], { cwd: gone, path: '/bin', sha256: false });
    expect([fault?.kind, path]).toEqual(['cwd_missing', null]);
  });

  it('an interpreter that is a script with a fault of its own', () => {
    const interpreter = file('bin/interp', '#!/no/such/interp\n');
    file('script', `#!${interpreter}\n`);
    expect(resolve('./script').fault?.kind).toBe('interpreter_missing');
  });

  it.each([
    ['no #! line', 'echo hello\n'],
    ['an empty #! line', '#!\n'],
    ['an empty file', ''],
    ['blanks before the interpreter', '#! \t/bin/sh\n'],
    ['no line end', '#!/bin/sh'],
    ['env with options beyond this reading', '#!/usr/bin/env -i sh\n'],
    ['env -S with quotes', '#!/usr/bin/env -S "no such" x\n'],
    ['a binary', '\x7fELF\0\0\r\n'],
  ])('finds no fault in %s', (_what, content) => {
    file('script', content);
    expect(resolve('./script').fault).toBeNull();
  });

  it('finds no fault in a program that may be executed but not read', () => {
    file('script', '#!/bin/sh\n', 0o111);
    expect(resolve('./script').fault).toBeNull();
  });
});

describe('a pinned program', () => {
  it('has the digest of its content', () => {
    // printf '#!/bin/sh\n' | sha256sum
    const expected = 'a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf';
    expect(resolve('tool', { sha256: true }).sha256).toBe(expected);
  });

  it('must be the same right before it starts', () => {
    const command = resolve('tool', { sha256: true });
    recheck(command);
    file('bin/tool', '#!/bin/sh\n# changed\n');
    expect(() => recheck(command)).toThrow(
      expect.objectContaining({ code: 'ERR_COMMAND_CHANGED', exitStatus: 122 }),
    );
  });

  it('is not looked at again where nothing is pinned', () => {
    const command = resolve('tool');
    file('bin/tool', '#!/bin/sh\n# changed\n');
    expect(() => recheck(command)).not.toThrow();
  });
});

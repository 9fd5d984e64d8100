import { chmodSync, copyFileSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { watchCode } from '../../src/approval/watch-code.ts';
import { tempDir } from '../helpers/cli.ts';

function script(folder: string, name: string, text = '#!/bin/sh\n'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const command = (folder: string, path: string, ...argv: string[]) => ({
  argv: [path, ...argv],
  cwd: folder,
  path,
  fault: null,
  sha256: null,
});

test.each([
  ['written to', (path: string) => writeFileSync(path, '#!/bin/sh\n')],
  ['renamed over', (path: string, folder: string) => renameSync(script(folder, 'evil'), path)],
  [
    'renamed over and back',
    (path: string, folder: string) => {
      renameSync(path, `${path}.kept`);
      renameSync(script(folder, 'evil'), path);
      rmSync(path);
      renameSync(`${path}.kept`, path);
    },
  ],
  [
    'linked away and back',
    (path: string) => {
      linkSync(path, `${path}.link`);
      renameSync(`${path}.link`, path);
    },
  ],
  ['removed', (path: string) => rmSync(path)],
])('a program that was %s is told', (_what, change) => {
  const folder = tempDir();
  const path = script(folder, 'x.sh');
  const watch = watchCode(command(folder, path), '/bin:/usr/bin');
  expect(watch()).toBeNull();
  change(path, folder);
  expect(watch()).toBe(path);
});

test('the script of an interpreter is code, its other files are the command’s to write', () => {
  const folder = tempDir();
  const shell = join(folder, 'sh');
  copyFileSync('/bin/sh', shell);
  const path = script(folder, 'x.sh');
  const output = script(folder, 'out.txt', '');
  const watch = watchCode(command(folder, shell, './x.sh', './out.txt'), '/bin');
  writeFileSync(output, 'result');
  expect(watch()).toBeNull();
  writeFileSync(path, 'evil');
  expect(watch()).toBe(path);
});

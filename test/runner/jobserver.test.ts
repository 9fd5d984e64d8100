import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findJobserver } from '../../src/runner/jobserver.ts';

/** Descriptors of this process, by what they are. */
const fds = { read: -1, write: -1, file: -1, closed: -1 };
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'capwrap-jobserver-'));
  const [pipe, file] = [join(folder, 'pipe'), join(folder, 'file')];
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  writeFileSync(file, '');
  fds.read = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  fds.write = openSync(pipe, constants.O_WRONLY);
  fds.file = openSync(file, 'r');
  fds.closed = openSync(file, 'r');
  closeSync(fds.closed);
});
afterAll(() => {
  for (const fd of [fds.read, fds.write, fds.file]) closeSync(fd);
  rmSync(folder, { recursive: true, force: true });
});

/** R and W stand for the ends of a pipe, F for a file, C for what is closed. */
function withNumbers(text: string): string {
  const numbers = { R: fds.read, W: fds.write, F: fds.file, C: fds.closed };
  return text.replace(/\b[RWFC]\b(?=,|$| )/g, (letter) => String(numbers[letter as 'R']));
}

function find(makeflags: string | undefined, descriptors: readonly number[] | null = Object.values(fds)) {
  const flags = makeflags === undefined ? undefined : withNumbers(makeflags);
  return findJobserver(flags, descriptors && new Set(descriptors));
}

describe('a jobserver', () => {
  /** `flags`: all that the child gets. */
  const FOUND: readonly (readonly [what: string, makeflags: string, flags: string])[] = [
    ['of make 4.2 and 4.3', ' -j4 --jobserver-auth=R,W', ' -j4 --jobserver-auth=R,W'],
    ['of make 4.0 and 4.1', ' -j --jobserver-fds=R,W', ' -j --jobserver-auth=R,W'],
    ['of make 3.81', ' --jobserver-fds=R,W -j', ' -j --jobserver-auth=R,W'],
    ['without -j', '--jobserver-auth=R,W', ' -j --jobserver-auth=R,W'],
    ['after short options in one word', 'w -j --jobserver-auth=R,W', ' -j --jobserver-auth=R,W'],
    ['after short options that end with j', 'kwj8 --jobserver-auth=R,W', ' -j8 --jobserver-auth=R,W'],
    [
      'of which there are several',
      ' -j2 --jobserver-auth=C,C --jobserver-auth=R,W',
      ' -j2 --jobserver-auth=R,W',
    ],
    ['in both spellings', ' -j2 --jobserver-fds=C,C --jobserver-auth=R,W', ' -j2 --jobserver-auth=R,W'],
    [
      'of a named pipe',
      ' -j4 --jobserver-auth=fifo:/tmp/GMfifo77',
      ' -j4 --jobserver-auth=fifo:/tmp/GMfifo77',
    ],
    [
      'of a named pipe with signs in its name',
      ' -j4 --jobserver-auth=fifo:/tmp/a,b=c:d;e',
      ' -j4 --jobserver-auth=fifo:/tmp/a,b=c:d;e',
    ],
    ['before variables', ' -j4 --jobserver-auth=R,W -- SECRET=swordfish X=1', ' -j4 --jobserver-auth=R,W'],
    [
      'between code and folders',
      'ks --eval=$(shell\\ swordfish) -I swordfish -j4 --jobserver-auth=R,W -l2.5 -Oswordfish --debug=v',
      ' -j4 --jobserver-auth=R,W',
    ],
    [
      'before variables that look like another',
      ' -j4 --jobserver-auth=R,W -- X=swordfish\\ --jobserver-auth=fifo:/swordfish Y=1 --jobserver-fds=1,2',
      ' -j4 --jobserver-auth=R,W',
    ],
    ['with more than one blank', '  -j4   --jobserver-auth=R,W ', ' -j4 --jobserver-auth=R,W'],
    [
      'with more jobs than fit a number',
      ` -j${'9'.repeat(30)} --jobserver-auth=R,W`,
      ` -j${'9'.repeat(30)} --jobserver-auth=R,W`,
    ],
  ];
  it.each(FOUND)('%s is handed on, and nothing else', (_, makeflags, flags) => {
    const found = find(makeflags);
    expect(found?.makeflags).toBe(withNumbers(flags));
    expect(found?.descriptors).toEqual(flags.includes('fifo:') ? [] : [fds.read, fds.write]);
    expect(JSON.stringify(found)).not.toMatch(/swordfish|eval|SECRET/);
  });

  const NONE: readonly (readonly [what: string, makeflags: string | undefined])[] = [
    ['no MAKEFLAGS', undefined],
    ['empty MAKEFLAGS', ''],
    ['no jobserver', 'kw -j4'],
    ['descriptors that are closed, as for a recipe without "+"', ' -j4 --jobserver-auth=C,C'],
    ['one that is closed', ' -j4 --jobserver-auth=R,C'],
    ['one that is no pipe', ' -j4 --jobserver-auth=R,F'],
    ['none that is a pipe', ' -j4 --jobserver-auth=F,F'],
    ['negative numbers, as make says "none"', ' -j4 --jobserver-auth=-2,-2'],
    ['standard descriptors', ' -j4 --jobserver-auth=0,1'],
    ['one number', ' -j4 --jobserver-auth=R'],
    ['three numbers', ' -j4 --jobserver-auth=R,W,R'],
    ['numbers out of range', ' -j4 --jobserver-auth=99999,99999'],
    ['numbers in another notation', ' -j4 --jobserver-auth=0x3,0x4'],
    ['words', ' -j4 --jobserver-auth=a,b'],
    ['nothing', ' -j4 --jobserver-auth='],
    ['a relative named pipe', ' -j4 --jobserver-auth=fifo:tmp/x'],
    ['a named pipe that make would expand', ' -j4 --jobserver-auth=fifo:/$(shell\tx)'],
    ['a named pipe without a path', ' -j4 --jobserver-auth=fifo:'],
    ['a semaphore, as on Windows', ' -j4 --jobserver-auth=gmake_semaphore_77'],
    ['a jobserver in a variable only', ' -j4 -- X=1 --jobserver-auth=fifo:/swordfish'],
    ['a jobserver in a variable only, and no flags', ' -- X=1 --jobserver-auth=fifo:/swordfish'],
    ['a jobserver in a variable only, at the beginning', '-- X=1 --jobserver-auth=fifo:/swordfish'],
    ['a word that only ends like one', ' x--jobserver-auth=R,W'],
    ['the last of several that can’t be used', ' -j2 --jobserver-auth=R,W --jobserver-auth=C,C'],
    // A blank within a value is written with a backslash before it.
    ['a jobserver within code', ' -j4 --eval=X\\ --jobserver-auth=fifo:/swordfish'],
  ];
  it.each(NONE)('%s: there is none', (_, makeflags) => {
    expect(find(makeflags)).toBeNull();
  });

  it('is none where the caller has not left its descriptors open', () => {
    expect(find(' -j4 --jobserver-auth=R,W', [0, 1, 2, fds.read])).toBeNull();
    // Not known: the numbers may be Node's own.
    expect(find(' -j4 --jobserver-auth=R,W', null)).toBeNull();
    expect(find(' -j4 --jobserver-auth=fifo:/tmp/x', null)?.descriptors).toEqual([]);
  });
});

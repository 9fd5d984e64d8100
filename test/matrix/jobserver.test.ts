/** `make -j` with capwrap in its recipes: as parallel as without, and nothing of the caller's flags reaches a child. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTool } from '../helpers/tools.ts';
import { child, line, startPiped, useGround, WAYS, wrapped } from './ground.ts';

const ground = useGround();

const make = findTool('make');
const NO_MAKE =
  make !== null && spawnSync(make, ['--version'], { encoding: 'utf8' }).stdout.startsWith('GNU Make')
    ? null
    : 'needs GNU make';

/** A folder with makefiles; `$` for the shell is doubled, as make wants it. */
function makefiles(files: Readonly<Record<string, string>>): string {
  const folder = ground().fresh('make');
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
const recipe = (argv: readonly string[]) => line(argv).replaceAll('$', '$$$$');

async function runMake(
  folder: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const run = startPiped([make ?? 'make', '--no-print-directory', ...args], {
    cwd: folder,
    env: ground().shellEnv,
  });
  const { code } = await run.ended;
  return { code, out: run.out(), err: run.err() };
}

/** Recipes that wait for each other. */
const meeting = (way: (argv: readonly string[]) => readonly string[]) => `
all: one two
one: ; @${recipe(way(child('meet.sh', 'one.there', 'two.there')))}
two: ; @${recipe(way(child('meet.sh', 'two.there', 'one.there')))}
`;

describe.skipIf(NO_MAKE !== null)(`make -j${NO_MAKE === null ? '' : ` (skipped: ${NO_MAKE})`}`, () => {
  it('starts recipes at the same time', async () => {
    const folder = makefiles({ Makefile: meeting(WAYS['under capwrap']) });
    expect(await runMake(folder, ['-j4'])).toEqual({ code: 0, out: '', err: '' });
  });

  it('and a make under capwrap take their slots from one jobserver', async () => {
    const inner = recipe(wrapped(['make', '--no-print-directory', '-f', 'inner.mk']));
    const folder = makefiles({ Makefile: `all: ; +@${inner}\n`, 'inner.mk': meeting(WAYS.directly) });
    // Without the jobserver make says "jobserver unavailable", and the recipes wait in vain.
    expect(await runMake(folder, ['-j4'])).toEqual({ code: 0, out: '', err: '' });
  });

  it('gives an inner make no more slots than there are', async () => {
    // Two slots: the outer recipe has given its own to the inner make.
    const body = ': > "running.$$0"; set -- running.*; echo "$$#"; sleep 0.03; rm "running.$$0"';
    const targets = ['a', 'b', 'c', 'd', 'e', 'f'];
    const rules = targets.map((name) => `${name}: ; @sh -c '${body}' ${name}`).join('\n');
    const inner = recipe(wrapped(['make', '--no-print-directory', '-f', 'inner.mk']));
    const folder = makefiles({
      Makefile: `all: ; +@${inner}\n`,
      'inner.mk': `all: ${targets.join(' ')}\n${rules}\n`,
    });
    const { code, out, err } = await runMake(folder, ['-j2']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const counts = out.trim().split('\n').map(Number);
    expect(counts).toHaveLength(targets.length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
  });

  it('without a jobserver for the recipe lets an inner make work one by one', async () => {
    const inner = recipe(wrapped(['make', '--no-print-directory', '-f', 'inner.mk']));
    const folder = makefiles({ Makefile: `all: ; @${inner}\n`, 'inner.mk': 'all: a b\na b: ; @echo $@\n' });
    const { code, out } = await runMake(folder, ['-j4']);
    expect({ code, out }).toEqual({ code: 0, out: 'a\nb\n' });
  });

  it('hands on the jobserver and nothing else', async () => {
    const show = recipe(wrapped(['/usr/bin/env']));
    const folder = makefiles({ Makefile: `all: ; +@${show}\n` });
    const { code, out } = await runMake(folder, [
      '-j4',
      '-k',
      'SECRET=swordfish',
      '--eval=EVIL := swordfish',
      '-I',
      'swordfish',
    ]);
    expect(code).toBe(0);
    expect(out).not.toContain('swordfish');
    expect(out).toMatch(/^MAKEFLAGS= ?-j4 --jobserver-(?:auth|fds)=\S+$/m);
    expect(out).not.toMatch(/^(?:MFLAGS|MAKEOVERRIDES|MAKELEVEL|MAKEFILES|GNUMAKEFLAGS)=/m);
  });
});

describe('MAKEFLAGS', () => {
  /** [what, the caller's value, the child's]; FIFO is a named pipe. */
  const ROWS: readonly (readonly [string, string, RegExp | null])[] = [
    ['of a make without -j', 'k', null],
    ['with variables only', ' -- SECRET=swordfish', null],
    ['with a named pipe', ' -j4 --jobserver-auth=fifo:FIFO', /^ ?-j4 --jobserver-auth=fifo:FIFO$/],
    [
      'with a named pipe among other things',
      'kI swordfish -j4 --jobserver-auth=fifo:FIFO --eval=swordfish -- SECRET=swordfish',
      /^ ?-j4 --jobserver-auth=fifo:FIFO$/,
    ],
    ['with descriptors that are not open', ' -j4 --jobserver-auth=53,54', null],
    ['with descriptors that are no pipe', ' -j4 --jobserver-auth=0,2', null],
    ['with a jobserver in a variable’s value only', ' -- X=1 --jobserver-auth=fifo:FIFO', null],
    ['with a path that make would expand', ' -j4 --jobserver-auth=fifo:/$(shell touch swordfish)', null],
  ];

  it.each(ROWS)('%s', async (_, value, expected) => {
    const { folder, shellEnv, fresh } = ground();
    const fifo = fresh('fifo');
    spawnSync('mkfifo', [fifo]);
    const run = startPiped(wrapped(['/usr/bin/env']), {
      cwd: folder,
      env: { ...shellEnv, MAKEFLAGS: value.replaceAll('FIFO', fifo), MFLAGS: '-k', MAKELEVEL: '1' },
    });
    expect(await run.ended).toEqual({ code: 0, signal: null });
    const given = /^MAKEFLAGS=(.*)$/m.exec(run.out())?.[1]?.replaceAll(fifo, 'FIFO') ?? null;
    if (expected === null) expect(given).toBe(null);
    else expect(given).toMatch(expected);
    expect(run.out()).not.toMatch(/swordfish|^(?:MFLAGS|MAKELEVEL)=/m);
  });
});

/** Where the child's two outputs lead, and that they arrive there as without capwrap in between. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Launch, NO_LAUNCHER } from '../../src/base/launch.ts';
import { openPipe } from '../../src/runner/channel.ts';
import { openOutputs } from '../../src/runner/outputs.ts';
import { ROOT, tempDir } from '../helpers/cli.ts';
import { line, NOT_LINUX, startPiped, useGround } from '../matrix/ground.ts';
import { PATH, SECRET } from './here.ts';
import { buildWrapper, removeWrapper, WRAPPER } from './wrapper.ts';

const opened: number[] = [];
const open = (path: string, flags = 'w') => {
  const fd = openSync(path, flags);
  opened.push(fd);
  return fd;
};
afterEach(() => {
  for (const fd of opened.splice(0)) closeSync(fd);
});

describe('the plan of the outputs', () => {
  const plan = (stdout: number, stderr: number, launch: Launch = NO_LAUNCHER) => {
    const outputs = openOutputs({
      targets: { stdout, stderr },
      wish: 'masked',
      launch,
      canTakeByName: false,
      watch: { onOutput: () => {}, onLook: () => {} },
    });
    for (const { channel } of outputs.list) channel?.discard();
    return outputs;
  };

  it('has one way for each, under its own name', () => {
    const folder = tempDir();
    const [out, err] = [open(join(folder, 'out')), open(join(folder, 'err'))];
    const { list, terminal, ownTerminal } = plan(out, err);
    expect(list.map(({ name, indexes, target }) => ({ name, indexes, target }))).toEqual([
      { name: 'stdout', indexes: [1], target: out },
      { name: 'stderr', indexes: [2], target: err },
    ]);
    expect([terminal, ownTerminal]).toEqual([null, null]);
  });

  it('has two also for one place where there is no pipe of the launcher’s: sockets can’t be shared', () => {
    const out = open(join(tempDir(), 'out'));
    expect(plan(out, out).list.map(({ indexes }) => indexes)).toEqual([[1], [2]]);
  });

  it('takes nothing for the launcher’s pipe that isn’t one', () => {
    const file = open(join(tempDir(), 'file'), 'w+');
    const before = fstatSync(file).ino;
    const taken = new Set<number>();
    const { stdio, discard } = openPipe({ descriptors: null, ignored: [], pipes: [file, 2 ** 20, 0] }, taken);
    discard();
    expect(stdio).toBe('pipe');
    expect(fstatSync(file).ino).toBe(before); // still open, and still the same
  });
});

describe('the wrapper as a process', () => {
  beforeAll(buildWrapper);
  afterAll(removeWrapper);

  /** A script in which RUN is the wrapper with a child that runs `body`; the secret is in its variable V. */
  async function shell(text: string, body: string) {
    const folder = tempDir();
    const options = { argv: ['sh', '-c', body], env: { V: SECRET }, secret: SECRET };
    const run = startPiped(
      ['/bin/sh', '-c', text.replaceAll('RUN', () => line(['sh', WRAPPER, JSON.stringify(options)]))],
      { cwd: folder, env: { PATH } },
    );
    const { code } = await run.ended;
    return {
      code,
      out: run.out(),
      err: run.err(),
      read: (name: string) => readFileSync(join(folder, name), 'latin1'),
    };
  }

  const alternate = 'i=0; while [ $i -lt 1000 ]; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); done';
  const lines = Array.from({ length: 1000 }, (_, index) => `out ${index}\nerr ${index}\n`).join('');

  it.skipIf(NOT_LINUX).each([
    ['a pipe', 'RUN 2>&1 3>/dev/null | cat'],
    ['a file', 'RUN > both 2>&1 3>/dev/null; cat both'],
    ['a file that is opened twice to be appended to', 'RUN >> both 2>> both 3>/dev/null; cat both'],
  ])('keeps the order of two thousand lines in %s', async (_, text) => {
    const { out, err } = await shell(text, alternate);
    expect(out).toBe(lines);
    expect(err).toBe('');
  });

  it('keeps stdout and stderr apart in different files', async () => {
    const { read } = await shell(
      'RUN > o 2> e 3> report',
      `${alternate}; printf '%s' "$V"; printf '%s' "$V$V" >&2`,
    );
    const only = (word: string) => lines.replace(new RegExp(`^(?!${word}).*\n`, 'gm'), '');
    expect(read('o')).toBe(`${only('out')}[capwrap:SECRET]`);
    expect(read('e')).toBe(`${only('err')}[capwrap:SECRET][capwrap:SECRET]`);
    expect(read('report')).toContain('"masked":{"stdout":1,"stderr":2}');
  });

  it.skipIf(NOT_LINUX)('counts all for stdout where both are one place', async () => {
    const { out, read } = await shell('RUN 2>&1 3> report | cat', `printf '%s' "$V"; printf '%s' "$V" >&2`);
    expect(out).toBe('[capwrap:SECRET][capwrap:SECRET]');
    expect(read('report')).toContain('"masked":{"stdout":2,"stderr":0}');
  });

  it.skipIf(NOT_LINUX)(
    'masks a secret of which one half comes on each where both are one place',
    async () => {
      const [head, tail] = [SECRET.slice(0, 15), SECRET.slice(15)];
      const { out } = await shell(
        'RUN 2>&1 3>/dev/null | cat',
        `printf %s '${head}'; printf %s '${tail}' >&2`,
      );
      expect(out).toBe('[capwrap:SECRET]');
    },
  );

  it.each([
    ['stdout', 'RUN >&- 3>/dev/null; echo "status $?"', 'status 5\n', 'err\n'],
    ['stderr', 'RUN 2>&- 3>/dev/null; echo "status $?"', 'out\nstatus 5\n', ''],
    ['stdin', 'RUN <&- 3>/dev/null; echo "status $?"', 'out\nstatus 5\n', 'err\n'],
    ['both outputs', 'RUN >&- 2>&- 3>/dev/null; echo "status $?"', 'status 5\n', ''],
    ['everything', 'RUN <&- >&- 2>&- 3>/dev/null; echo "status $?"', 'status 5\n', ''],
  ])('works with %s closed', async (_, text, out, err) => {
    expect(await shell(text, 'echo out; echo err >&2; exit 5')).toMatchObject({ out, err });
  });

  it.skipIf(NOT_LINUX)('gives the child pipes that it can open by name', async () => {
    const body = 'echo one > /dev/stdout; echo two >> /proc/self/fd/1; echo three > /dev/stderr';
    const { out, err } = await shell('RUN 3>/dev/null', body);
    expect([out, err]).toEqual(['one\ntwo\n', 'three\n']);
  });

  it('without pipes of a launcher’s, since all numbers were taken, does the same work', async () => {
    const taken = '5</dev/null 6</dev/null 7</dev/null 8</dev/null 9</dev/null';
    const { out, err } = await shell(`RUN ${taken} 3>/dev/null`, 'printf "%s\\n" "$V"; echo "$V" >&2');
    expect([out, err]).toEqual(['[capwrap:SECRET]\n', '[capwrap:SECRET]\n']);
  });

  it('comes to its end although a pipe of the launcher’s is not used', async () => {
    // Where both outputs are one place, the second pipe stays where it is.
    const { code, out } = await shell('RUN 2>&1 3>/dev/null | cat; exit 0', 'echo out');
    expect([code, out]).toEqual([0, 'out\n']);
  });
});

describe('without the launcher', () => {
  const ground = useGround();
  const START = join(ROOT, 'dist', 'start.js');

  it('the outputs are socket pairs, and nothing else changes', async () => {
    const { folder, shellEnv, lastRecord } = ground();
    const body =
      'printf "%s\\n" "$TOKEN"; echo err >&2; head -c 200000 /dev/zero; [ -S /dev/fd/1 ] && exit 6; exit 7';
    const run = startPiped(
      [process.execPath, START, 'run', '--quiet', '-c', 'local', '--', '/bin/sh', '-c', body],
      { cwd: folder, env: { ...shellEnv, CAPWRAP_TASK_ID: 'bare' } },
    );
    const { code } = await run.ended;
    expect(run.out()).toBe(`[capwrap:token]\n${'\0'.repeat(200_000)}`);
    expect([code, run.err()]).toEqual([NOT_LINUX ? expect.any(Number) : 6, 'err\n']);
    expect(lastRecord('bare')).toMatchObject({ event: 'closed', masked: { stdout: 1, stderr: 0 } });
  });

  it('a variable that names pipes of another process is not believed', async () => {
    const { folder, shellEnv } = ground();
    const run = startPiped(
      [process.execPath, START, 'run', '--quiet', '-c', 'local', '--', '/bin/echo', 'out'],
      {
        cwd: folder,
        env: { ...shellEnv, CAPWRAP_LAUNCHER: 'pid=1 fds=0,1,2,3,4,5,6,7,8,9 ignored=ffff pipes=9,8' },
      },
    );
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.out()).toBe('out\n');
  });
});

/** What the child takes over from the caller: descriptors that its command names, ignored signals, its place. */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAlive, until } from '../helpers/terminal.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { line, NOT_LINUX, startPiped, useGround, WAYS } from '../matrix/ground.ts';

const ground = useGround();

/** What a script prints, in which RUN is capwrap with a command. */
async function shell(text: string, argv: readonly string[], program = '/bin/sh') {
  const { folder, shellEnv } = ground();
  const run = startPiped([program, '-c', text.replaceAll('RUN', () => line(WAYS['under capwrap'](argv)))], {
    cwd: folder,
    env: shellEnv,
  });
  const { code } = await run.ended;
  return { code, out: run.out(), err: run.err() };
}

const bash = findTool('bash');

describe.skipIf(bash === null || NOT_LINUX)(`process substitution${needs('bash')}`, () => {
  const under = (text: string) => {
    const { folder, shellEnv } = ground();
    const run = startPiped([bash ?? 'bash', '-c', text], { cwd: folder, env: shellEnv });
    return run.ended.then(({ code }) => ({ code, out: run.out(), err: run.err() }));
  };
  const CAPWRAP = line(WAYS['under capwrap']([]));

  const ROWS: readonly (readonly [what: string, text: string, out: string])[] = [
    ['of one input', `${CAPWRAP} cat <(echo hi)`, 'hi\n'],
    ['of two', `${CAPWRAP} paste <(echo one) <(echo two)`, 'one\ttwo\n'],
    [
      'of ten',
      `${CAPWRAP} cat ${Array.from({ length: 10 }, (_, at) => `<(echo ${at})`).join(' ')}`,
      '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n',
    ],
    ['of an output', `${CAPWRAP} tee >(cat >&2) <<< hi`, 'hi\n'],
    ['of a descriptor with a low number', `exec 5< <(echo low); ${CAPWRAP} cat /dev/fd/5`, 'low\n'],
    ['by its other name', `exec 5< <(echo low); ${CAPWRAP} cat /proc/self/fd/5`, 'low\n'],
  ];
  test('works, of whatever kind', async () => {
    const runs = await Promise.all(ROWS.map(([, text]) => under(text)));
    expect(runs.map(({ code, out }, index) => [ROWS[index]?.[0], code, out])).toEqual(
      ROWS.map(([what, , out]) => [what, 0, out]),
    );
  });

  test('leaves all other descriptors to the caller', async () => {
    const list = 'for fd in /proc/$$/fd/*; do [ -e "$fd" ] && basename "$fd"; done';
    const words = line(['/bin/sh', '-c', list, 'sh']);
    const text = `exec 3</dev/null 4</dev/null 5< <(echo five) 7</dev/null; ${CAPWRAP} ${words}`;
    const low = (out: string) => out.split('\n').filter((fd) => fd !== '' && Number(fd) < 16 && fd !== '10');
    expect(low((await under(text)).out)).toEqual(['0', '1', '2']);
    expect(low((await under(`${text} /dev/fd/5 /dev/fd/6 /dev/fd/8 /dev/fd/9`)).out)).toEqual([
      ...['0', '1', '2', '5'],
    ]);
  });
});

test.skipIf(NOT_LINUX)(
  'a name of a descriptor that the caller has not opened is none of capwrap’s either',
  async () => {
    const numbers = Array.from({ length: 30 }, (_, index) => index + 3);
    const names = numbers.map((fd) => `/dev/fd/${fd}`);
    const open = 'for name; do [ -e "$name" ] && ls -l "$name"; done; true';
    const closeAll = numbers.map((fd) => (fd < 10 ? `${fd}<&-` : '')).join(' ');
    const { code, out } = await shell(`exec ${closeAll}; RUN`, ['/bin/sh', '-c', open, 'sh', ...names]);
    // A shell keeps what it needs itself above 9 (dash has none here, for a script on its command line).
    expect({ code, out }).toEqual({ code: 0, out: '' });
  },
);

describe.skipIf(NOT_LINUX)('ignored signals', () => {
  const argv = ['cat', '/proc/self/status'];
  const cannot = findTool('env') === null;

  function ignored(status: string): string[] {
    const mask = BigInt(`0x${/^SigIgn:\s*(\S+)$/m.exec(status)?.[1] ?? '0'}`);
    const names = Object.entries(constants.signals).filter(([, n]) => (mask >> BigInt(n - 1)) & 1n);
    return names.map(([name]) => name.slice(3)).sort();
  }

  test.skipIf(cannot)(`are the child’s too${needs('env')}`, async () => {
    const texts = [
      ':; RUN',
      "trap '' INT QUIT; RUN",
      'nohup RUN',
      "trap '' QUIT; RUN",
      "trap 'echo x' HUP; RUN",
    ];
    const runs = await Promise.all(texts.map((text) => shell(text, argv)));
    expect(runs.map(({ out }) => ignored(out))).toEqual([[], ['INT', 'QUIT'], ['HUP'], [], []]);
  });

  test.skipIf(cannot)('a HUP that is ignored ends neither the child nor capwrap', async () => {
    const { folder, shellEnv, fresh, read, lastRecord } = ground();
    const file = fresh('nohup');
    const body = 'echo "$$ $PPID" > "$0.pids"; until [ -e "$0.end" ]; do sleep 0.02; done; exit 4';
    const run = startPiped(
      [
        '/bin/sh',
        '-c',
        `trap '' HUP; ${line(WAYS['under capwrap'](['/bin/sh', '-c', body, file]))}; exit $?`,
      ],
      { cwd: folder, env: { ...shellEnv, CAPWRAP_TASK_ID: 'nohup' } },
    );
    await until('the child is there', () => read(`${file}.pids`).includes('\n'));
    const [child = 0, capwrap = 0] = read(`${file}.pids`).trim().split(' ').map(Number);
    process.kill(capwrap, 'SIGHUP');
    process.kill(capwrap, 'SIGHUP');
    expect([isAlive(child), isAlive(capwrap)]).toEqual([true, true]);
    await shell(`touch ${file}.end`, []);
    expect(await run.ended).toEqual({ code: 4, signal: null });
    expect(lastRecord('nohup')).toMatchObject({ event: 'closed', child: { exit_code: 4, signal: null } });
  });
});

describe.skipIf(NOT_LINUX)('the child', () => {
  test('is the one process below capwrap, under the words that were typed', async () => {
    const body =
      'echo "$$ $PPID"; tr "\\0" "|" < /proc/$$/cmdline; echo; tr "\\0" "|" < /proc/$PPID/cmdline; echo; cat /proc/$PPID/task/$PPID/children';
    const argv = ['sh', '-c', body, 'name', '--', '-x', 'a b'];
    const { out } = await shell("trap '' HUP; RUN", argv);
    const [pids = '', typed = '', parent = '', children = ''] = out.split('\n');
    expect(typed).toBe(`${argv.join('|')}|`);
    expect(parent).toMatch(/^node\|.*\|run\|--quiet\|/);
    expect(children.trim()).toBe(pids.split(' ')[0]);
  });

  test('by a name along the child’s PATH is what was resolved', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'capwrap-path-'));
    try {
      const { out } = await shell(
        `mkdir ${folder}/a ${folder}/b; printf '#!/bin/sh\\necho "a $0"' > ${folder}/a/tool; printf '#!/bin/sh\\necho "b $0"' > ${folder}/b/tool
        chmod +x ${folder}/b/tool; PATH=${folder}/a:${folder}/b:$PATH RUN`,
        ['tool'],
      );
      // The first one is not executable, so it is passed over, as execvp(3) does.
      expect(out).toBe(`b ${folder}/b/tool\n`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

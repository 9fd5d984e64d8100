/**
 * Every end of a child, seen by what started capwrap: a shell's `$?`, and the signal that `waitpid` tells. All 256
 * codes are in test/runner; here are those that something could mistake.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BIN } from '../helpers/cli.ts';
import { line, NOT_LINUX, startPiped, useGround, wrapped } from './ground.ts';

const ground = useGround();

/** `$?` after each command, all by one shell. A second shell has the other half: there are two cores, mostly. */
async function statuses(commands: readonly (readonly string[])[]): Promise<number[]> {
  const { folder, shellEnv } = ground();
  const half = Math.ceil(commands.length / 2);
  const runs = [commands.slice(0, half), commands.slice(half)].map((some) => {
    const script = some.map((argv) => `${line(argv)} 2>/dev/null; echo $?`).join('\n');
    return startPiped(['/bin/sh', '-c', `ulimit -c 0\n${script}`], { cwd: folder, env: shellEnv });
  });
  const lines: number[] = [];
  for (const run of runs) {
    await run.ended;
    lines.push(...run.out().trimEnd().split('\n').map(Number));
  }
  return lines;
}

describe('a status', () => {
  // Zero and the ends of the range, capwrap's own and those next to them, and 128 + a signal.
  const CODES = [
    0, 1, 2, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 137, 141, 143, 192, 255,
  ];

  it('is passed on, also where it is one of capwrap’s own or looks like a signal', async () => {
    const commands = CODES.map((code) => wrapped(['/bin/sh', '-c', `exit ${code}`]));
    expect(await statuses(commands)).toEqual(CODES);
  });
});

/** By name and number: those that end a process by default, signal(7), apart from the ones that nobody can send. */
const SIGNALS = Object.entries(constants.signals).filter(
  ([name, number], index, all) =>
    !/^SIG(?:STOP|TSTP|TTIN|TTOU|CHLD|CONT|URG|WINCH|INFO|UNUSED)$/.test(name) &&
    all.findIndex(([, other]) => other === number) === index,
);
const CORE = /^SIG(?:QUIT|ILL|TRAP|ABRT|BUS|FPE|SEGV|SYS|XCPU|XFSZ)$/;
const die = (number: number) => ['/bin/sh', '-c', `ulimit -c 0; kill -${number} $$`];

describe('a signal', () => {
  it('is told by the shell as that of the child itself would be', async () => {
    const commands = SIGNALS.map(([, number]) => die(number));
    const direct = await statuses(commands);
    expect(direct).toEqual(SIGNALS.map(([, number]) => 128 + number));
    // A shell knows no more than waitpid tells it, which the next test sees for all of them.
    const some = SIGNALS.filter(([name]) => /^SIG(?:INT|QUIT|KILL|SEGV|PIPE|TERM|SYS)$/.test(name));
    const told = await statuses(some.map(([, number]) => wrapped(die(number))));
    const names = some.map(([name]) => name);
    expect(table(names, told)).toEqual(
      table(
        names,
        some.map(([, number]) => 128 + number),
      ),
    );
  });

  it('is told by waitpid, where it leaves no core file of a process that has held secrets', async () => {
    const told: unknown[] = [];
    // Four at a time.
    for (let at = 0; at < SIGNALS.length; at += 4) {
      const some = SIGNALS.slice(at, at + 4).map(async ([name, number]) => {
        const { folder, shellEnv, lastRecord } = ground();
        const run = startPiped(wrapped(die(number)), {
          cwd: folder,
          env: { ...shellEnv, CAPWRAP_TASK_ID: name },
        });
        const end = await run.ended;
        return [name, end, lastRecord(name)?.['child']];
      });
      told.push(...(await Promise.all(some)));
    }
    expect(told).toEqual(
      SIGNALS.map(([name, number]) => [
        name,
        CORE.test(name) ? { code: 128 + number, signal: null } : { code: null, signal: name },
        expect.objectContaining({ exit_code: null, signal: name }),
      ]),
    );
  });

  it.skipIf(NOT_LINUX)(
    'of the real-time ones is told by the shell too, and is not taken for success',
    async () => {
      const numbers = [34, 35, 36, 49, 50, 63, 64];
      const direct = await statuses(numbers.map(die));
      expect(direct).toEqual(numbers.map((number) => 128 + number));
      expect(await statuses(numbers.map((number) => wrapped(die(number))))).toEqual(direct);
    },
  );
});

describe('a command that can’t be started', () => {
  interface Row {
    readonly what: string;
    /** Content and mode of ./script. */
    readonly script?: readonly [content: string, mode: number];
    readonly command: string;
    readonly status: number;
    readonly message: RegExp;
  }
  const ROWS: readonly Row[] = [
    {
      what: 'a name that is nowhere on PATH',
      command: 'no-such-tool',
      status: 127,
      message: /"no-such-tool" is not found on the child's PATH/,
    },
    { what: 'a missing folder', command: './no/such', status: 127, message: /"\.\/no\/such" does not exist/ },
    {
      what: 'a missing interpreter',
      script: ['#!/no/such/interpreter\n', 0o755],
      command: './script',
      status: 127,
      message: /needs the interpreter "\/no\/such\/interpreter"/,
    },
    {
      what: 'a CR at the end of the #! line',
      script: ['#!/bin/sh\r\n', 0o755],
      command: './script',
      status: 127,
      message: /has a CR at the end of its "#!" line/,
    },
    {
      what: 'a file without permission',
      script: ['#!/bin/sh\n', 0o644],
      command: './script',
      status: 126,
      message: /is not executable/,
    },
    { what: 'a folder', command: './folder', status: 126, message: /is a folder/ },
  ];

  it('is told apart by status and message, before anything is issued', async () => {
    const { fresh, env, records, cli } = ground();
    const results = ROWS.map(async ({ what, script, command }) => {
      const dir = fresh('cannot');
      mkdirSync(join(dir, 'folder'), { recursive: true });
      if (script) {
        writeFileSync(join(dir, 'script'), script[0]);
        chmodSync(join(dir, 'script'), script[1]);
      }
      const { status, stderr } = await cli(['run', '--quiet', '-c', 'local', '--', command], {
        cwd: dir,
        env: { ...env, CAPWRAP_TASK_ID: what },
      });
      return { what, status, first: stderr.split('\n')[0] };
    });
    expect(await Promise.all(results)).toEqual(
      ROWS.map(({ what, status, message }) => ({ what, status, first: expect.stringMatching(message) })),
    );
    const tasks = new Set(ROWS.map(({ what }) => what));
    expect(
      records().filter(({ event, task_id }) => event === 'issued' && tasks.has(String(task_id))),
    ).toEqual([]);
  });

  it('in a working directory that is gone says so', async () => {
    const { folder, fresh, mapFile, shellEnv } = ground();
    const gone = fresh('gone');
    const argv = [BIN, 'run', '--quiet', '-f', mapFile, '-c', 'local', '--', '/bin/echo', 'ran'];
    const script = `mkdir ${gone}; cd ${gone}; rmdir ${gone}; ${line(argv)}`;
    const run = startPiped(['/bin/sh', '-c', script], { cwd: folder, env: shellEnv });
    expect(await run.ended).toEqual({ code: 127, signal: null });
    expect(run.out()).toBe('');
    expect(run.err()).toMatch(/capwrap: error: .*(?:folder|directory)/);
  });
});

function table(names: readonly string[], values: readonly number[]): Record<string, number | undefined> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

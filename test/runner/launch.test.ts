/** What the launcher tells, as it is read, and as the real one tells it under the shells that systems have as `sh`. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAUNCH_VARIABLE, type Launch, NO_LAUNCHER, parseLaunch } from '../../src/base/launch.ts';
import { BIN } from '../helpers/cli.ts';
import { findTool } from '../helpers/tools.ts';
import { LOCAL_MAP } from '../helpers/workspace.ts';
import { startPiped, useGround, WAYS } from '../matrix/ground.ts';

const NOT_LINUX = process.platform !== 'linux';

describe('parseLaunch', () => {
  const launch = (over: Partial<Launch>): Launch => ({ ...NO_LAUNCHER, ...over });
  const GOOD: readonly (readonly [what: string, text: string, expected: Launch])[] = [
    [
      'all that there can be',
      'pid=7 fds=0,1,2,11 ignored=0000000000000001 pipes=9,8',
      launch({ descriptors: new Set([0, 1, 2, 11]), ignored: ['SIGHUP'], pipes: [9, 8] }),
    ],
    ['nothing that could be told', 'pid=7 fds= ignored= pipes=', NO_LAUNCHER],
    [
      'descriptors only, as without /proc',
      'pid=7 fds=0,1,2 ignored= pipes=',
      launch({ descriptors: new Set([0, 1, 2]) }),
    ],
    [
      'no signal',
      'pid=7 fds=1 ignored=0000000000000000 pipes=9',
      launch({ descriptors: new Set([1]), pipes: [9] }),
    ],
    ['empty places in the lists', 'pid=7 fds=,,1, ignored= pipes=,', launch({ descriptors: new Set([1]) })],
    // 64 bits are more than a number holds exactly.
    [
      'every signal there is',
      `pid=7 fds= ignored=${'f'.repeat(16)} pipes=`,
      launch({ ignored: ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGTSTP'] }),
    ],
    ['the highest signal only', 'pid=7 fds= ignored=8000000000000000 pipes=', NO_LAUNCHER],
  ];
  it.each(GOOD)('reads %s', (_, text, expected) => {
    expect(parseLaunch(text, 7)).toEqual(expected);
  });

  const BAD: readonly (readonly [what: string, text: string | undefined])[] = [
    ['no variable', undefined],
    ['an empty one', ''],
    ['what was left for another process', 'pid=70 fds=0,1,2 ignored=1 pipes=9'],
    ['a number that only begins like its own', 'pid=07x fds=0 ignored= pipes=9'],
    ['a missing field', 'pid=7 fds=0 pipes=9'],
    ['another order', 'pid=7 pipes=9 ignored= fds=0'],
    ['a word more', 'pid=7 fds=0 ignored= pipes=9 x=1'],
    ['something before it', ' pid=7 fds=0 ignored= pipes=9'],
    ['a line end', 'pid=7 fds=0 ignored= pipes=9\n'],
    ['a second line', 'pid=7 fds=0 ignored= pipes=9\npid=7 fds=0 ignored= pipes=9'],
    ['a negative descriptor', 'pid=7 fds=-1 ignored= pipes=9'],
    ['a descriptor that is none', 'pid=7 fds=0x1 ignored= pipes=9'],
    ['a mask that is no number', 'pid=7 fds=0 ignored=0x1 pipes=9'],
    ['a negative mask', 'pid=7 fds=0 ignored=-1 pipes=9'],
    ['other digits', 'pid=٧ fds=0 ignored= pipes=9'],
    ['a long text', `pid=7 fds=${'1,'.repeat(50_000)} ignored=${'g'.repeat(50_000)} pipes=`],
  ];
  it.each(BAD)('takes %s for no launcher', (_, text) => {
    expect(parseLaunch(text, 7)).toEqual(NO_LAUNCHER);
  });

  /** As in /proc/PID/status: bit n - 1 stands for signal n. */
  const mask = (...signals: readonly NodeJS.Signals[]) =>
    signals
      .reduce((sum, name) => sum | (1n << BigInt(constants.signals[name] - 1)), 0n)
      .toString(16)
      .padStart(16, '0');
  const ignored = (...signals: readonly NodeJS.Signals[]) =>
    parseLaunch(`pid=7 fds= ignored=${mask(...signals)} pipes=`, 7).ignored;

  it.each(['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGTSTP'] as const)(
    'reads that %s is ignored',
    (name) => {
      expect(ignored(name)).toEqual([name]);
    },
  );

  it.each(['SIGPIPE', 'SIGCHLD', 'SIGCONT', 'SIGKILL', 'SIGWINCH', 'SIGTTOU'] as const)(
    'leaves %s out: nobody sets it aside for a child on purpose',
    (name) => {
      expect(ignored(name)).toEqual([]);
    },
  );

  it('takes QUIT for ignored only together with INT: a bash that serves as sh ignores it for itself', () => {
    expect(ignored('SIGQUIT')).toEqual([]);
    expect(ignored('SIGHUP', 'SIGQUIT')).toEqual(['SIGHUP']);
    expect(ignored('SIGINT', 'SIGQUIT')).toEqual(['SIGINT', 'SIGQUIT']);
  });
});

/** Whether there is such a shell, and how it is started. */
const SHELLS = [
  { shell: 'dash', words: ['dash'] },
  { shell: 'bash --posix', words: ['bash', '--posix'] },
  { shell: 'busybox sh', words: ['busybox', 'sh'] },
].map((row) => {
  const missing = findTool(row.words[0] ?? '') === null;
  return { ...row, missing, title: `${row.shell}${missing ? ' (skipped: there is none)' : ''}` };
});

interface Told {
  readonly pid: number;
  readonly text: string;
  /** What is in each of the pipes, up to its end. */
  readonly marks: readonly string[];
}

/** Takes the place of dist/start.js. A pipe that somebody else could still write to would never come to its end. */
const STUB = `
  const { fstatSync, readSync } = require('node:fs');
  const text = process.env.${LAUNCH_VARIABLE};
  const marks = text.match(/pipes=(.*)/)[1].split(',').filter(Boolean).map((fd) => {
    const bytes = Buffer.alloc(64);
    let length = 0;
    for (let more = 1; more > 0; length += more) more = readSync(Number(fd), bytes, length, 64 - length, null);
    return (fstatSync(Number(fd)).isFIFO() ? 'pipe ' : 'no pipe ') + bytes.toString('latin1', 0, length);
  });
  process.stdout.write(JSON.stringify({ pid: process.pid, text, marks }));
`;

let folder = '';
let launcher = '';

/** Starts the launcher by `words`, behind `setup` (a line of a shell's); `open`: descriptors beside the standard ones. */
async function told(
  words: readonly string[],
  { open = [], setup = ':' }: { open?: readonly number[]; setup?: string } = {},
): Promise<Told & { readonly launch: Launch }> {
  const file = openSync('/dev/null', 'r');
  const stdio: ('ignore' | 'pipe' | 'inherit' | number)[] = ['ignore', 'pipe', 'inherit'];
  for (const fd of open) {
    while (stdio.length < fd) stdio.push('ignore');
    stdio[fd] = file;
  }
  const child = spawn('/bin/sh', ['-c', `${setup}; exec "$@"`, 'sh', ...words, launcher], { stdio });
  closeSync(file);
  let out = '';
  child.stdout?.on('data', (chunk) => (out += chunk));
  await new Promise((resolve) => child.once('close', resolve));
  const answer = JSON.parse(out) as Told;
  return { ...answer, launch: parseLaunch(answer.text, answer.pid) };
}

/** The runner of the tests may itself have been left descriptors, which Node hands on from 16 on. */
function low(launch: Launch): number[] {
  return [...(launch.descriptors ?? [])].filter((fd) => fd < 16).sort((a, b) => a - b);
}

describe.skipIf(NOT_LINUX)(`the launcher${NOT_LINUX ? ' (skipped: needs /proc)' : ''}`, () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'capwrap-launcher-'));
    launcher = join(folder, 'launcher.js');
    const text = readFileSync(BIN, 'utf8');
    const stubbed = text.replace("require('../dist/start.js');", STUB);
    expect(stubbed).not.toBe(text);
    writeFileSync(launcher, stubbed);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(SHELLS)('under $title', ({ words, missing }) => {
    const test = it.skipIf(missing);

    test('becomes Node in place, and says so', async () => {
      const { pid, text } = await told(words);
      expect(text).toMatch(new RegExp(`^pid=${pid} `));
    });

    test('lists what the caller left open, and neither its own script nor its pipes', async () => {
      expect(low((await told(words)).launch)).toEqual([0, 1, 2]);
      const { launch } = await told(words, { open: [3, 4, 9] });
      expect(low(launch)).toEqual([0, 1, 2, 3, 4, 9]);
    });

    test('lists no descriptor that is closed', async () => {
      expect(low((await told(words, { setup: 'exec <&-' })).launch)).toEqual([1, 2]);
      expect(low((await told(words, { setup: 'exec <&- 2>&-', open: [10] })).launch)).toEqual([1, 10]);
    });

    test('makes two pipes on free numbers of one digit, each with its number in it and nobody behind it', async () => {
      for (const [open, pipes] of [
        [[], [9, 8]],
        [
          [3, 4, 9],
          [8, 7],
        ],
        [[6, 7, 8, 9], [5]],
        [[5, 6, 7, 8, 9], []],
      ] as const) {
        const { pid, launch, marks } = await told(words, { open });
        expect(launch.pipes).toEqual(pipes);
        expect(marks).toEqual(pipes.map(() => `pipe ${pid}\n`));
      }
    });

    test('makes them although its standard descriptors are closed', async () => {
      const { pid, launch, marks } = await told(words, { setup: 'exec <&- 2>&-' });
      expect(launch.pipes).toEqual([9, 8]);
      expect(marks).toEqual([`pipe ${pid}\n`, `pipe ${pid}\n`]);
    });

    test.each([
      ["trap '' HUP", ['SIGHUP']],
      ["trap '' INT QUIT", ['SIGINT', 'SIGQUIT']],
      ["trap '' USR1 TSTP TERM", ['SIGTERM', 'SIGUSR1', 'SIGTSTP']],
      ["trap '' QUIT", []],
      ["trap '' PIPE", []],
      ['trap : HUP', []],
      [':', []],
    ])('tells what is ignored after %s', async (setup, expected) => {
      expect((await told(words, { setup })).launch.ignored).toEqual(expected);
    });
  });
});

describe.skipIf(NOT_LINUX)("the launcher's variables", () => {
  const NAMES = ['dir', 'fd', 'fds', 'ignored', 'name', 'pipes'];
  const ground = useGround(`${LOCAL_MAP}    env: {pass: [PATH, HOME, ${NAMES.join(', ')}]}\n`);

  /** Exactly these, whatever the shell sets and exports for itself (SHLVL, PWD, OLDPWD, `_`). */
  const GIVEN = [
    ...['AWS_CONFIG_FILE', 'AWS_EC2_METADATA_DISABLED', 'AWS_SHARED_CREDENTIALS_FILE', 'AZURE_CONFIG_DIR'],
    ...['BOTO_CONFIG', 'CAPWRAP_CAPABILITY', 'CAPWRAP_EXPIRES_AT', 'CAPWRAP_LEASE_ID', 'CAPWRAP_TASK_ID'],
    ...['CLOUDSDK_CONFIG', 'CLOUDSDK_CORE_CHECK_GCE_METADATA', 'GH_CONFIG_DIR'],
    ...['GOOGLE_APPLICATION_CREDENTIALS', 'HOME', 'KUBECONFIG', 'NO_GCE_CHECK', 'PATH', 'TOKEN'],
  ];

  async function childEnv(words: readonly string[], extra: Readonly<Record<string, string>> = {}) {
    const { folder, env } = ground();
    const run = startPiped([...words, ...WAYS['under capwrap'](['/usr/bin/env', '-0'])], {
      cwd: folder,
      env: { ...env, PATH: process.env['PATH'] ?? '', ...extra },
    });
    expect(await run.ended, run.err()).toEqual({ code: 0, signal: null });
    const entries = run.out().split('\0').filter(Boolean);
    return Object.fromEntries(
      entries.map((entry) => entry.split(/=(.*)/s, 2) as [name: string, value: string]),
    );
  }

  it.each(SHELLS)('do not reach the child: $title', async ({ words, missing }) => {
    if (missing) return;
    const env = await childEnv(words, { [LAUNCH_VARIABLE]: 'pid=1 fds=0,1,2 ignored=ffff pipes=9' });
    expect(Object.keys(env).sort()).toEqual(GIVEN);
  });

  it.each(SHELLS)('take none of the caller’s: $title', async ({ words, missing }) => {
    if (missing) return;
    const mine = Object.fromEntries(NAMES.map((name) => [name, `my ${name}`]));
    expect(await childEnv(words, mine)).toMatchObject(mine);
  });
});

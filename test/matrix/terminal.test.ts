/** A person at a terminal sees and can do the same as without capwrap, except that there are no secrets. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isAlive,
  KEYS,
  NEEDS_BASH,
  NEEDS_PTY,
  NO_BASH,
  NO_PTY,
  openShell,
  openTerminal,
  type Shell,
  stateOf,
  type Terminal,
  type TerminalEnd,
  type TerminalOptions,
  until,
} from '../helpers/terminal.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { child, line, NOT_LINUX, useGround, WAYS, wrapped } from './ground.ts';

const ground = useGround();
const sh = (script: string): readonly string[] => ['/bin/sh', '-c', script];

interface Shown {
  readonly screen: string;
  readonly end: TerminalEnd;
}

/** What the same command shows in both ways, on terminals of the same size. `play` is what the person does. */
async function both(
  argv: readonly string[],
  play: (terminal: Terminal) => Promise<void> = async () => {},
  size: Pick<TerminalOptions, 'cols' | 'rows'> = {},
): Promise<{ readonly direct: Shown; readonly under: Shown }> {
  const { folder, shellEnv } = ground();
  const [direct, under] = await Promise.all(
    Object.values(WAYS).map(async (way): Promise<Shown> => {
      const terminal = openTerminal(way(argv), { cwd: folder, env: shellEnv, ...size });
      await play(terminal);
      const end = await endOf(terminal);
      return { screen: terminal.bytes().toString('latin1'), end };
    }),
  );
  if (!direct || !under) throw new Error('there are two ways');
  return { direct, under };
}

/** How it ends, within the time that `until` gives, and with the screen where it doesn't. */
async function endOf(terminal: Terminal): Promise<TerminalEnd> {
  let end: TerminalEnd | null = null;
  terminal.ended.then((how) => (end = how));
  await terminal.until('the program ends', () => end !== null);
  return terminal.ended;
}

/** Shown between two rows of a table whose commands one shell runs in turn. */
const NEXT = '\x1e';
const inTurn = (commands: readonly (readonly string[])[]) =>
  sh(commands.map(line).join("; printf '\\036'; "));

describe.skipIf(NO_PTY !== null)(`the screen${NEEDS_PTY}`, () => {
  const FILES = 'for-ls';
  /** [what, command, what must be on the screen, so that the comparison is not one of nothing] */
  const ROWS: readonly (readonly [string, readonly string[], string])[] = [
    [
      'colours that depend on a terminal',
      ['ls', '--color=auto', '-C', FILES],
      '\x1b[0m\x1b[01;34mfolder\x1b[0m',
    ],
    ['a progress bar', child('progress.sh'), '\r\x1b[K\x1b[32m 75%\x1b[0m [====>]\r'],
    [
      'cursor movements',
      sh(String.raw`printf '\033[2J\033[5;10Hat\033[A\033[2Dup\0337\033[H\0338\n'`),
      '\x1b[5;10Hat',
    ],
    [
      'the alternate screen, a title, a link',
      sh(String.raw`printf '\033[?1049h\033]0;title\007\033]8;;http://x\033\\link\033]8;;\033\\\033[?1049l'`),
      '\x1b]0;title\x07',
    ],
    [
      'lone line ends, tabs, backspaces',
      sh(String.raw`printf 'a\rb\nc\r\nd\te\b\bf\013g\014h\007\n'`),
      'a\rb\r\nc\r\r\nd\te\b\bf',
    ],
    [
      'bytes that are no text',
      sh(String.raw`printf '\000\001\177\200\377\303\n'`),
      '\x00\x01\x7f\x80\xff\xc3\r\n',
    ],
    ['a character in two writes', sh(String.raw`printf '\303'; printf '\244\n'`), '\xc3\xa4'],
    ['a line that is longer than the window', sh('printf "%0500d\\n" 1'), '0'.repeat(400)],
    ['much', sh('i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i"; done'), 'line 3000\r\n'],
    ['capabilities of the terminal', sh('tput setaf 1; tput bold; tput cup 3 4; tput sgr0'), '\x1b[31m'],
    [
      'the size, by every descriptor',
      sh('for fd in 0 1 2; do eval "stty size <&$fd"; done; stty size < /dev/tty; tput cols; tput lines'),
      '24 80\r\n24 80\r\n24 80\r\n24 80\r\n80\r\n24\r\n',
    ],
    [
      'what is a terminal',
      sh('for fd in 0 1 2; do [ -t $fd ] && echo "$fd is"; done; echo "$TERM"'),
      '0 is\r\n1 is\r\n2 is\r\nxterm-256color',
    ],
    [
      'output without processing',
      sh(String.raw`stty -opost; printf 'a\nb\n'; stty opost; printf 'c\n'`),
      'a\nb\nc\r\n',
    ],
    [
      'output without processing, by stdout',
      sh(String.raw`stty -opost <&1; printf 'a\nb\n'; stty opost <&1; printf 'c\n'`),
      'a\nb\nc\r\n',
    ],
    [
      'raw mode',
      sh(String.raw`old=$(stty -g); stty raw -echo; printf 'a\nb\n'; stty "$old"; printf 'c\n'`),
      'a\nb\nc\r\n',
    ],
    ['a message on stderr', sh('echo out; echo err >&2; echo out'), 'out\r\nerr\r\nout\r\n'],
    ['/dev/tty', sh('echo to the terminal > /dev/tty'), 'to the terminal'],
    ['text without a line end, at the end of all', sh('printf "no end"'), 'no end'],
  ];

  const run = async () => {
    const { folder } = ground();
    mkdirSync(join(folder, FILES, 'folder'), { recursive: true });
    writeFileSync(join(folder, FILES, 'program'), '');
    chmodSync(join(folder, FILES, 'program'), 0o755);
    symlinkSync('program', join(folder, FILES, 'link'));
    const { direct, under } = await both(inTurn(ROWS.map(([, argv]) => argv)));
    expect(under.end).toEqual(direct.end);
    return { direct: direct.screen.split(NEXT), under: lineFeeds(under.screen).split(NEXT) };
  };
  let shown: ReturnType<typeof run> | null = null;

  it.each(ROWS.map(([what, , expected], index) => [what, expected, index] as const))(
    'shows the same bytes: %s',
    async (_, expected, index) => {
      shown ??= run();
      const { direct, under } = await shown;
      expect(direct).toHaveLength(ROWS.length);
      expect(direct[index]).toContain(expected);
      expect(under[index]).toBe(direct[index]);
    },
  );
});

/** Down a line in the same column: where the real terminal would add a CR to a line feed, capwrap writes IND for it. */
function lineFeeds(screen: string): string {
  return screen.replaceAll('\x1bD', '\n');
}

describe.skipIf(NO_PTY !== null)(`the keyboard${NEEDS_PTY}`, () => {
  const bash = findTool('bash') ?? 'bash';
  interface Row {
    readonly what: string;
    readonly argv: readonly string[];
    /** What is waited for and what is typed then, in turn. */
    readonly play: readonly (readonly [wait: string, keys: string])[];
    readonly screen: string;
    readonly status?: number;
  }
  const ROWS: readonly Row[] = [
    {
      what: 'a prompt without a line end comes before anything is typed',
      argv: sh('printf "name? "; read -r name; echo "hi $name"'),
      play: [['name? ', 'you\r']],
      screen: 'name? you\r\nhi you\r\n',
    },
    {
      what: 'a prompt on stderr as well',
      argv: sh('printf "name? " >&2; read -r name; echo "hi $name"'),
      play: [['name? ', 'you\r']],
      screen: 'name? you\r\nhi you\r\n',
    },
    {
      what: 'several prompts in turn',
      argv: sh('for n in 1 2 3; do printf "%s? " $n; read -r x; echo "$n=$x"; done'),
      play: [
        ['1? ', 'a\r'],
        ['2? ', 'b\r'],
        ['3? ', 'c\r'],
      ],
      screen: '1? a\r\n1=a\r\n2? b\r\n2=b\r\n3? c\r\n3=c\r\n',
    },
    {
      what: 'a password of bash (read -s) is not shown',
      argv: [bash, '-c', `read -r -s -p "password: " x; echo; echo "\${#x} characters"`],
      play: [['password: ', 'open sesame\r']],
      screen: 'password: \r\n11 characters\r\n',
    },
    {
      what: 'a password with stty -echo is not shown',
      argv: sh(`stty -echo; printf "password: "; read -r x; stty echo; echo; echo "\${#x} characters"`),
      play: [['password: ', 'open sesame\r']],
      screen: 'password: \r\n11 characters\r\n',
    },
    {
      what: 'a password by /dev/tty is not shown',
      argv: sh(
        `exec 3<>/dev/tty; stty -echo <&3; printf "password: " >&3; read -r x <&3; stty echo <&3; echo >&3; echo "\${#x} characters"`,
      ),
      play: [['password: ', 'open sesame\r']],
      screen: 'password: \r\n11 characters\r\n',
    },
    {
      what: '/dev/tty can be read where stdin is something else',
      argv: sh('echo piped | { read -r a; printf "more? "; read -r b < /dev/tty; echo "$a and $b"; }'),
      play: [['more? ', 'typed\r']],
      screen: 'more? typed\r\npiped and typed\r\n',
    },
    {
      what: 'a single key in raw mode',
      argv: sh(
        'old=$(stty -g); stty raw -echo; printf "key? "; key=$(dd bs=1 count=1 2>/dev/null); stty "$old"; echo; echo "got $key"',
      ),
      play: [['key? ', 'x']],
      screen: 'key? \r\ngot x\r\n',
    },
    {
      what: 'Ctrl-C is a key like any other where the program has it so',
      argv: sh(
        'old=$(stty -g); stty raw -echo; printf "key? "; key=$(dd bs=1 count=1 2>/dev/null | od -An -tx1); stty "$old"; echo; echo "got $key"',
      ),
      play: [['key? ', KEYS.interrupt]],
      screen: 'key? \r\ngot  03\r\n',
    },
    {
      what: 'a line can be corrected',
      argv: sh('printf "> "; read -r x; echo "got $x"'),
      play: [['> ', 'abd\x7fc\r']],
      screen: '> abd\b \bc\r\ngot abc\r\n',
    },
    {
      what: 'Ctrl-D ends the input',
      argv: sh('echo ready; cat; echo "that was all"'),
      play: [
        ['ready', 'line\r'],
        ['line\r\nline\r\n', KEYS.endOfInput],
      ],
      screen: 'ready\r\nline\r\nline\r\nthat was all\r\n',
    },
    {
      what: 'Ctrl-C at a prompt ends the program',
      argv: sh('printf "> "; read -r x; echo "got $x"'),
      play: [['> ', KEYS.interrupt]],
      screen: '> ^C',
    },
    {
      what: 'Ctrl-C at a password prompt ends the program, and shows nothing',
      argv: sh('stty -echo; printf "password: "; read -r x; stty echo; echo "got $x"'),
      play: [['password: ', KEYS.interrupt]],
      screen: 'password: ',
    },
  ];

  it.each(ROWS.map((row) => [row.what, row] as const))('%s', async (_, { argv, play, screen }) => {
    if (argv[0] === bash && NO_BASH !== null) return;
    const { direct, under } = await both(argv, async (terminal) => {
      for (const [wait, keys] of play) {
        await terminal.until(`"${wait}" is there`, wait);
        terminal.type(keys);
      }
    });
    expect(direct.screen).toBe(screen);
    expect(under).toEqual(direct);
  });

  it('is the child’s for what is typed ahead, which both terminals may show', async () => {
    const { under } = await both(sh('read -r x; echo "got $x"'), async (terminal) => terminal.type('line\r'));
    expect(under.screen).toMatch(/^(?:line\r\n){1,2}got line\r\n$/);
  });

  it('is the inner child’s in a run inside a run', async () => {
    const { env } = ground();
    const script = 'printf "name? "; read -r x; echo "hi $x"; stty size; exit 3';
    const state = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const argv = ['/usr/bin/env', ...state, ...wrapped(sh(script))];
    const { direct, under } = await both(argv, async (terminal) => {
      await terminal.until('it asks', 'name? ');
      terminal.type('you\r');
    });
    const end = { exitCode: 3, signal: null };
    expect(direct).toEqual({ screen: 'name? you\r\nhi you\r\n24 80\r\n', end });
    expect(under).toEqual(direct);
  });

  it('takes a long paste whole', async () => {
    const { folder, shellEnv, fresh, read } = ground();
    const file = fresh('pasted');
    const text = Array.from({ length: 400 }, (_, index) => `${index} ${'x'.repeat(index % 90)}\n`).join('');
    const argv = wrapped(sh(`stty -echo; echo ready; cat > ${file}; stty echo; echo over`));
    const terminal = openTerminal(argv, { cwd: folder, env: shellEnv });
    await terminal.until('it is ready', 'ready');
    terminal.type(text.replaceAll('\n', '\r'));
    await until(
      'all of it has arrived',
      () => read(file) === text,
      () => `${read(file).length} of ${text.length}`,
    );
    terminal.type(KEYS.endOfInput);
    await terminal.until('it is over', 'over');
  });
});

describe.skipIf(NO_PTY !== null)(`the window${NEEDS_PTY}`, () => {
  it('has its size for the child, at first and after each change', async () => {
    const play = async (terminal: Terminal) => {
      await terminal.until('the first size', 'first\r\n24 80\r\n80\r\n');
      terminal.resize(132, 50);
      await terminal.until('the second size', 'now\r\n50 132\r\n132\r\n');
      terminal.resize(40, 10);
      await terminal.until('the third size', 'now\r\n10 40\r\n40\r\n');
      terminal.type('\r');
    };
    const { direct, under } = await both(child('sizes.sh'), play);
    expect(under.end).toEqual(direct.end);
    // It may be told twice, but never of a size that is not there any more.
    const told = under.screen
      .match(/(?:first|now)\r\n.*\r\n.*\r\n/g)
      ?.map((text) => text.split('\r\n').slice(1, 3));
    expect(told?.filter((size, index) => size.join() !== told[index - 1]?.join())).toEqual([
      ['24 80', '80'],
      ['50 132', '132'],
      ['10 40', '40'],
    ]);
  });
});

describe.skipIf(NO_BASH !== null || NOT_LINUX)(`job control${NEEDS_BASH}`, () => {
  /** The same session with an interactive bash, in both ways; what it returns is compared. */
  async function sessions<T>(
    play: (shell: Shell, run: (argv: readonly string[]) => string) => Promise<T>,
  ): Promise<{
    readonly direct: T;
    readonly under: T;
  }> {
    const { folder, shellEnv } = ground();
    const [direct, under] = await Promise.all(
      Object.values(WAYS).map(async (way) => {
        const shell = await openShell({ cwd: folder, env: shellEnv });
        return play(shell, (argv) => line(way(argv)));
      }),
    );
    return { direct: direct as T, under: under as T };
  }
  /** The pid that a child has written to a file, and its parent's. */
  async function pidsIn(file: string): Promise<readonly [number, number]> {
    const { read } = ground();
    await until('the child has told its pid', () => read(file).endsWith('\n'));
    const [pid = 0, parent = 0] = read(file).trim().split(' ').map(Number);
    return [pid, parent];
  }
  const tellPid = (file: string) => `echo "$$ $PPID" > ${file}`;

  it('Ctrl-Z stops child and capwrap, jobs shows them, and fg lets both go on', async () => {
    const { fresh } = ground();
    const { direct, under } = await sessions(async (shell, run) => {
      const file = fresh('pid');
      shell.start(run(sh(`${tellPid(file)}; printf "> "; read -r x; echo "got $x"; exit 6`)));
      const [pid, parent] = await pidsIn(file);
      await shell.until('it prompts', /\n> $/);
      shell.type(KEYS.suspend);
      const stopped = await shell.prompt();
      // Directly the parent is the shell.
      const states = [stateOf(pid), parent === shell.pid ? 'T' : stateOf(parent)];
      const jobs = (await shell.run('jobs')).shown;
      const meanwhile = await shell.run('echo meanwhile; stty -a | grep -wc -- -echo');
      const at = shell.screen().length;
      shell.start('fg');
      await shell.until('it goes on', () => stateOf(pid) === 'S');
      await shell.until('the shell has told', /exit 6/, at);
      shell.type('typed\r');
      const { shown, status } = await shell.prompt();
      return {
        stopped: stopped.status,
        states,
        jobs: jobs.replace(/Stopped.*/s, 'Stopped'),
        meanwhile: meanwhile.shown,
        got: shown.endsWith('typed\r\ngot typed\r\n'),
        status,
      };
    });
    expect(direct).toMatchObject({
      stopped: 148,
      states: ['T', 'T'],
      jobs: '[1]+  Stopped',
      got: true,
      status: 6,
    });
    expect(under).toEqual(direct);
  });

  it('Ctrl-Z twice, then bg: it ends in the background', async () => {
    const { fresh } = ground();
    const { direct, under } = await sessions(async (shell, run) => {
      const [file, go] = [fresh('pid'), fresh('go')];
      // No loop of short programs: a shell that Ctrl-Z meets in the middle of starting one can hang.
      spawnSync('mkfifo', [go]);
      shell.start(run(sh(`${tellPid(file)}; read -r x < ${go}; echo over; exit 3`)));
      const [pid] = await pidsIn(file);
      const seen: (string | number | null)[] = [];
      for (const resume of ['fg', 'bg']) {
        shell.type(KEYS.suspend);
        seen.push((await shell.prompt()).status, stateOf(pid));
        shell.start(resume);
        await until('it goes on', () => stateOf(pid) !== 'T');
        if (resume === 'bg') seen.push((await shell.prompt()).status);
      }
      writeFileSync(go, '\n');
      await until('it has ended', () => !isAlive(pid));
      await shell.until('its output is there', 'over\r\n');
      let jobs = '';
      while (!/Exit 3|Done/.test(jobs)) {
        jobs = (await shell.run('jobs')).shown;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return { seen, jobs: jobs.match(/Exit 3|Done/)?.[0] };
    });
    expect(direct).toEqual({ seen: [148, 'T', 148, 'T', 0], jobs: 'Exit 3' });
    expect(under).toEqual(direct);
  });

  it('a child that stops itself gives the shell its prompt back', async () => {
    const { direct, under } = await sessions(async (shell, run) => {
      shell.start(run(sh('kill -STOP $$; echo "back again"; exit 4')));
      const { status } = await shell.prompt();
      const { shown, status: end } = await shell.run('fg');
      return { status, back: shown.includes('back again\r\n'), end };
    });
    expect(direct).toEqual({ status: 147, back: true, end: 4 });
    expect({ ...under, status: under.status >= 147 && under.status <= 148 ? 147 : under.status }).toEqual(
      direct,
    );
  });

  it('a child that heeds no Ctrl-Z keeps the terminal', async () => {
    const { direct, under } = await sessions(async (shell, run) => {
      shell.start(run(sh('trap "" TSTP; printf "> "; read -r x; echo "got $x"; exit 6')));
      await shell.until('it prompts', /\n> $/);
      shell.type(KEYS.suspend);
      await shell.until('the key was heard', '> ^Z');
      shell.type('typed\r');
      const { shown, status } = await shell.prompt();
      return { got: shown.includes('got typed\r\n'), status };
    });
    expect(direct).toEqual({ got: true, status: 6 });
    expect(under).toEqual(direct);
  });

  it('a background job that reads from the terminal waits for fg, and takes no key before', async () => {
    const { fresh } = ground();
    const { direct, under } = await sessions(async (shell, run) => {
      const file = fresh('pid');
      await shell.run(`${run(sh(`${tellPid(file)}; read -r x; echo "got $x"; exit 6`))} &`);
      const [pid] = await pidsIn(file);
      await until('it is stopped, or waits', () => stateOf(pid) === 'T' || stateOf(pid) === 'S');
      const typed = [];
      for (const word of ['one', 'two', 'three']) typed.push((await shell.run(`echo ${word}`)).shown);
      const at = shell.screen().length;
      shell.start('fg');
      await shell.until('the shell has told', /exit 6/, at);
      await until('it goes on', () => stateOf(pid) === 'S');
      shell.type('typed\r');
      const { shown, status } = await shell.prompt();
      const echoed = typed.map((text) => text.match(/^(?:one|two|three)\r$/m)?.[0]);
      return { echoed, got: shown.includes('got typed\r\n'), status };
    });
    expect(direct).toEqual({ echoed: ['one\r', 'two\r', 'three\r'], got: true, status: 6 });
    expect(under).toEqual(direct);
  });

  /** [what, the child in each turn (its number is $0), what the loop does] */
  const LOOPS = [
    ['of a child that it ends stops the loop', 'echo "turn $0"; exec sleep 1000', 'turn 1'],
    [
      'of a child that ends for it by itself lets the loop go on',
      'trap "exit 3" INT; echo "turn $0"; [ "$0" = 2 ] && exit 0; while :; do sleep 0.02; done',
      'turn 1 turn 2 after 0',
    ],
  ] as const;

  it.each(LOOPS)('Ctrl-C %s', async (_, script, expected) => {
    const { direct, under } = await sessions(async (shell, run) => {
      shell.start(`for i in 1 2; do ${run(['/bin/sh', '-c', script])} $i; done; echo "after $?"`);
      await shell.until('the first turn', /turn 1\r\n/);
      shell.type(KEYS.interrupt);
      const { shown, status } = await shell.prompt();
      return { told: shown.match(/(?:turn|after) \d+/g)?.join(' '), status };
    });
    expect(direct.told).toBe(expected);
    expect(under).toEqual(direct);
  });

  it.each(LOOPS)('Ctrl-C %s in a script too', async (_, script, expected) => {
    const { folder, shellEnv } = ground();
    const runs = Object.values(WAYS).map(async (way) => {
      const loop = `for i in 1 2; do ${line(way(['/bin/sh', '-c', script]))} $i; done; echo "after $?"`;
      const terminal = openTerminal([findTool('bash') ?? 'bash', '-c', loop], { cwd: folder, env: shellEnv });
      await terminal.until('the first turn', /turn 1\r\n/);
      terminal.type(KEYS.interrupt);
      const end = await endOf(terminal);
      return {
        told: terminal
          .screen()
          .match(/(?:turn|after) \d+/g)
          ?.join(' '),
        end,
      };
    });
    const [direct, under] = await Promise.all(runs);
    expect(direct?.told).toBe(expected);
    expect(under).toEqual(direct);
  });

  it('Ctrl-Z stops a whole pipeline, and Ctrl-C reaches all of it', async () => {
    const { fresh } = ground();
    const { direct, under } = await sessions(async (shell, run) => {
      const [one, other] = [fresh('pid'), fresh('pid')];
      const reader = line(
        sh(`trap 'echo told' INT; ${tellPid(other)}; while read -r x; do echo "read $x"; done`),
      );
      shell.start(`${run(sh(`${tellPid(one)}; echo ready; exec sleep 1000`))} | ${reader}`);
      const pids = [(await pidsIn(one))[0], (await pidsIn(other))[0]];
      await shell.until('both are there', 'read ready');
      shell.type(KEYS.suspend);
      const { status } = await shell.prompt();
      // The shell may know before the last of them has.
      await until('both have stopped', () => pids.every((pid) => stateOf(pid) === 'T'));
      shell.start('fg');
      await until('both go on', () => pids.every((pid) => stateOf(pid) === 'S'));
      shell.type(KEYS.interrupt);
      const { shown } = await shell.prompt();
      return { status, told: shown.includes('told\r\n'), alive: pids.map(isAlive) };
    });
    expect(direct).toEqual({ status: 148, told: true, alive: [false, false] });
    expect(under).toEqual(direct);
  });

  const REDIRECTIONS = [
    '',
    '< /dev/null',
    '> /dev/null',
    '2> /dev/null',
    '> /dev/null 2>&1',
    '| cat',
    '2>&1 | cat',
    '2>&1 > /dev/null | cat',
  ];
  it.each(REDIRECTIONS)('keys reach the child, and Ctrl-C ends it: %s', async (redirection) => {
    const { fresh, read } = ground();
    const { direct, under } = await sessions(async (shell, run) => {
      const [file, got] = [fresh('pid'), fresh('got')];
      const script = `${tellPid(file)}; read -r x < /dev/tty; echo "got $x" > ${got}; exec sleep 1000`;
      shell.start(`${run(sh(script))} ${redirection}`);
      const [pid] = await pidsIn(file);
      shell.type('typed\r');
      await until('the child has the line', () => read(got) === 'got typed\n', shell.screen);
      shell.type(KEYS.interrupt);
      const { status } = await shell.prompt();
      return { status, alive: isAlive(pid) };
    });
    expect(direct).toEqual({ status: 130, alive: false });
    expect(under).toEqual(direct);
  });

  it('an interactive shell under capwrap has its own', async () => {
    const { folder, shellEnv } = ground();
    const runs = Object.values(WAYS).map(async (way) => {
      const shell = await openShell({ cwd: folder, env: shellEnv, way });
      shell.start(line(sh('echo ready; exec sleep 1000')));
      await shell.until('it runs', 'ready\r\n');
      shell.type(KEYS.suspend);
      const stopped = (await shell.prompt()).status;
      const jobs = (await shell.run('jobs')).shown;
      const at = shell.screen().length;
      shell.start('fg');
      await shell.until('the shell has told', /sleep 1000/, at);
      shell.type(KEYS.interrupt);
      const ended = (await shell.prompt()).status;
      shell.start('exit 7');
      return { stopped, jobs, ended, end: await shell.ended };
    });
    const [direct, under] = await Promise.all(runs);
    expect(direct).toMatchObject({ stopped: 148, ended: 130, end: { exitCode: 7, signal: null } });
    expect(under).toEqual(direct);
  });

  it('a process in the background that keeps the terminal holds nothing up', async () => {
    const { fresh, read, lastRecord } = ground();
    const { direct, under } = await sessions(async (shell, run) => {
      const file = fresh('pid');
      const { shown, status } = await shell.run(
        `CAPWRAP_TASK_ID=keeps ${run(sh(`sleep 1000 & echo $! > ${file}; echo done; exit 5`))}`,
      );
      const alive = isAlive(Number(read(file)));
      process.kill(Number(read(file)), 'SIGKILL');
      return { shown, status, alive };
    });
    expect(direct).toEqual({ shown: 'done\r\n', status: 5, alive: true });
    // The child's own terminal goes with it, and the kernel hangs up on those who are left.
    expect(under).toEqual({ ...direct, alive: false });
    expect(lastRecord('keeps')).toMatchObject({ event: 'closed', outcome: 'revoked_verified' });
  });
});

describe.skipIf(NO_PTY !== null)(`the terminal afterwards${NEEDS_PTY}`, () => {
  /** [what, what the child does] */
  const ROWS = [
    ['a child that dies by KILL in raw mode', 'stty raw -echo; kill -KILL $$'],
    ['a child that dies by KILL with echo off', 'stty -echo; kill -KILL $$'],
    ['a child that dies by KILL, its mode set by stdout', 'stty raw -echo <&1; kill -KILL $$'],
    ['a child that changes nothing', ':'],
    ['a child that sets a mode and ends', 'stty -echo -ixon erase ^H'],
  ] as const;

  it.each(ROWS)('is as it was: %s', async (_, script) => {
    const { folder, shellEnv, fresh, read } = ground();
    const runs = [WAYS['under capwrap']].map(async (way) => {
      const [before, after] = [fresh('before'), fresh('after')];
      const text = `stty -a > ${before}; ${line(way(sh(script)))}; stty -a > ${after}`;
      await openTerminal(['/bin/sh', '-c', text], { cwd: folder, env: shellEnv }).ended;
      expect(read(before)).toContain(' echo ');
      return [read(before), read(after)];
    });
    const [under] = await Promise.all(runs);
    expect(under?.[1]).toBe(under?.[0]);
  });

  it('is as it was: of two runs on it, the first to come is the first to go', async () => {
    const { folder, shellEnv, fresh, read } = ground();
    const [before, after, first, second] = [fresh('before'), fresh('after'), fresh('first'), fresh('second')];
    const start = (pipe: string) => `${line(wrapped(sh(`read -r x < ${pipe}`)))} < /dev/tty &`;
    const text = `
      mkfifo ${first} ${second}; stty -a > ${before}
      ${start(first)} a=$!
      until stty -a | grep -q -- -icanon; do sleep 0.02; done
      ${start(second)} b=$!
      exec 3> ${second}
      echo > ${first}; wait $a
      until stty -a | grep -q -- -icanon; do sleep 0.02; done
      echo >&3; wait $b; stty -a > ${after}`;
    await openTerminal(['/bin/sh', '-c', text], { cwd: folder, env: shellEnv }).ended;
    expect(read(before)).toContain(' echo ');
    expect(read(after)).toBe(read(before));
  });
});

describe.skipIf(NO_PTY !== null)(`a secret on the screen${NEEDS_PTY}`, () => {
  const MASK = '[capwrap:token]';
  /** [what, what a child does with $TOKEN, what is shown] */
  const ROWS: readonly (readonly [string, string, string | RegExp])[] = [
    ['on stdout', 'echo "is $TOKEN."', `is ${MASK}.\r\n`],
    ['on stderr', 'echo "is $TOKEN." >&2', `is ${MASK}.\r\n`],
    ['between colours', String.raw`printf '\033[31m%s\033[0m\n' "$TOKEN"`, `\x1b[31m${MASK}\x1b[0m\r\n`],
    [
      'between cursor movements',
      String.raw`printf '\r\033[K%s\033[2D\b\n' "$TOKEN"`,
      `\r\x1b[K${MASK}\x1b[2D\b\r\n`,
    ],
    ['in two writes', `printf %.9s "$TOKEN"; printf "%s\\n" "\${TOKEN#?????????}"`, `${MASK}\r\n`],
    ['in raw mode', 'stty raw; echo "$TOKEN"; stty cooked; echo end', `${MASK}\nend\r\n`],
    ['wider than the window', 'stty cols 20; echo "$TOKEN"; stty cols 80', `${MASK}\r\n`],
    // The last characters say more about the padding than about the secret.
    ['as base64', 'printf %s "$TOKEN" | base64 -w0; echo', /^\[capwrap:token\]\w{0,2}={0,2}\r\n$/],
    ['as base64 of several lines', 'printf %s "$TOKEN" | base64', /^\[capwrap:token\]\w{0,2}={0,2}\r\n$/],
    ['without a line end, at the end of all', 'printf "%s" "$TOKEN"', MASK],
  ];

  const run = async () => {
    const { folder, shellEnv, fresh, read, lastRecord } = ground();
    const file = fresh('token');
    const rows = inTurn([sh(`printf %s "$TOKEN" > ${file}`), ...ROWS.map(([, script]) => sh(script))]);
    const env = { ...shellEnv, CAPWRAP_TASK_ID: 'masked' };
    const terminal = openTerminal(wrapped(rows), { cwd: folder, env });
    await endOf(terminal);
    const token = read(file);
    expect(token.length).toBeGreaterThan(100);
    expect(terminal.screen()).not.toContain(token);
    const masked = lastRecord('masked')?.['masked'] as { stdout: number; stderr: number };
    expect(masked.stdout + masked.stderr).toBe(ROWS.length);
    return lineFeeds(terminal.screen()).split(NEXT).slice(1);
  };
  let shown: ReturnType<typeof run> | null = null;

  it.each(ROWS.map(([what, , expected], index) => [what, expected, index] as const))(
    'is masked: %s',
    async (_, expected, index) => {
      shown ??= run();
      expect((await shown)[index]).toEqual(
        typeof expected === 'string' ? expected : expect.stringMatching(expected),
      );
    },
  );

  it('is masked in what a program asks with it in the prompt', async () => {
    const { folder, shellEnv } = ground();
    const argv = wrapped(sh('printf "send %s? " "$TOKEN"; read -r x; echo "$x"'));
    const terminal = openTerminal(argv, { cwd: folder, env: shellEnv });
    await terminal.until('it prompts', `send ${MASK}? `);
    terminal.type('yes\r');
    await terminal.ended;
    expect(terminal.screen()).toBe(`send ${MASK}? yes\r\nyes\r\n`);
  });
});

describe.skipIf(NO_PTY !== null)(`a pipe on a terminal${NEEDS_PTY}`, () => {
  it('a reader that has had enough ends the run quietly, and the lease with it', async () => {
    const { folder, shellEnv, lastRecord } = ground();
    const terminal = openTerminal(sh(`${line(wrapped(['yes']))} | head -1; echo "head said $?"`), {
      cwd: folder,
      env: { ...shellEnv, CAPWRAP_TASK_ID: 'head' },
    });
    await terminal.ended;
    expect(terminal.screen()).toBe('y\r\nhead said 0\r\n');
    await until('the run is closed', () => lastRecord('head')?.['event'] === 'closed');
    expect(lastRecord('head')).toMatchObject({ outcome: 'revoked_verified', child: { signal: 'SIGPIPE' } });
  });

  it.skipIf(findTool('less') === null)(`a pager takes keys${needs('less')}`, async () => {
    const play = async (terminal: Terminal) => {
      await terminal.until('the first page', /:$|\x1b\[K:|:\x1b\[K/);
      terminal.type('q');
    };
    const { direct, under } = await both(
      sh('i=0; while [ $i -lt 99 ]; do i=$((i+1)); echo "line $i"; done | less'),
      play,
    );
    expect(under.end).toEqual(direct.end);
    expect(under.screen).toBe(direct.screen);
  });
});

describe.skipIf(NO_PTY !== null || NOT_LINUX)(`the ends of the child's terminal${NEEDS_PTY}`, () => {
  it('are not the child’s: whoever had both would never be hung up', async () => {
    const { folder, shellEnv, fresh, read } = ground();
    for (const redirect of ['', '< /dev/null']) {
      const file = fresh('descriptors');
      const run = line(wrapped(sh(`ls -l /proc/self/fd > ${file}`)));
      await openTerminal(['/bin/sh', '-c', `${run} ${redirect}`], { cwd: folder, env: shellEnv }).ended;
      const links = [...read(file).matchAll(/ (\d+) -> (.*)/g)].map(
        ([, fd, to]) => [Number(fd), to] as const,
      );
      expect(links.length).toBeGreaterThan(2);
      expect(links.filter(([, to]) => to?.includes('ptmx'))).toEqual([]);
      expect(links.filter(([fd, to]) => fd > 2 && to?.startsWith('/dev/pts/'))).toEqual([]);
    }
  });

  it('go with the real terminal, although the child ignores HUP', async () => {
    const { folder, shellEnv, fresh, read } = ground();
    const [up, over] = [fresh('up'), fresh('over')];
    const argv = wrapped(sh(`trap "" HUP; echo up > ${up}; cat; echo over > ${over}`));
    const terminal = openTerminal(argv, { cwd: folder, env: shellEnv });
    await until('the child is there', () => read(up) === 'up\n');
    terminal.hangUp();
    await until('it has met the end of its terminal', () => read(over) === 'over\n');
  });
});

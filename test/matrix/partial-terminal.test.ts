/** Where only some of the streams are the terminal: what goes to it by name is masked, and keys go to whoever asks. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
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
  until,
} from '../helpers/terminal.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { line, NOT_LINUX, useGround, WAYS } from './ground.ts';

const ground = useGround();
const sh = (script: string): readonly string[] => ['/bin/sh', '-c', script];
type Run = (argv: readonly string[]) => string;

/** What a script shows on a terminal in both ways; `write` gets what starts a command. */
async function both(
  write: (run: Run) => string,
  play: (terminal: Terminal) => Promise<void> = async () => {},
): Promise<{ readonly direct: string; readonly under: string }> {
  const { folder, shellEnv } = ground();
  const screens = Object.values(WAYS).map(async (way) => {
    const terminal = openTerminal(sh(write((argv) => line(way(argv)))), { cwd: folder, env: shellEnv });
    await play(terminal);
    let ended = false;
    terminal.ended.then(() => (ended = true));
    await terminal.until('the script ends', () => ended);
    return terminal.screen();
  });
  const [direct = '', under = ''] = await Promise.all(screens);
  return { direct, under };
}

describe.skipIf(NO_PTY !== null || NOT_LINUX)(`a secret${NEEDS_PTY}`, () => {
  const TOLD = 'is [capwrap:token].';
  const tell = (to: string) => sh(`echo "is \${TOKEN:-[capwrap:token]}." > "${to}"`);
  /** Lines of a script, in which RUN is the command. */
  const FORMS = [
    'RUN < /dev/null',
    'RUN > /dev/null',
    'RUN < /dev/null > /dev/null 2>&1',
    'RUN <&- >&- 2>&-',
    'RUN < /dev/tty > /dev/null',
    'RUN | cat',
    'RUN 2>&1 | cat',
    'true | RUN',
    'x=$(RUN)',
    'RUN & wait',
  ];

  it('by the name of the terminal is masked, wherever the streams lead', async () => {
    const { direct, under } = await both((run) =>
      FORMS.map((form) => `echo '${form}'; ${form.replace('RUN', run(tell('/dev/tty')))}`).join('\n'),
    );
    expect(direct).toBe(FORMS.map((form) => `${form}\r\n${TOLD}\r\n`).join(''));
    expect(under).toBe(direct);
  });

  it.each(['/dev/stdin', '$(tty)'])(
    'by another name of a standard input that is the terminal is masked: %s',
    async (name) => {
      const { direct, under } = await both((run) => `${run(tell(name))} | cat`);
      expect(direct).toBe(`${TOLD}\r\n`);
      expect(under).toBe(direct);
    },
  );

  it('is counted, and the record tells of the masked terminal', async () => {
    const { folder, shellEnv, lastRecord } = ground();
    const script = `CAPWRAP_TASK_ID=counted ${line(WAYS['under capwrap'](tell('/dev/tty')))} < /dev/null | cat`;
    await openTerminal(sh(script), { cwd: folder, env: shellEnv }).ended;
    expect(lastRecord('counted')).toMatchObject({ terminal: 'masked', masked: { stdout: 0, stderr: 1 } });
  });
});

describe.skipIf(NO_PTY !== null || NOT_LINUX)(`the child${NEEDS_PTY}`, () => {
  it('has the very standard input of its caller, which others go on reading', async () => {
    const file = ground().fresh('lines');
    writeFileSync(file, 'one\ntwo\nthree\n');
    const reader = sh('read -r x; echo "got $x"');
    const { direct, under } = await both((run) => `{ ${run(reader)}; ${run(reader)} | cat; cat; } < ${file}`);
    expect(direct).toBe('got one\r\ngot two\r\nthree\r\n');
    expect(under).toBe(direct);
  });

  it('lives on when it has left all of its streams behind, and is still seen', async () => {
    const script = 'exec < /dev/null > /dev/null 2>&1; sleep 0.1; echo shown > /dev/tty; exit 3';
    const { direct, under } = await both((run) => `${run(sh(script))}; echo "status $?"`);
    expect(direct).toBe('shown\r\nstatus 3\r\n');
    expect(under).toBe(direct);
  });
});

describe.skipIf(NO_PTY !== null || NOT_LINUX)(`keys in a pipeline${NEEDS_PTY}`, () => {
  /** Asks on the terminal, without echo, and passes on what it was told. */
  const ask = (what: string) =>
    `exec 3<>/dev/tty; stty -echo <&3; printf '${what}? ' >&3; read -r x <&3; stty echo <&3; echo >&3; exec 3>&-; echo "$x"`;

  /** [what, the script, what is waited for and what is typed then, what is on the screen] */
  const ROWS: readonly (readonly [
    string,
    (run: Run) => string,
    readonly (readonly [string, string])[],
    string,
  ])[] = [
    [
      'go to a child that asks for a password, without an echo',
      (run) => `${run(sh(ask('child')))} | sed 's/^/got /'`,
      [['child? ', 'open sesame\r']],
      'child? \r\ngot open sesame\r\n',
    ],
    [
      'go to a program before it that asks, although the child’s output is the terminal',
      (run) => `sh -c ${line([ask('first')])} | ${run(sh('read -r x; echo "got $x"'))}`,
      [['first? ', 'one\r']],
      'first? \r\ngot one\r\n',
    ],
    [
      'go to one after the other, as they ask',
      (run) =>
        `${run(sh(`${ask('child')}; sleep 0.3; ${ask('again')}`))} | sh -c ${line([`read -r a; ${ask('last')}; read -r b; echo "$a $b"`])}`,
      [
        ['child? ', 'one\r'],
        ['last? ', 'two\r'],
        ['again? ', 'three\r'],
      ],
      '',
    ],
    [
      'go to a child that reads its standard input, line by line',
      (run) => `${run(sh('printf "value? " >&2; read -r x; echo "got $x"'))} | cat`,
      [['value? ', 'yes\r']],
      'value? yes\r\ngot yes\r\n',
    ],
    [
      'end the input of such a child',
      (run) => `${run(sh('echo ready >&2; cat; echo over'))} | cat`,
      [
        ['ready', 'line\r'],
        ['line\r\nline', KEYS.endOfInput],
      ],
      'ready\r\nline\r\nline\r\nover\r\n',
    ],
    [
      'go to a program after it that reads them, all of them, as long as the child does not',
      (run) =>
        `${run(sh('echo out; sleep 0.5; exec 3> /dev/tty; sleep 0.5; echo seen >&3; sleep 0.3'))} | sh -c 'printf "more? "; for i in 1 2 3; do read -r x < /dev/tty; printf "$x; "; done; echo; cat'`,
      [
        ['more? ', 'a\r'],
        ['a; ', 'b\r'],
        ['seen', 'c\r'],
      ],
      '',
    ],
  ];

  it.each(ROWS)('%s', async (_, write, steps, screen) => {
    const { direct, under } = await both(write, async (terminal) => {
      for (const [wait, keys] of steps) {
        await terminal.until(`"${wait}" is there`, wait);
        terminal.type(keys);
      }
    });
    if (screen !== '') expect(direct).toBe(screen);
    // Two programs write to the terminal by ways of their own.
    expect(under.replaceAll('\r\n', '')).toBe(direct.replaceAll('\r\n', ''));
  });

  it.skipIf(findTool('less') === null)(
    `go to a pager after it, at once and to the end${needs('less')}`,
    async () => {
      const body = sh('i=0; while [ $i -lt 99 ]; do i=$((i+1)); echo "line $i"; done; sleep 1000');
      const { direct, under } = await both(
        (run) => `${run(body)} | less; echo over`,
        async (terminal) => {
          for (const [wait, key] of [
            ['line 23', ' '],
            ['line 46', 'j'],
            ['line 47', 'q'],
          ] as const) {
            await terminal.until(`${wait} is there`, wait);
            terminal.type(key);
          }
          // The child ends with its reader; this one writes nothing more, and is ended by hand.
          await terminal.until('the pager has ended', '\x1b[?1049l');
          terminal.type(KEYS.interrupt);
        },
      );
      expect(direct).toContain('line 47');
      expect(under.replace('^C', '')).toBe(direct.replace('^C', ''));
    },
  );
});

describe.skipIf(NO_BASH !== null || NOT_LINUX)(`job control of a pipeline${NEEDS_BASH}`, () => {
  /** The same session with an interactive bash, in both ways. */
  async function sessions<T>(play: (shell: Shell, run: Run) => Promise<T>) {
    const { folder, shellEnv } = ground();
    const shells = Object.values(WAYS).map(async (way) => {
      const shell = await openShell({ cwd: folder, env: shellEnv });
      return play(shell, (argv) => line(way(argv)));
    });
    const [direct, under] = await Promise.all(shells);
    return { direct, under };
  }
  const PIPES = ['| cat', '2>&1 > /dev/null | cat', '> /dev/null'];

  it.each(PIPES)('Ctrl-Z stops the child, fg lets it go on, and Ctrl-C ends it once: %s', async (pipe) => {
    const { fresh, read } = ground();
    const { direct, under } = await sessions(async (shell, run) => {
      const [pids, told, never] = [fresh('pids'), fresh('told'), fresh('never')];
      spawnSync('mkfifo', [never]);
      // No loop of short programs: a shell that Ctrl-Z meets in the middle of starting one can hang.
      const body = `trap 'echo told >> ${told}; exit 5' INT; exec 4<> ${never}; echo $$ > ${pids}; read -r x <&4`;
      shell.start(`set -o pipefail; ${run(sh(body))} ${pipe}`);
      await until('the child has told its pid', () => read(pids).endsWith('\n'), shell.screen);
      const pid = Number(read(pids));
      shell.type(KEYS.suspend);
      const stopped = (await shell.prompt()).status;
      await until('the child is stopped', () => stateOf(pid) === 'T', shell.screen);
      const at = shell.screen().length;
      shell.start('fg');
      await shell.until('the shell has told', /never/, at);
      await until('the child goes on', () => stateOf(pid) !== 'T', shell.screen);
      shell.type(KEYS.interrupt);
      const { status } = await shell.prompt();
      return { stopped, status, told: read(told), alive: isAlive(pid) };
    });
    expect(direct).toMatchObject({ stopped: 148, told: 'told\n', alive: false });
    expect(under).toEqual(direct);
  });
});

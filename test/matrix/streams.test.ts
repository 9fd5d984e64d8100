/** Where the three standard streams lead makes no difference: a child finds the same under capwrap as without it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { NEEDS_PTY, NO_PTY, openTerminal, until } from '../helpers/terminal.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { child, line, NOT_LINUX, startPiped, useGround, WAYS } from './ground.ts';

const ground = useGround();

type Place = 'terminal' | 'pipe' | 'file' | 'null' | 'closed';
interface Row {
  readonly stdin: Place;
  readonly stdout: Place;
  readonly stderr: Place | 'same';
}
type Way = keyof typeof WAYS;
const BOTH = Object.keys(WAYS) as Way[];

/**
 * One row as lines of a shell script, whose own descriptor 4 is the terminal. `file` is the row's own name. A stream that
 * is closed for capwrap is as good as `/dev/null` for its child.
 */
function script(row: Row, way: Way, file: string): string {
  const opened = <T>(place: T) => (place === 'closed' && way === 'directly' ? 'null' : place);
  const [stdin, stdout, stderr] = [opened(row.stdin), opened(row.stdout), opened(row.stderr)];
  const waits = row.stdin === 'terminal' || row.stdin === 'closed' ? 'no' : 'yes';
  const command = line(WAYS[way](child('streams.sh', file, waits)));
  const from = {
    terminal: '<&4',
    pipe: `< ${file}.i`,
    file: `< ${file}.in`,
    null: '< /dev/null',
    closed: '<&-',
  };
  const to = (name: string) => ({
    terminal: '>&4',
    pipe: `> ${file}.${name}`,
    file: `>> ${file}.${name}-file`,
    null: '> /dev/null',
    closed: '>&-',
  });
  const out = to('o')[stdout];
  const err = stderr === 'same' ? '2>&1' : `2${to('e')[stderr]}`;
  return `mkfifo ${file}.i ${file}.o ${file}.e; echo line > ${file}.in
    ${stdin === 'pipe' ? `echo line > ${file}.i &` : ''}
    ${stdout === 'pipe' ? `cat ${file}.o > /dev/null &` : ''}
    ${stderr === 'pipe' ? `cat ${file}.e > /dev/null &` : ''}
    ${command} ${from[stdin]} ${out} ${err} 4>&-
    echo "status $?" >> ${file}; wait`;
}

const name = ({ stdin, stdout, stderr }: Row) => `stdin ${stdin}, stdout ${stdout}, stderr ${stderr}`;

/** What the child reported in each row, by way. Two shells run at the same time, each through one way. */
async function reports(
  rows: readonly Row[],
  start: (script: string) => Promise<unknown>,
): Promise<Record<Way, readonly string[]>> {
  const { fresh, read } = ground();
  const ends = BOTH.map(async (way) => {
    const files = rows.map(() => fresh('row'));
    await start(rows.map((row, index) => script(row, way, files[index] ?? '')).join('\n'));
    return files.map(read);
  });
  const [directly = [], under = []] = await Promise.all(ends);
  return { directly, 'under capwrap': under };
}

/** For all rows of one way; so long that nothing but a row that hangs takes it, however busy the machine is. */
const LIMIT_MS = 90_000;

/** Rows after one that hangs are missing then, and say so. */
function inTime(end: Promise<unknown>): Promise<unknown> {
  return Promise.race([end, new Promise((resolve) => setTimeout(resolve, LIMIT_MS).unref())]);
}

const PLACES: readonly Place[] = ['terminal', 'pipe', 'file', 'null', 'closed'];

describe.skipIf(NO_PTY !== null)(`with a terminal${NEEDS_PTY}`, () => {
  const rows: readonly Row[] = [
    ...PLACES.flatMap((stdout) =>
      [...PLACES, ...(stdout === 'closed' ? [] : ['same' as const])].map((stderr) => ({
        stdin: 'terminal' as const,
        stdout,
        stderr,
      })),
    ),
    ...PLACES.slice(1).flatMap((stdin) => [
      { stdin, stdout: 'terminal' as const, stderr: 'terminal' as const },
      { stdin, stdout: 'pipe' as const, stderr: 'file' as const },
    ]),
  ];
  let seen: Record<Way, readonly string[]> = { directly: [], 'under capwrap': [] };
  beforeAll(async () => {
    const { folder, shellEnv } = ground();
    seen = await reports(rows, async (text) => {
      const options = { cwd: folder, env: shellEnv, cols: 99, rows: 33 };
      const terminal = openTerminal(['/bin/sh', '-c', `exec 4<&0\n${text}`], options);
      await inTime(terminal.ended);
      terminal.close(); // a hook has to see to that itself
    });
  }, LIMIT_MS + 10_000);

  it.each(rows.map((row, index) => [name(row), index] as const))('%s', (_, index) => {
    expect(seen.directly[index]).toContain('status 5\n');
    expect(seen['under capwrap'][index]).toBe(seen.directly[index]);
  });
});

describe('without a terminal', () => {
  const rows: readonly Row[] = [
    ...PLACES.slice(1).map((stdin) => ({ stdin, stdout: 'pipe' as const, stderr: 'pipe' as const })),
    ...PLACES.slice(2).map((place) => ({ stdin: 'null' as const, stdout: place, stderr: place })),
    ...(['pipe', 'file'] as const).map((stdout) => ({
      stdin: 'null' as const,
      stdout,
      stderr: 'same' as const,
    })),
  ];
  let seen: Record<Way, readonly string[]> = { directly: [], 'under capwrap': [] };
  beforeAll(async () => {
    const { folder, shellEnv } = ground();
    seen = await reports(rows, (text) => {
      return inTime(startPiped(['/bin/sh', '-c', text], { cwd: folder, env: shellEnv }).ended);
    });
  }, LIMIT_MS + 10_000);

  it.each(rows.map((row, index) => [name(row), index] as const))('%s', (_, index) => {
    expect(seen.directly[index]).toContain('status 5\n');
    expect(seen['under capwrap'][index]).toBe(seen.directly[index]);
  });
});

/** What a shell script prints, with `RUN` in it replaced by the way of starting `argv`. */
async function both(text: string, argv: readonly string[], shell = '/bin/sh'): Promise<Record<Way, string>> {
  const { folder, shellEnv } = ground();
  const runs = BOTH.map(async (way) => {
    const run = startPiped([shell, '-c', text.replaceAll('RUN', line(WAYS[way](argv)))], {
      cwd: folder,
      env: shellEnv,
    });
    await run.ended;
    return `${run.out()}${run.err()}`;
  });
  const [directly = '', under = ''] = await Promise.all(runs);
  return { directly, 'under capwrap': under };
}

describe('the order of both streams', () => {
  const LINES = Array.from({ length: 100 }, (_, index) => `${index % 2 ? 'err' : 'out'} ${index + 2}\n`).join(
    '',
  );

  it.each([
    ['a pipe', 'RUN 2>&1 | cat'],
    ['a file', 'f=$(mktemp ./order.XXXXXX); RUN > "$f" 2>&1; cat "$f"'],
    ['a file that is appended to', 'f=$(mktemp ./order.XXXXXX); RUN >> "$f" 2>> "$f"; cat "$f"'],
  ])('is kept in %s', async (_, text) => {
    const shown = await both(text, child('alternate.sh'));
    expect(shown.directly).toBe(LINES);
    expect(shown['under capwrap']).toBe(LINES);
  });

  it.skipIf(NO_PTY !== null)(`is kept on a terminal${NEEDS_PTY}`, async () => {
    const { folder, shellEnv } = ground();
    const terminal = openTerminal(WAYS['under capwrap'](child('alternate.sh')), {
      cwd: folder,
      env: shellEnv,
    });
    await terminal.ended;
    expect(terminal.screen()).toBe(LINES.replaceAll('\n', '\r\n'));
  });
});

describe('a shell around it sees no difference', () => {
  it.each([
    [
      '> /dev/stderr goes where stderr goes',
      '{ RUN 2>&1 >/dev/null; } | cat',
      'echo one > /dev/stderr; echo two >&2',
    ],
    ['> /dev/stdout goes where stdout goes', 'RUN | cat', 'echo one > /dev/stdout; echo two'],
    [
      'what it does not read is left to the next',
      'printf "a\\nb\\nc\\n" > in; { RUN; cat; } < in',
      'read -r x; echo "got $x"',
    ],
    [
      'nothing on stdin is waited for',
      '{ sleep 1000 & echo $!; } | { read -r pid; RUN; echo "status $?"; kill "$pid"; }',
      'exit 4',
    ],
    ['a missing last line end stays missing', 'RUN; echo "|"', 'printf "no end"'],
    ['no output is no output', 'RUN | wc -c', ':'],
    ['a status in a condition', 'if RUN; then echo yes; else echo "no $?"; fi', 'exit 6'],
    ['command substitution', 'x=$(RUN); echo "[$x] $?"', 'echo "a  b"; exit 8'],
    ['a here-document', 'RUN <<E\nfrom here\nE', 'cat'],
  ])('%s', async (_, text, body) => {
    const shown = await both(text, ['/bin/sh', '-c', body]);
    expect(shown.directly).not.toBe('');
    expect(shown['under capwrap']).toBe(shown.directly);
  });

  it.skipIf(findTool('bash') === null)(
    `a reader that goes away ends the child by SIGPIPE, quietly${needs('bash')}`,
    async () => {
      const text = 'RUN | head -1; echo "$' + '{PIPESTATUS[0]}"';
      const shown = await both(text, ['yes'], 'bash');
      expect(shown.directly).toBe('y\n141\n');
      expect(shown['under capwrap']).toBe(shown.directly);
      // Whoever looks at the status of the write finds the same.
      const looked = await both('RUN | head -1', ['/bin/sh', '-c', 'yes; echo "$?" >&2'], 'bash');
      expect(looked.directly).toBe('y\n141\n');
      expect(looked['under capwrap']).toBe(looked.directly);
    },
  );

  it('bytes of every kind come through in both directions', async () => {
    const { fresh } = ground();
    const [from, to] = [fresh('from'), fresh('to')];
    writeFileSync(from, Buffer.from(Array.from({ length: 1_500_000 }, (_, index) => (index * 7919) >> 3)));
    for (const text of [`RUN < ${from} > ${to}`, `cat ${from} | RUN | cat > ${to}`]) {
      const { folder, shellEnv } = ground();
      const command = text.replace('RUN', line(WAYS['under capwrap'](['cat'])));
      const run = startPiped(['/bin/sh', '-c', command], { cwd: folder, env: shellEnv });
      expect(await run.ended).toEqual({ code: 0, signal: null });
      expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
    }
  });

  it.skipIf(NOT_LINUX || NO_PTY !== null)(
    `descriptors that it shares are left as they were${NEEDS_PTY}`,
    async () => {
      // A descriptor left in non-blocking mode makes the next program on the terminal fail with EAGAIN.
      const { folder, shellEnv, fresh, read } = ground();
      const report = fresh('flags');
      const show = `for fd in 0 1 2; do grep flags /proc/$$/fdinfo/$fd; done >> ${report}`;
      const run = line(WAYS['under capwrap'](['/bin/sh', '-c', 'echo out; echo err >&2']));
      const text = `${show}; ${run}; ${show}; { ${run}; ${show}; } 2>&1 | cat; echo over`;
      const terminal = openTerminal(['/bin/sh', '-c', text], { cwd: folder, env: shellEnv });
      await terminal.until('it is over', 'over');
      const flags = read(report).trimEnd().split('\n');
      expect(flags.slice(3, 6)).toEqual(flags.slice(0, 3));
      expect(flags).toHaveLength(9);
      const nonBlocking = flags.slice(6).map((one) => Number.parseInt(one.replace(/\D/g, ''), 8) & 0o4000);
      expect(nonBlocking).toEqual([0, 0, 0]);
    },
  );

  it('a background process that keeps the streams holds nothing up', async () => {
    const { folder, shellEnv, fresh, read, lastRecord } = ground();
    const pidFile = fresh('pid');
    const body = `sleep 1000 & echo $! > ${pidFile}; echo done; exit 3`;
    const run = startPiped(WAYS['under capwrap'](['/bin/sh', '-c', body]), {
      cwd: folder,
      env: { ...shellEnv, CAPWRAP_TASK_ID: 'background' },
    });
    // `close` would wait for the pipe too, if the child's own end had been handed to it.
    expect(await run.ended).toEqual({ code: 3, signal: null });
    expect(run.out()).toBe('done\n');
    expect(lastRecord('background')).toMatchObject({ event: 'closed', outcome: 'revoked_verified' });
    await until('the background process has been told of', () => read(pidFile) !== '');
    process.kill(Number(read(pidFile)), 'SIGKILL');
  });
});

/** Every signal that a person, a shell or a supervisor sends, with and without a terminal: it arrives, and once. */
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isAlive,
  KEYS,
  NEEDS_PTY,
  NO_PTY,
  openTerminal,
  stateOf,
  type Terminal,
  until,
} from '../helpers/terminal.ts';
import { type AwsWorkspace, awsWorkspace } from '../helpers/workspace.ts';
import { child, type Ground, line, NOT_LINUX, startPiped, useGround, wrapped } from './ground.ts';

const ground = useGround();

/** A program that counts signals, seen through its log. */
interface Counter {
  readonly argv: readonly string[];
  readonly pid: () => number;
  readonly parent: () => number;
  /** The signals so far, without SIG. */
  readonly log: () => readonly string[];
  readonly ready: () => boolean;
  readonly end: () => void;
}

function counter({ fresh, read }: Ground, program = 'count-signals.mjs'): Counter {
  const file = fresh('signals');
  const lines = () => read(file).split('\n').slice(0, -1);
  const numbers = () => lines()[0]?.split(' ').map(Number) ?? [];
  return {
    argv: child(program, file),
    pid: () => numbers()[0] ?? 0,
    parent: () => numbers()[1] ?? 0,
    log: () => lines().slice(1),
    ready: () => lines().length > 0,
    end: () => writeFileSync(`${file}.end`, ''),
  };
}

function send(pid: number, ...signals: readonly string[]): void {
  expect(Math.abs(pid), 'a process to signal').toBeGreaterThan(1);
  for (const signal of signals) process.kill(pid, `SIG${signal}`);
}

/**
 * A signal that is sent after the one in question, by the same way. When it has arrived, all that the other one has
 * led to has arrived as well.
 */
function markerFor(signal: string): string {
  return signal === 'USR2' ? 'USR1' : 'USR2';
}

function closed(taskId: string) {
  return expect.objectContaining({ event: 'closed', task_id: taskId, outcome: 'revoked_verified' });
}

describe('without a terminal', () => {
  /** capwrap with a child that has a child of its own in its group. */
  async function start(taskId: string) {
    const { folder, shellEnv } = ground();
    const [one, other] = [counter(ground()), counter(ground())];
    const script = `${line(other.argv)} & exec ${line(one.argv)}`;
    const run = startPiped(wrapped(['/bin/sh', '-c', script]), {
      cwd: folder,
      env: { ...shellEnv, CAPWRAP_TASK_ID: taskId },
    });
    await until(
      'both are ready',
      () => one.ready() && other.ready(),
      () => run.err(),
    );
    return { run, one, other };
  }

  const SIGNALS = ['INT', 'TERM', 'HUP', 'QUIT', 'USR1', 'USR2', 'CONT', 'WINCH'] as const;

  it.each([
    ...SIGNALS.map((signal) => ({ signal, to: 'capwrap' })),
    // A supervisor that signals the whole group of what it has started.
    ...(['INT', 'TERM', 'HUP'] as const).map((signal) => ({ signal, to: "capwrap's group" })),
  ])("$signal to $to reaches the child's group, once", async ({ signal, to }) => {
    const taskId = `${signal} to ${to}`;
    const { run, one, other } = await start(taskId);
    send(to === 'capwrap' ? run.pid : -run.pid, signal);
    await until('it has arrived', () => [one, other].every(({ log }) => log().length > 0));
    const marker = markerFor(signal);
    send(run.pid, marker);
    await until('the marker has arrived', () => [one, other].every(({ log }) => log().includes(marker)));
    expect({ child: one.log(), grandchild: other.log() }).toEqual({
      child: [signal, marker],
      grandchild: [signal, marker],
    });
    other.end();
    one.end();
    expect(await run.ended).toEqual({ code: 7, signal: null });
    expect(run.err()).toBe('');
    expect(ground().lastRecord(taskId)).toEqual(closed(taskId));
  });

  it.skipIf(NOT_LINUX)('TSTP stops all of them, and CONT lets all of them go on', async () => {
    const { run, one, other } = await start('TSTP');
    const all = [run.pid, one.pid(), other.pid()];
    send(run.pid, 'TSTP');
    await until('all are stopped', () => all.every((pid) => stateOf(pid) === 'T'));
    send(run.pid, 'CONT');
    await until('they have been told', () => [one, other].every(({ log }) => log().includes('CONT')));
    send(run.pid, 'USR2');
    await until('they go on', () => [one, other].every(({ log }) => log().includes('USR2')));
    expect([one.log(), other.log()]).toEqual([
      ['CONT', 'USR2'],
      ['CONT', 'USR2'],
    ]);
    other.end();
    one.end();
    expect(await run.ended).toEqual({ code: 7, signal: null });
  });

  it.skipIf(NOT_LINUX)('USR1 opens no inspector', async () => {
    const { run, one, other } = await start('inspector');
    send(run.pid, 'USR1', 'USR1');
    await until('it has arrived', () => one.log().includes('USR1'));
    send(run.pid, 'USR2');
    await until('the marker has arrived', () => one.log().includes('USR2'));
    expect(listeningSockets(run.pid)).toEqual([]);
    other.end();
    one.end();
    await run.ended;
    expect(run.err()).toBe('');
  });

  it.skipIf(NOT_LINUX)('USR1 in the first moments opens none for a child to be started under', async () => {
    const { folder, shellEnv, fresh } = ground();
    // Milliseconds after Node has taken the launcher's place; spread over its start, not to be met exactly.
    const runs = [0, 5, 10, 15, 20, 25, 30, 40, 50, 70].map(async (delay) => {
      const ran = fresh('ran');
      const run = startPiped(wrapped(['/bin/sh', '-c', `touch ${ran}`]), { cwd: folder, env: shellEnv });
      const program = () => readFileSync(`/proc/${run.pid}/cmdline`, 'latin1').split('\0')[0] ?? '';
      while (isAlive(run.pid) && !program().endsWith('node')) await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, delay));
      if (isAlive(run.pid)) send(run.pid, 'USR1');
      return { ...(await run.ended), err: run.err(), ran: existsSync(ran) };
    });
    for (const { code, signal, err, ran } of await Promise.all(runs)) {
      // Too early for Node to have a handler, or handed on to a child without one: the signal's default action. Too early
      // for capwrap's: the inspector opens, unless another process has its port, and capwrap refuses to go on.
      if (signal !== null) expect([signal, err]).toEqual(['SIGUSR1', '']);
      else if (code === 120)
        expect([ran, err]).toEqual([false, expect.stringContaining('inspector is open')]);
      else expect([code, ran, err]).toEqual([0, true, expect.not.stringContaining('listening')]);
    }
  });
});

describe.skipIf(NO_PTY !== null || NOT_LINUX)(`on a terminal${NEEDS_PTY}`, () => {
  /** A shell without job control, a bystander that it has started, and capwrap: all in the foreground group. */
  async function start(taskId: string) {
    const { folder, shellEnv } = ground();
    const [one, bystander] = [counter(ground()), counter(ground())];
    const script = `trap : INT QUIT HUP; ${line(bystander.argv)} & ${line(wrapped(one.argv))}
      echo "status $?"; wait; echo "shell is there"`;
    const terminal = openTerminal(['/bin/sh', '-c', script], {
      cwd: folder,
      env: { ...shellEnv, CAPWRAP_TASK_ID: taskId },
    });
    await until('both are ready', () => one.ready() && bystander.ready(), terminal.screen);
    return { terminal, one, bystander };
  }

  interface Act {
    readonly what: string;
    readonly act: (terminal: Terminal, capwrap: number) => void;
    /** What reaches the child, and what the bystander; a `?` for what may reach it or not. */
    readonly child: string;
    readonly bystander: string | null;
  }
  const key = (signal: string, keys: string, name: string): Act => ({
    what: `${name} reaches the child once, from the terminal`,
    act: ({ type }) => type(keys),
    child: signal,
    bystander: signal,
  });
  const alone = (signal: string): Act => ({
    what: `${signal} to capwrap alone is handed on to the child alone, once`,
    act: (_, capwrap) => send(capwrap, signal),
    child: signal,
    bystander: null,
  });
  const ACTS: readonly Act[] = [
    key('INT', KEYS.interrupt, 'Ctrl-C'),
    key('QUIT', KEYS.quit, 'Ctrl-\\'),
    // No shell could continue this group, so that most of its processes would not stop for the key anyway.
    { ...key('TSTP', KEYS.suspend, 'Ctrl-Z'), bystander: '?' },
    ...['TERM', 'HUP', 'USR1', 'USR2'].map(alone),
    {
      what: 'CONT to the group reaches the child once',
      act: ({ pid }) => send(-pid, 'CONT'),
      child: 'CONT',
      bystander: 'CONT',
    },
  ];

  it.each(ACTS.map((row) => [row.what, row] as const))(
    '%s',
    async (what, { act, child: signal, bystander: other }) => {
      const { terminal, one, bystander } = await start(what);
      act(terminal, one.parent());
      await until('it has arrived', () => one.log().length > 0);
      const marker = markerFor(signal);
      send(one.parent(), marker);
      await until('the marker has arrived', () => one.log().includes(marker));
      if (other === signal) await until('the bystander has it as well', () => bystander.log().length > 0);
      expect({ child: one.log(), bystander: bystander.log() }).toEqual({
        child: [signal, marker],
        bystander: other === '?' ? expect.anything() : other === null ? [] : [other],
      });
      one.end();
      await terminal.until('the shell goes on', /status 7\r\n/);
      expect(isAlive(bystander.pid())).toBe(true);
      bystander.end();
      await terminal.ended;
      expect(terminal.screen()).toMatch(/shell is there\r\n$/);
      expect(ground().lastRecord(what)).toEqual(closed(what));
    },
  );

  it('a resized window is told to the child', async () => {
    const { terminal, one, bystander } = await start('WINCH');
    terminal.resize(100, 40);
    await until('it has arrived', () => one.log().includes('WINCH'));
    send(one.parent(), 'USR2');
    await until('the marker has arrived', () => one.log().includes('USR2'));
    // A second one is no harm: only after the first can capwrap pass the new size on to a terminal of its own.
    expect(one.log().join(' ')).toMatch(/^WINCH (?:WINCH )?USR2$/);
    one.end();
    bystander.end();
    await terminal.ended;
  });

  /** Who leads the session; a shell that does dies of the hang-up, so the status is left by one that does not. */
  const LEADERS = [
    { leader: 'capwrap', script: (run: string, _status: string) => `exec ${run}` },
    {
      leader: 'a shell',
      script: (run: string, status: string) => `(trap : HUP; ${run}; echo $? > ${status}); exit`,
    },
  ] as const;

  it.each(LEADERS)(
    'a terminal that goes away is told to the child once, where $leader leads the session',
    async ({ leader, script }) => {
      const { folder, shellEnv, fresh, read } = ground();
      const [one, other] = [counter(ground()), counter(ground())];
      // A shell would count two that come at once as one. Node aborts at its end where a terminal that it has is gone.
      const both = `exec < /dev/null > /dev/null 2>&1; ${line(other.argv)} & exec ${line(one.argv)}`;
      const child = ['/bin/sh', '-c', both];
      const [status, errors] = [fresh('status'), fresh('errors')];
      const argv = ['/bin/sh', '-c', script(`${line(wrapped(child))} 2> ${errors}`, status)];
      const taskId = `gone from ${leader}`;
      const terminal = openTerminal(argv, { cwd: folder, env: { ...shellEnv, CAPWRAP_TASK_ID: taskId } });
      const members = [one, other];
      await until(
        'both are ready',
        () => members.every(({ ready }) => ready()),
        () => read(errors),
      );
      const capwrap = one.parent();
      terminal.hangUp();
      await until('it has arrived', () => members.every(({ log }) => log().includes('HUP')));
      // On a busy machine capwrap hears of it by a signal long after the child, or from the shell as well.
      send(capwrap, 'HUP');
      send(capwrap, 'USR2');
      await until('the marker has arrived', () => members.every(({ log }) => log().includes('USR2')));
      for (const { log, end } of members) {
        expect(log().filter((name) => name !== 'CONT')).toEqual(['HUP', 'USR2']);
        end();
      }
      // What ends now is a process whose terminal is gone: Node aborts there unless it is kept from it. (What the
      // child's shell says of its own children is not capwrap's.)
      const end = leader === 'capwrap' ? (await terminal.ended).exitCode : await numberIn(status);
      const ofItsOwn = /^(?:Hangup|User defined signal 2)\n/gm;
      expect([end, read(errors).replace(ofItsOwn, '')]).toEqual([7, '']);
      expect(ground().lastRecord(taskId)).toMatchObject({ event: 'closed', child: { exit_code: 7 } });
    },
  );
});

describe('a child that does not heed the first', () => {
  // The map's kill_after is a second; the rows run at the same time.
  it('INT or TERM is asked to end at the second, then killed, with its group', async () => {
    const { folder, shellEnv } = ground();
    const rows = ['INT INT', 'INT TERM', 'TERM INT', 'TERM TERM'] as const;
    const ends = rows.map(async (row) => {
      const [one, other] = [counter(ground()), counter(ground())];
      const run = startPiped(wrapped(['/bin/sh', '-c', `${line(other.argv)} & exec ${line(one.argv)}`]), {
        cwd: folder,
        env: { ...shellEnv, CAPWRAP_TASK_ID: row },
      });
      await until('both are ready', () => one.ready() && other.ready(), run.err);
      const [first = '', second = ''] = row.split(' ');
      send(run.pid, first);
      await until('the first has arrived', () => one.log().length === 1);
      expect(one.log()).toEqual([first]);
      send(run.pid, second);
      await until(`${row}: the child is gone`, () => !isAlive(one.pid()));
      await until(`${row}: the grandchild is gone`, () => !isAlive(other.pid()));
      const end = await run.ended;
      return [row, one.log().includes('TERM'), end, ground().lastRecord(row)];
    });
    expect(await Promise.all(ends)).toEqual(
      rows.map((row) => [
        row,
        true,
        { code: null, signal: 'SIGKILL' },
        expect.objectContaining({ event: 'closed', child: expect.objectContaining({ signal: 'SIGKILL' }) }),
      ]),
    );
  });

  it('is asked in a way that it can heed', async () => {
    const { folder, shellEnv } = ground();
    const script = `trap 'echo told' INT; trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.02; done`;
    const run = startPiped(wrapped(['/bin/sh', '-c', script]), { cwd: folder, env: shellEnv });
    await until('the child is ready', () => run.out().includes('ready'));
    send(run.pid, 'INT');
    await until('the first has arrived', () => run.out().includes('told'));
    send(run.pid, 'INT');
    expect(await run.ended).toEqual({ code: 3, signal: null });
    expect(run.out()).toMatch(/^ready\n(?:told\n)+asked\n$/);
  });

  it.skipIf(NO_PTY !== null || NOT_LINUX)(
    `Ctrl-C is ended at the second, and nobody else in the group${NEEDS_PTY}`,
    async () => {
      const { folder, shellEnv } = ground();
      const [one, bystander] = [counter(ground()), counter(ground())];
      const script = `trap : INT; ${line(bystander.argv)} & ${line(wrapped(one.argv))}; echo "status $?"; wait; echo "shell is there"`;
      const terminal = openTerminal(['/bin/sh', '-c', script], { cwd: folder, env: shellEnv });
      await until('both are ready', () => one.ready() && bystander.ready(), terminal.screen);
      for (const count of [1, 2]) {
        terminal.type(KEYS.interrupt);
        await until('it has arrived', () => one.log().filter((signal) => signal === 'INT').length === count);
      }
      await terminal.until('capwrap has ended', 'status 137\r\n');
      expect(one.log()).toContain('TERM');
      expect(bystander.log()).toEqual(['INT', 'INT']);
      bystander.end();
      await terminal.ended;
      expect(terminal.screen()).toMatch(/shell is there\r\n$/);
    },
  );
});

describe('a signal before there is a child', () => {
  /** An issuer that takes its time: the grant is on disk, the credential is not there yet. */
  async function slow(): Promise<AwsWorkspace> {
    const workspace = await awsWorkspace();
    workspace.sandbox.faults.push({ kind: 'slow', service: 'sts', delayMs: 9_000 });
    return workspace;
  }
  const granted = (workspace: AwsWorkspace) =>
    until('the grant is on disk', () => workspace.records().some(({ event }) => event === 'granted'));
  const COMMAND = ['/bin/sh', '-c', 'touch ran'] as const;
  const PATH = process.env['PATH'] ?? '';

  function expectNoChild(workspace: AwsWorkspace): void {
    expect(existsSync(join(workspace.folder, 'ran'))).toBe(false);
    const last = workspace.records().at(-1);
    // The request was on its way, so there may be a credential that nobody has seen.
    expect(last).toMatchObject({ event: 'closed', outcome: 'expires' });
    expect(last).not.toHaveProperty('child');
  }

  /** [signal, how capwrap ends: a core file is left out] */
  const ENDS = [
    ['INT', { code: null, signal: 'SIGINT' }],
    ['TERM', { code: null, signal: 'SIGTERM' }],
    ['HUP', { code: null, signal: 'SIGHUP' }],
    ['QUIT', { code: 131, signal: null }],
  ] as const;

  it.each(ENDS)('%s starts none, and the record says so', async (signal, end) => {
    const workspace = await slow();
    const run = startPiped(wrapped(COMMAND, 'preview'), {
      cwd: workspace.folder,
      env: { PATH, ...workspace.env },
    });
    await granted(workspace);
    send(run.pid, signal);
    expect(await run.ended).toEqual(end);
    expectNoChild(workspace);
  });

  it.skipIf(NO_PTY !== null).each([
    ['Ctrl-C', KEYS.interrupt, { exitCode: 0, signal: 2 }],
    ['Ctrl-\\', KEYS.quit, { exitCode: 131, signal: null }],
  ] as const)(`%s on a terminal starts none${NEEDS_PTY}`, async (_, key, end) => {
    const workspace = await slow();
    const terminal = openTerminal(wrapped(COMMAND, 'preview'), {
      cwd: workspace.folder,
      env: { PATH, ...workspace.env },
    });
    await granted(workspace);
    terminal.type(key);
    expect(await terminal.ended, terminal.screen()).toEqual(end);
    expectNoChild(workspace);
  });
});

async function numberIn(path: string): Promise<number> {
  const { read } = ground();
  await until(`there is a number in ${path}`, () => /^\d+\n$/.test(read(path)));
  return Number(read(path));
}

/** TCP ports on which a process listens, as the kernel tells it. */
function listeningSockets(pid: number): number[] {
  const inodes = new Set<string>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode) inodes.add(inode);
    }
  } catch {
    return []; // it has ended
  }
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode ?? ''))
    .map(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16));
}

/** The helper itself: what it shows must be the terminal's doing, or the rest of the matrix says nothing. */
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
  stateOf,
  until,
} from '../helpers/terminal.ts';
import { NOT_LINUX } from './ground.ts';

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

describe.skipIf(NO_PTY !== null)(`a terminal${NEEDS_PTY}`, () => {
  it('shows output and the echo of what is typed, and tells the status', async () => {
    const terminal = openTerminal(
      ['sh', '-c', 'stty size; printf "name? "; read -r name; echo "hi $name"; exit 9'],
      {
        env,
        cols: 100,
        rows: 30,
      },
    );
    await terminal.until('it asks', 'name? ');
    terminal.type('you\r');
    expect(await terminal.ended).toEqual({ exitCode: 9, signal: null });
    expect(terminal.screen()).toBe('30 100\r\nname? you\r\nhi you\r\n');
  });

  it('tells the signal that ended the program', async () => {
    const terminal = openTerminal(['sh', '-c', 'echo ready; exec sleep 1000'], { env });
    await terminal.until('it is ready', 'ready');
    terminal.type(KEYS.interrupt);
    expect(await terminal.ended).toEqual({ exitCode: 0, signal: 2 });
  });

  it('can be resized, and taken away', async () => {
    const terminal = openTerminal(
      ['sh', '-c', 'trap "stty size" WINCH; echo ready; while :; do sleep 0.02; done'],
      { env },
    );
    await terminal.until('it is ready', 'ready');
    terminal.resize(132, 50);
    await terminal.until('the new size is shown', '50 132');
    terminal.hangUp();
    await until('the program is gone', () => !isAlive(terminal.pid));
  });

  it.skipIf(NOT_LINUX)('leaves no process behind, wherever it has hidden', async () => {
    const script = `trap '' HUP TERM; sleep 1000 & echo $!; setsid sh -c 'echo $$; sleep 1000 & echo $! ready; wait' & wait`;
    const terminal = openTerminal(['sh', '-c', script], { env });
    await terminal.until('it is ready', 'ready');
    const pids = [...terminal.screen().matchAll(/\d+/g)].map(Number);
    expect(pids).toHaveLength(3);
    terminal.close();
    await until('all are gone', () => ![terminal.pid, ...pids].some(isAlive));
  });
});

describe.skipIf(NO_BASH !== null)(`an interactive bash${NEEDS_BASH}`, () => {
  it('has job control', async () => {
    const shell = await openShell({ env });
    expect(await shell.run('(exit 3)')).toEqual({ shown: '', status: 3 });
    shell.start('sh -c \'echo "pid $$"; exec sleep 1000\'');
    await shell.until('the program runs', /pid \d+\r\n/);
    const pid = Number(/pid (\d+)/.exec(shell.screen())?.[1]);
    shell.type(KEYS.suspend);
    expect((await shell.prompt()).status).toBe(128 + 20);
    if (!NOT_LINUX) expect(stateOf(pid)).toBe('T');
    expect((await shell.run('jobs')).shown).toMatch(/\[1\]\+ {2}Stopped/);
    shell.start('fg');
    await shell.until('it goes on', () => NOT_LINUX || stateOf(pid) === 'S');
    shell.type(KEYS.interrupt);
    expect((await shell.prompt()).status).toBe(130);
  });
});

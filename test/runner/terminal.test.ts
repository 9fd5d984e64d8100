/** Runs the wrapper in the foreground of a terminal, which util-linux's `script` provides. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shellQuote } from '../../src/base/shell-quote.ts';
import type { WrapperOptions } from '../fixtures/run-child.ts';
import { tempDir } from '../helpers/cli.ts';
import { SECRET } from './here.ts';
import { buildWrapper, isRunning, removeWrapper, until, WRAPPER } from './wrapper.ts';

function hasScript(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
}

/** A secret that would have to be a word on the way, in a variable that a shell changes. */
const IN_THE_WAY: Partial<WrapperOptions> = { env: { OLDPWD: SECRET }, secret: SECRET };

/** [what the child has, redirections, its terminal in the record, whether it is in the group of capwrap] */
const WAYS: readonly [string, string, string, boolean, Partial<WrapperOptions>][] = [
  ['a terminal of its own', '', 'masked', false, {}],
  ['a terminal of its own by name', '< /dev/null', 'masked', false, {}],
  ['a terminal for its output alone', '< /dev/null', 'output', true, IN_THE_WAY],
];

describe.skipIf(!hasScript()).each(WAYS)(
  '%s (needs script of util-linux)',
  (_, redirect, mode, shared, more) => {
    beforeAll(buildWrapper);
    afterAll(removeWrapper);
    const open = (options: WrapperOptions, before = '') =>
      openTerminal({ ...options, ...more }, redirect, before);

    it(`is read from, ${shared ? 'within' : 'outside'} capwrap's group`, async () => {
      const terminal = open({
        argv: [
          'sh',
          '-c',
          'echo groups $(cut -d" " -f5 /proc/$$/stat) $(cut -d" " -f5 /proc/$PPID/stat); read -r x < /dev/tty; echo "got $x"; exit 7',
        ],
      });
      await until('the child asks', () => /groups \d+ \d+\r/.test(terminal.screen()));
      terminal.type('hello\n');
      expect(await terminal.ended).toBe(7);
      const [, child, wrapper] = /groups (\d+) (\d+)/.exec(terminal.screen()) ?? [];
      expect(child === wrapper).toBe(shared);
      expect(terminal.screen()).toContain('got hello');
    });

    it('lets Ctrl-C reach the child once, and leaves the end to the child', async () => {
      const script = `n=0; trap 'n=$((n+1))' INT; echo ready; i=0
      while [ $n = 0 ] && [ $i -lt 500 ]; do sleep 0.02; i=$((i+1)); done; sleep 0.2; exit $((40+n))`;
      const terminal = open({ argv: ['sh', '-c', script] });
      await until('the child is ready', () => terminal.screen().includes('ready'));
      terminal.type('\x03');
      expect(await terminal.ended).toBe(41);
    });

    it('ends by the signal when Ctrl-C ended the child', async () => {
      const terminal = open({ argv: ['sh', '-c', 'echo ready; exec sleep 30'] });
      await until('the child is ready', () => terminal.screen().includes('ready'));
      terminal.type('\x03');
      expect(await terminal.ended).toBe(130);
    });

    it('hands a TERM that was sent to it alone on to the child alone', async () => {
      const terminal = open({
        argv: ['sh', '-c', 'trap "exit 42" TERM; echo "$PPID" ready; while :; do sleep 0.02; done'],
      });
      await until('the child is ready', () => terminal.screen().includes('ready'));
      process.kill(Number(/(\d+) ready/.exec(terminal.screen())?.[1]), 'SIGTERM');
      expect(await terminal.ended).toBe(42);
    });

    it('ends the child and its descendants at the deadline, and nobody else in the group', async () => {
      const script = `sh -c 'trap "" TERM; echo pid $$; while :; do sleep 0.1; done' & wait`;
      const terminal = open(
        { argv: ['sh', '-c', script], ttlMs: 700, killAfterMs: 200 },
        'sleep 30 & echo other $!;',
      );
      // The shell that holds the wrapper is in the same group and lives on to tell the status.
      expect(await terminal.ended).toBe(124);
      const [, grandchild] = /pid (\d+)/.exec(terminal.screen()) ?? [];
      const [, other] = /other (\d+)/.exec(terminal.screen()) ?? [];
      await until('the grandchild is gone', () => !isRunning(Number(grandchild)));
      expect(terminal.result()).toMatchObject({ endReason: 'time_limit', terminal: mode });
      expect(terminal.screen()).toContain('still running');
      expect(Number(other)).toBeGreaterThan(1);
    });
  },
);

interface Terminal {
  readonly screen: () => string;
  readonly type: (keys: string) => void;
  readonly result: () => unknown;
  /** The wrapper's status as a shell sees it. */
  readonly ended: Promise<number>;
}

function openTerminal(options: WrapperOptions, redirect: string, before: string): Terminal {
  const folder = tempDir();
  const words = ['sh', WRAPPER, JSON.stringify(options)].map(shellQuote).join(' ');
  // One shell without job control: all of it is one group in the foreground.
  const check = before ? 'kill -0 $! && echo still running; kill $!;' : '';
  const command = `trap : INT; ${before} ${words} ${redirect} 3> ${folder}/result; s=$?; ${check} echo $s > ${folder}/status`;
  const child: ChildProcess = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', TERM: 'dumb' },
  });
  let screen = '';
  child.stdout?.on('data', (chunk: Buffer) => (screen += chunk.toString()));
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  return {
    screen: () => screen,
    type: (keys) => void child.stdin?.write(keys),
    result: () => JSON.parse(read('result').split('\n')[1] ?? ''),
    ended: new Promise((resolve) => child.on('close', () => resolve(Number(read('status'))))),
  };
}

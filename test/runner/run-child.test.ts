import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import { SecretRegistry } from '../../src/redact/registry.ts';
import type { ChildResult } from '../../src/runner/child-result.ts';
import { assertStartable } from '../../src/runner/command-error.ts';
import { endOf } from '../../src/runner/exit-status.ts';
import { resolveCommand } from '../../src/runner/resolve-command.ts';
import { runChild } from '../../src/runner/run-child.ts';
import { installSignals, type Signals } from '../../src/runner/signals.ts';
import { tempDir } from '../helpers/cli.ts';
import { buildWrapper, isRunning, removeWrapper, startWrapper, until } from './wrapper.ts';

const PATH = process.env['PATH'] ?? '/usr/bin:/bin';
/** These look into /proc or write to /dev/full. */
const NOT_LINUX = process.platform !== 'linux';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKEY';
let signals: Signals | undefined;

afterEach(() => signals?.dispose());

/** Runs a command inside the test's process, with its output in files. */
async function runHere(
  argv: readonly string[],
  options: { env?: Record<string, string>; ttlMs?: number; killAfterMs?: number } = {},
): Promise<ChildResult & { out: string; err: string; status: number }> {
  const folder = tempDir();
  const secrets = new SecretRegistry();
  secrets.register('KEY', SECRET);
  signals = installSignals();
  const stdout = openSync(join(folder, 'out'), 'w');
  const stderr = openSync(join(folder, 'err'), 'w');
  const child = await runChild({
    command: assertStartable(resolveCommand(argv, { cwd: folder, path: PATH, sha256: false })),
    env: { PATH, ...options.env },
    redactors: {
      stdout: secrets.redactor(),
      stderr: secrets.redactor(),
      terminal: secrets.redactor(),
    },
    isSecret: (text) => secrets.mask(text) !== text,
    deadline: new Date(Date.now() + (options.ttlMs ?? 60_000)),
    killAfterMs: options.killAfterMs ?? 5000,
    signals,
    launch: NO_LAUNCHER,
    terminal: 'masked',
    turnsIn: '/nonexistent',
    stdout,
    stderr,
  });
  await child.written;
  signals.dispose();
  for (const fd of [stdout, stderr]) closeSync(fd);
  const [out, err] = ['out', 'err'].map((name) => readFileSync(join(folder, name), 'latin1'));
  return { ...child, out: out ?? '', err: err ?? '', status: endOf(child, signals).status };
}

describe('the end of the child', () => {
  it('passes on every exit status', async () => {
    for (let code = 0; code < 256; code++) {
      const child = await runHere(['sh', '-c', `exit ${code}`]);
      expect([child.exitCode, child.signal, child.status]).toEqual([code, null, code]);
    }
  });

  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGABRT', 134],
    ['SIGKILL', 137],
    ['SIGSEGV', 139],
    ['SIGPIPE', 141],
    ['SIGALRM', 142],
    ['SIGTERM', 143],
  ])('tells a death by %s from an exit', async (signal, status) => {
    const child = await runHere(['sh', '-c', `ulimit -c 0; kill -${signal.slice(3)} $$`]);
    expect([child.exitCode, child.signal, child.status]).toEqual([null, signal, status]);
    const exited = await runHere(['sh', '-c', `exit ${status}`]);
    expect([exited.exitCode, exited.signal, exited.status]).toEqual([status, null, status]);
  });

  it('reports a start that failed, by the system’s code', async () => {
    const child = await runHere(['sh', '-c', 'exit 0', 'x'.repeat(200_000)]);
    expect([child.spawnError, child.startedPid, child.exitCode]).toEqual(['E2BIG', null, null]);
  });
});

describe('what the child gets', () => {
  it.skipIf(NOT_LINUX)('is the given environment and nothing else', async () => {
    const child = await runHere(['cat', '/proc/self/environ'], { env: { ONE: '1', EMPTY: '', UMLAUT: 'ä' } });
    const seen = Buffer.from(child.out, 'latin1').toString().split('\0').filter(Boolean).sort();
    expect(seen).toEqual(['EMPTY=', 'ONE=1', `PATH=${PATH}`, 'UMLAUT=ä']);
  });

  it('is argv word by word, the first one as typed', async () => {
    const words = ['a b', '*', '$HOME', '', '"', "'", '\\', '-n', 'é'];
    const child = await runHere(['sh', '-c', 'printf "%s\\n" "$@"', 'name', ...words]);
    expect(Buffer.from(child.out, 'latin1').toString()).toBe(`${words.join('\n')}\n`);
  });

  it.skipIf(NOT_LINUX)('has the name of the program as typed', async () => {
    const child = await runHere(['cat', '/proc/self/cmdline']);
    expect(child.out).toBe('cat\0/proc/self/cmdline\0');
  });
});

describe('the output', () => {
  it('keeps both streams apart, masked, with all other bytes as they are', async () => {
    const script = `printf 'a\\377%s\\000b' "$V"; printf 'e %s' "$V" >&2; printf '%s%s' "$V" "$V"`;
    const child = await runHere(['sh', '-c', script], { env: { V: SECRET } });
    expect(child.out).toBe('a\xff[capwrap:KEY]\0b[capwrap:KEY][capwrap:KEY]');
    expect(child.err).toBe('e [capwrap:KEY]');
    expect(child.masked).toEqual({ stdout: 3, stderr: 1 });
  });

  it('is masked across writes with pauses between them', async () => {
    const [head, tail] = [SECRET.slice(0, 17), SECRET.slice(17)];
    const child = await runHere(['sh', '-c', `printf %s "$A"; sleep 0.3; printf %s "$B"`], {
      env: { A: head, B: tail },
    });
    expect(child.out).toBe('[capwrap:KEY]');
  });

  it('lets a beginning that stays one out at the end', async () => {
    const child = await runHere(['printf', '%s', SECRET.slice(0, -1)]);
    expect(child.out).toBe(SECRET.slice(0, -1));
  });

  it('is complete when another process keeps the pipe, and that does not hold up the end', async () => {
    const script = 'head -c 150000 /dev/zero; sleep 30 & echo $! >&2; exit 5';
    const started = Date.now();
    const child = await runHere(['sh', '-c', script]);
    const tookMs = Date.now() - started;
    process.kill(Number(child.err));
    expect([child.exitCode, child.out.length]).toEqual([5, 150_000]);
    expect(tookMs).toBeLessThan(5000);
  });

  it('ends although another process never stops writing', async () => {
    const started = Date.now();
    const child = await runHere(['sh', '-c', '(while :; do echo x; done) & echo $! >&2; exit 0']);
    const tookMs = Date.now() - started;
    expect(child.exitCode).toBe(0);
    expect(tookMs).toBeLessThan(10_000);
    // It meets a closed pipe, as it would behind `| head`.
    await until('the writer is gone', () => !isRunning(Number(child.err)));
  });

  it.skipIf(NOT_LINUX)('that could not be written is not passed over', async () => {
    signals = installSignals();
    const full = openSync('/dev/full', 'w');
    const secrets = new SecretRegistry();
    const child = await runChild({
      command: assertStartable(resolveCommand(['echo', 'text'], { cwd: '/', path: PATH, sha256: false })),
      env: {},
      redactors: {
        stdout: secrets.redactor(),
        stderr: secrets.redactor(),
        terminal: secrets.redactor(),
      },
      isSecret: (text) => secrets.mask(text) !== text,
      deadline: new Date(Date.now() + 60_000),
      killAfterMs: 1000,
      signals,
      launch: NO_LAUNCHER,
      terminal: 'masked',
      turnsIn: '/nonexistent',
      stdout: full,
    });
    await expect(child.written).resolves.toBe('ENOSPC');
    closeSync(full);
  });
});

describe('the time limit', () => {
  it('ends a child at the deadline', async () => {
    const child = await runHere(['sleep', '30'], { ttlMs: 100 });
    expect([child.endReason, child.signal, child.status]).toEqual(['time_limit', 'SIGTERM', 124]);
    expect(child.durationMs).toBeLessThan(5000);
  });

  it('kills a child that ignores TERM, and what it started', async () => {
    const script = `trap '' TERM; sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & wait; wait`;
    const child = await runHere(['sh', '-c', script], { ttlMs: 300, killAfterMs: 200 });
    expect([child.endReason, child.signal, child.status]).toEqual(['time_limit', 'SIGKILL', 124]);
    await until('the grandchild is gone', () => !isRunning(Number(child.out)));
  });

  it('kills a grandchild that ignores TERM although the child obeys it', async () => {
    const script = `sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & wait`;
    const child = await runHere(['sh', '-c', script], { ttlMs: 300, killAfterMs: 200 });
    expect([child.endReason, child.signal]).toEqual(['time_limit', 'SIGTERM']);
    await until('the grandchild is gone', () => !isRunning(Number(child.out)));
  });

  it('ends a stopped child', async () => {
    const child = await runHere(['sh', '-c', 'kill -STOP $$'], { ttlMs: 200, killAfterMs: 10_000 });
    expect([child.endReason, child.signal]).toEqual(['time_limit', 'SIGTERM']);
  });

  it('leaves a child alone that ends in time', async () => {
    const child = await runHere(['true'], { ttlMs: 20_000 });
    expect([child.endReason, child.status]).toEqual([null, 0]);
  });
});

describe('the wrapper as a process', () => {
  beforeAll(buildWrapper);
  afterAll(removeWrapper);

  it.each(['SIGTERM', 'SIGKILL', 'SIGHUP', 'SIGPIPE', 'SIGUSR1'] as const)(
    'ends by %s when the child does',
    async (signal) => {
      const { ended } = startWrapper({ argv: ['sh', '-c', `kill -${signal.slice(3)} $$`] });
      expect(await ended).toMatchObject({ code: null, signal });
    },
  );

  it('leaves no core file of itself', async () => {
    const { ended } = startWrapper({ argv: ['sh', '-c', 'ulimit -c 0; kill -QUIT $$'] });
    expect(await ended).toMatchObject({ code: 131, signal: null });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const)(
    'hands %s to the child’s group, once',
    async (signal) => {
      const short = signal.slice(3);
      const script = `n=0; trap 'n=$((n+1)); echo got $n' ${short}; echo ready; i=0
        while [ $n = 0 ] && [ $i -lt 500 ]; do sleep 0.02; i=$((i+1)); done
        sleep 0.1; exit $((40+n))`;
      const wrapper = startWrapper({ argv: ['sh', '-c', script] });
      await until('the child is ready', () => wrapper.out().includes('ready'));
      wrapper.process.kill(signal);
      expect(await wrapper.ended).toMatchObject({ code: 41, signal: null });
      expect(wrapper.out()).toBe('ready\ngot 1\n');
      expect(wrapper.err()).not.toContain('Debugger');
    },
  );

  it.skipIf(NOT_LINUX)('stops and continues the child together with itself', async () => {
    // A shell that is stopped as it starts a program by vfork(2) waits for that one, in another state (D).
    const wrapper = startWrapper({ argv: ['sh', '-c', 'echo $$; exec sleep 60'] });
    await until('the child is there', () => /^\d+\n/.test(wrapper.out()));
    const child = Number(wrapper.out());
    const state = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0];
    wrapper.process.kill('SIGTSTP');
    await until('both are stopped', () => state(child) === 'T' && state(wrapper.process.pid ?? 0) === 'T');
    wrapper.process.kill('SIGCONT');
    await until('both go on', () => state(child) !== 'T' && state(wrapper.process.pid ?? 0) !== 'T');
    wrapper.process.kill('SIGTERM');
    expect(await wrapper.ended).toMatchObject({ signal: 'SIGTERM' });
  });

  it('starts no child when a signal came first', async () => {
    const wrapper = startWrapper({ argv: ['echo', 'started'], waitMs: 300 });
    await new Promise((resolve) => wrapper.process.stdio[3]?.once('data', resolve));
    wrapper.process.kill('SIGTERM');
    const { signal, result } = await wrapper.ended;
    expect([signal, result?.startedPid, wrapper.out()]).toEqual(['SIGTERM', null, '']);
  });

  it('opens no inspector on SIGUSR1, and starts the child all the same', async () => {
    const wrapper = startWrapper({ argv: ['echo', 'started'], waitMs: 300 });
    await new Promise((resolve) => wrapper.process.stdio[3]?.once('data', resolve));
    wrapper.process.kill('SIGUSR1');
    expect(await wrapper.ended).toMatchObject({ code: 0 });
    expect([wrapper.out(), wrapper.err()]).toEqual(['started\n', '']);
  });

  it('ends quietly when its reader is gone, and the child meets the closed pipe', async () => {
    const wrapper = startWrapper({ argv: ['sh', '-c', 'yes 2>/dev/null; echo $? >&2'] }, { read: false });
    const stdout = wrapper.process.stdio[1];
    await new Promise((resolve) => stdout?.once('readable', () => resolve(stdout.destroy())));
    expect(await wrapper.ended).toMatchObject({ code: 0 });
    expect(wrapper.err()).toMatch(/^(141|1)\n$/);
  });

  it('ends quietly as well when its reader goes without having read everything', async () => {
    // Piece by piece, so that capwrap's last write waits as a whole: what it meets then is a reset. (Between two Nodes the
    // pipe is a pair of sockets.) 75 pieces are more than those hold.
    const script = 'trap "" PIPE; while printf %04096d 0 2>/dev/null; do echo >&2; : $(:); done';
    const wrapper = startWrapper({ argv: ['sh', '-c', script] }, { read: false });
    await until('it waits', () => wrapper.err().length > 75);
    wrapper.process.stdio[1]?.destroy();
    expect((await wrapper.ended).code).toBe(0);
    expect(wrapper.err().trim()).toBe('');
  });

  it('keeps its memory flat behind a slow reader, and loses nothing', async () => {
    const size = 128 * 1024 * 1024;
    const baseline = await startWrapper({ argv: ['true'] }).ended;
    const wrapper = startWrapper(
      { argv: ['head', '-c', String(size), '/dev/zero'], secret: SECRET },
      { read: false },
    );
    const stdout = wrapper.process.stdio[1];
    await new Promise((resolve) => stdout?.once('readable', resolve));
    await new Promise((resolve) => setTimeout(resolve, 300)); // the slow reader: without a brake all would be in memory now
    let received = 0;
    stdout?.on('data', (chunk: Buffer) => (received += chunk.length));
    const { code, result } = await wrapper.ended;
    expect([code, received]).toEqual([0, size]);
    expect((result?.maxRssMb ?? 999) - (baseline.result?.maxRssMb ?? 0)).toBeLessThan(90);
  });

  it('tells the end of the child although nobody reads its output', async () => {
    const wrapper = startWrapper({ argv: ['head', '-c', '300000', '/dev/zero'] }, { read: false });
    const [, stdout, , report] = wrapper.process.stdio;
    let received = 0;
    stdout?.pause(); // with a listener from the start: Node drops what nobody listens for once the process has ended
    stdout?.on('data', (chunk: Buffer) => (received += chunk.length));
    let told = '';
    report?.on('data', (chunk: Buffer) => (told += chunk.toString()));
    await until('the result is there', () => told.includes('"exitCode":0'));
    stdout?.resume();
    expect((await wrapper.ended).code).toBe(0);
    expect(received).toBe(300_000);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createEnding, END_REASONS } from '../../src/runner/ending.ts';
import { ownGroup } from '../../src/runner/process-tree.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { runHere } from './here.ts';
import { isRunning, until } from './wrapper.ts';

const started: ChildProcess[] = [];

afterEach(() => {
  for (const { pid } of started.splice(0)) {
    try {
      process.kill(-(pid ?? 0), 'SIGKILL');
    } catch {
      // all of it is gone
    }
  }
});

/** A shell script as the leader of a group, and what it has said so far. It has to say `ready`. */
async function group(script: string) {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  started.push(child);
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  const exit = new Promise<NodeJS.Signals | number | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  const running = () => child.exitCode === null && child.signalCode === null;
  await until('it is ready', () => text.includes('ready\n'));
  const numbers = () => [...text.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
  return { tree: ownGroup(child.pid ?? 0, running), exit, said: () => text, numbers };
}

/** Longer than any test takes: what ends earlier has not waited for it. */
const LONG = 600_000;
const WAIT = 'while :; do sleep 0.02; done';

describe('an ending', () => {
  it('asks by TERM, and does not wait for the grace where that is enough', async () => {
    const { tree, exit } = await group('echo ready; exec sleep 600');
    const ending = createEnding(tree, LONG);
    expect(ending.reason).toBeNull();
    ending.begin('time_limit');
    expect(await exit).toBe('SIGTERM');
    await ending.settle();
    expect(ending.reason).toBe('time_limit');
    expect(tree.alive()).toBe(false);
  });

  it('wakes a stopped process, which would not see TERM otherwise', async () => {
    const { tree, exit, said } = await group(
      'trap "echo told; exit 3" TERM; echo ready; kill -STOP $$; sleep 60',
    );
    const ending = createEnding(tree, LONG);
    ending.begin('time_limit');
    expect(await exit).toBe(3);
    expect(said()).toContain('told');
    await ending.settle();
  });

  it('kills what ignores TERM once the grace is over', async () => {
    const { tree, exit } = await group(`trap "" TERM; echo ready; ${WAIT}`);
    const ending = createEnding(tree, 200);
    ending.begin('leak');
    expect(await exit).toBe('SIGKILL');
    await ending.settle();
  });

  it('begins once: the first reason stays, and nobody is told twice', async () => {
    const script = `n=0; trap 'n=$((n+1)); echo "told $n"' TERM; trap 'exit $n' USR1; echo ready; ${WAIT}`;
    const { tree, exit, said } = await group(script);
    const ending = createEnding(tree, LONG);
    for (const reason of END_REASONS) ending.begin(reason);
    await until('it has been told', () => said().includes('told 1'));
    ending.begin('repeated_signal');
    tree.signal('SIGUSR1');
    expect(await exit).toBe(1);
    expect(ending.reason).toBe(END_REASONS[0]);
    await ending.settle();
  });

  it('is settled at once where nothing was begun, whatever is still there', async () => {
    const { tree } = await group(`echo ready; ${WAIT}`);
    const ending = createEnding(tree, LONG);
    await ending.settle();
    expect([ending.reason, tree.alive()]).toEqual([null, true]);
  });

  it('is settled when the child’s own processes are gone too', async () => {
    const other = `trap "sleep 0.2; exit" TERM; echo "pid $$"; ${WAIT}`;
    const { tree, exit, numbers } = await group(`sh -c '${other}' & sleep 0.1; echo ready; wait`);
    await until('the other one is there', () => numbers().length === 1);
    const ending = createEnding(tree, LONG);
    ending.begin('time_limit');
    await exit;
    expect(isRunning(numbers()[0] ?? 0)).toBe(true);
    await ending.settle();
    expect(isRunning(numbers()[0] ?? 0)).toBe(false);
  });

  it('is settled by KILL where one of them ignores TERM', async () => {
    const { tree, exit, numbers } = await group(
      `sh -c 'trap "" TERM; echo "pid $$"; ${WAIT}' & sleep 0.1; echo ready; wait`,
    );
    await until('the other one is there', () => numbers().length === 1);
    const ending = createEnding(tree, 300);
    ending.begin('time_limit');
    expect(await exit).toBe('SIGTERM');
    await ending.settle();
    await until('it is gone', () => !isRunning(numbers()[0] ?? 0));
  });
});

describe.skipIf(findTool('setsid') === null)(`a process that nobody waits for${needs('setsid')}`, () => {
  it('is gone when it has ended: in a container there may be nobody who waits for what its parent left', async () => {
    // The holder has become a program that knows of no child; the child leads a group and has ended.
    const { numbers } = await group('setsid sh -c "echo pid \\$\\$; echo ready" & exec sleep 600');
    const [leader = 0] = numbers();
    await until('it has ended', () => !isRunning(leader));
    const tree = ownGroup(leader, () => false);
    expect(tree.alive()).toBe(false);
    const ending = createEnding(tree, LONG);
    ending.begin('time_limit');
    await ending.settle();
  });
});

describe('a secret in the output', () => {
  it('ends the child, and is told once', async () => {
    let leaks = 0;
    const script = `trap 'echo told; printf %s "$SECRET"; exit 3' TERM; printf '%s ' "$SECRET"; ${WAIT}`;
    const child = await runHere(['sh', '-c', script], { onLeak: () => (leaks += 1), killAfterMs: LONG });
    expect(child).toMatchObject({ endReason: 'leak', exitCode: 3, masked: { stdout: 2, stderr: 0 } });
    expect(child.out).toBe('[capwrap:SECRET] told\n[capwrap:SECRET]');
    expect(leaks).toBe(1);
  });

  it.each([
    ['ends otherwise than any form begins', 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKEY'],
    ['ends as it begins itself', 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKEw'],
    ['ends as its hexadecimal form begins', 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKE7'],
    ['ends as a base64 form begins', 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKEd'],
  ])('that %s is noticed although nothing follows it', async (_, secret) => {
    // The time limit is there for a test that fails.
    const script = 'printf %s "$SECRET"; exec sleep 600';
    const child = await runHere(['sh', '-c', script], { secret, onLeak: () => {}, ttlMs: 1500 });
    expect(child).toMatchObject({ endReason: 'leak', out: '[capwrap:SECRET]' });
  });

  it('is told once where the child’s time was over before', async () => {
    let leaks = 0;
    const print = 'printf %s "$SECRET"; sleep 0.1';
    const script = `trap '${print}; ${print}; ${print}; exit 3' TERM; ${WAIT}`;
    const child = await runHere(['sh', '-c', script], {
      onLeak: () => (leaks += 1),
      ttlMs: 200,
      killAfterMs: LONG,
    });
    expect(child).toMatchObject({ endReason: 'time_limit', masked: { stdout: 3, stderr: 0 } });
    expect(leaks).toBe(1);
  });

  it('is nothing to end a child for where the map does not say so', async () => {
    const child = await runHere(['sh', '-c', 'printf %s "$SECRET"; exit 4']);
    expect(child).toMatchObject({ endReason: null, exitCode: 4, out: '[capwrap:SECRET]' });
  });

  it('that a process prints after the child’s end ends that process as well', async () => {
    let leaks = 0;
    // The child is gone when the secret comes; what printed it ignores TERM.
    const other = `trap "" TERM; sleep 0.05; printf %s "$SECRET"; ${WAIT}`;
    const child = await runHere(['sh', '-c', `(${other}) & echo $! >&2; exit 0`], {
      onLeak: () => (leaks += 1),
      killAfterMs: 300,
    });
    expect(child).toMatchObject({ endReason: 'leak', exitCode: 0, masked: { stdout: 1, stderr: 0 } });
    expect(leaks).toBe(1);
    // It was over when the processes were, or KILL was sent: of that the kernel makes an end soon.
    await vi.waitFor(() => expect(isRunning(Number(child.err))).toBe(false));
  });
});

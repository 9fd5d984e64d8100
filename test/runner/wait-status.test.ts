/** Deaths by real-time signals, which Node reports as an exit with status 0. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildResult } from '../../src/runner/child-result.ts';
import { endOf, realTimeName } from '../../src/runner/exit-status.ts';
import { realTimeSignalOf } from '../../src/runner/wait-status.ts';
import { tempDir } from '../helpers/cli.ts';
import { line, startPiped, useGround, WAYS } from '../matrix/ground.ts';
import { PATH, runHere } from './here.ts';
import { buildWrapper, removeWrapper, WRAPPER } from './wrapper.ts';

const NOT_LINUX = process.platform !== 'linux';
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
/** SIGRTMIN to SIGRTMAX of the C library. */
const SIGNALS = range(34, 64);
const NO_SIGNALS = { pending: null, askedAfterwards: new Promise<never>(() => {}) };
const die = (signal: number) => ['sh', '-c', `kill -${signal} $$`];

describe('the name of a real-time signal', () => {
  it.each([
    [32, 'SIG32'],
    [33, 'SIG33'],
    [34, 'SIGRTMIN+0'],
    [35, 'SIGRTMIN+1'],
    [64, 'SIGRTMIN+30'],
  ])('%i is %s', (signal, name) => {
    expect(realTimeName(signal)).toBe(name);
  });
});

describe.skipIf(NOT_LINUX)('a death by a real-time signal', () => {
  it('is told from an exit, for each of them', async () => {
    const seen: unknown[] = [];
    for (const signal of SIGNALS) {
      const child = await runHere(die(signal));
      seen.push([child.realTimeSignal, child.exitCode, child.signal, endOf(child, NO_SIGNALS).status]);
    }
    expect(seen).toEqual(SIGNALS.map((signal) => [signal, null, null, 128 + signal]));
  });

  it('is told after output, and where there was one on one stream only', async () => {
    for (const script of [
      // No more than is read in one go: where the reading pauses at that moment, it is missed.
      'head -c 30000 /dev/zero; kill -40 $$',
      'exec 2>&-; echo x; kill -40 $$',
      'exec >&-; echo x >&2; kill -40 $$',
      'exec >/dev/null; kill -40 $$',
    ]) {
      expect((await runHere(['sh', '-c', script])).realTimeSignal, script).toBe(40);
    }
  });

  it('is none for any other end', async () => {
    for (const [script, exitCode, signal] of [
      ['exit 0', 0, null],
      ['exit 34', 34, null],
      ['exit 168', 168, null],
      ['kill -TERM $$', null, 'SIGTERM'],
      ['sh -c "kill -40 \\$\\$"; exit 0', 0, null],
    ] as const) {
      expect(await runHere(['sh', '-c', script])).toMatchObject({ exitCode, signal, realTimeSignal: null });
    }
  });

  // The wait status is in /proc from the death until Node has waited, and without an end of output at that very time
  // nothing tells when to look. Whoever finds a way will find these here.
  it.fails.each([
    ['whose output was closed long before it', 'exec >&- 2>&-; sleep 0.1; kill -40 $$'],
    ['whose output another process has kept', 'sleep 0.4 & kill -40 $$'],
  ])('%s is not taken for success', async (_, script) => {
    const child = await runHere(['sh', '-c', script]);
    expect(endOf(child, NO_SIGNALS).status).toBe(168);
  });

  it('that is not there is none for a child that closed its output long before its exit', async () => {
    const child = await runHere(['sh', '-c', 'exec >&- 2>&-; sleep 0.1; exit 0']);
    expect(child).toMatchObject({ exitCode: 0, signal: null, realTimeSignal: null });
    const failed = await runHere(['sh', '-c', 'exec >&- 2>&-; sleep 0.1; exit 3']);
    expect(failed).toMatchObject({ exitCode: 3, signal: null, realTimeSignal: null });
  });
});

describe('a process', () => {
  it('that runs, or that is not there, has no such signal', () => {
    expect(realTimeSignalOf(process.pid)).toBeNull();
    expect(realTimeSignalOf(2 ** 30)).toBeNull();
  });
});

describe.skipIf(NOT_LINUX)('the wrapper as a process, with real pipes', () => {
  beforeAll(buildWrapper);
  afterAll(removeWrapper);

  it('ends by the same signal, which a shell tells as 128 + n', async () => {
    const some = [34, 35, 49, 50, 63, 64]; // those of each kind; all of them are above
    const runs = [some.slice(0, 3), some.slice(3)].map(async (part, index) => {
      const report = join(tempDir(), `report-${index}`);
      writeFileSync(report, '');
      const commands = part.map((signal) => line(['sh', WRAPPER, JSON.stringify({ argv: die(signal) })]));
      const script = `exec 3>>${report}\n${commands.map((one) => `${one}; echo $?`).join('\n')}`;
      const run = startPiped(['/bin/sh', '-c', script], { cwd: '/', env: { PATH } });
      await run.ended;
      const results = readFileSync(report, 'utf8').split('\n');
      const told = results
        .filter((text) => text.startsWith('{'))
        .map((text) => (JSON.parse(text) as ChildResult).realTimeSignal);
      return { statuses: run.out().trimEnd().split('\n').map(Number), told };
    });
    const ends = await Promise.all(runs);
    expect(ends.flatMap(({ statuses }) => statuses)).toEqual(some.map((signal) => 128 + signal));
    expect(ends.flatMap(({ told }) => told)).toEqual(some);
  });

  it('tells it behind a slow reader too', async () => {
    const options = { argv: ['sh', '-c', 'head -c 400000 /dev/zero; kill -40 $$'] };
    const script = `{ ${line(['sh', WRAPPER, JSON.stringify(options)])} 3>/dev/null; echo "status $?" >&2; } |
      { sleep 0.3; wc -c; }`;
    const run = startPiped(['/bin/sh', '-c', script], { cwd: '/', env: { PATH } });
    await run.ended;
    expect([run.out().trim(), run.err()]).toEqual(['400000', expect.stringContaining('status 168\n')]);
  });
});

describe.skipIf(NOT_LINUX)('the record', () => {
  const ground = useGround();

  it('names the signal', async () => {
    const { folder, shellEnv, lastRecord } = ground();
    const signals = [32, 34, 50, 64];
    const runs = signals.map(async (signal) => {
      const run = startPiped(WAYS['under capwrap'](die(signal)), {
        cwd: folder,
        env: { ...shellEnv, CAPWRAP_TASK_ID: `signal ${signal}` },
      });
      await run.ended;
      return lastRecord(`signal ${signal}`)?.['child'];
    });
    const named = (signal: string) => expect.objectContaining({ exit_code: null, signal });
    expect(await Promise.all(runs)).toEqual(['SIG32', 'SIGRTMIN+0', 'SIGRTMIN+16', 'SIGRTMIN+30'].map(named));
  });
});

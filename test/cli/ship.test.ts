/** The shipper as a process: killed between the collector's acceptance and its own cursor, and told to stop. */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { writeLog } from '../audit/samples.ts';
import { startCollector } from '../collector/server.ts';
import { appendLines, logOf, shipGround } from '../commands/ship-context.ts';
import { afterTest } from '../helpers/after-test.ts';
import { BIN } from '../helpers/cli.ts';

const LINES = logOf(9);
const NUMBERS = LINES.map((_, at) => at + 1);

function start(stateDir: string, ...args: readonly string[]) {
  const child = execa(BIN, ['audit', 'ship', ...args], {
    env: { PATH: process.env['PATH'] ?? '', CAPWRAP_HOME: stateDir },
    extendEnv: false,
    reject: false,
  });
  afterTest(() => void child.kill('SIGKILL'));
  return child;
}

test('a shipper that is killed between acceptance and cursor sends the same batch again, and no other', async () => {
  const collector = await startCollector();
  const { stateDir, cursor } = shipGround(collector.url);
  writeLog(stateDir, LINES.slice(0, 6));
  collector.plan('store_and_hold');
  const killed = start(stateDir);
  await expect.poll(() => collector.stored.size, { timeout: 10_000 }).toBe(6);
  killed.kill('SIGKILL');
  await killed;
  expect(cursor()).toMatchObject({ seq: 0, sending: 6 });
  appendLines(stateDir, LINES.slice(6));
  expect(await start(stateDir)).toMatchObject({
    exitCode: 0,
    stdout: `sent 9 up to record 9 (${collector.url})`,
    stderr: '',
  });
  const [lost, again] = collector.bodies;
  expect(again && lost?.equals(again)).toBe(true);
  expect([collector.seqs(), collector.repeats, collector.faults]).toEqual([NUMBERS, 6, []]);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends a shipper that goes on, with 0 and no lock left',
  async (signal) => {
    const collector = await startCollector();
    const { stateDir, cursor } = shipGround(collector.url);
    writeLog(stateDir, LINES);
    const child = start(stateDir, '--follow');
    await expect.poll(() => cursor()?.['seq'], { timeout: 10_000 }).toBe(9);
    expect(await start(stateDir)).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/is sending this log already|is held by process/),
    });
    child.kill(signal);
    expect(await child).toMatchObject({
      exitCode: 0,
      stdout: `sending to ${collector.url} from record 1 on\nsent 9 up to record 9 (${collector.url})`,
      stderr: '',
    });
    expect(existsSync(`${stateDir}/ship.lock`)).toBe(false);
    expect([collector.seqs(), collector.repeats]).toEqual([NUMBERS, 0]);
  },
);

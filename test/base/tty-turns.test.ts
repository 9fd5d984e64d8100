/** Who waits for whom at a terminal: real processes that hold the keyboard or ask. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { formatHolder, newHolder } from '../../src/base/lock-holder.ts';
import { terminalTurns } from '../../src/base/tty-turns.ts';
import { afterTest } from '../helpers/after-test.ts';
import { bundle } from '../helpers/bundle.ts';
import { tempDir } from '../helpers/cli.ts';

const PROGRAM = `
  import { terminalTurns } from './src/base/tty-turns.ts';
  import { withLock } from './src/base/lock.ts';
  const [what, folder] = process.argv.slice(2);
  const turns = terminalTurns(folder, { yields: what === 'keys' });
  const forever = () => new Promise(() => setInterval(() => {}, 1000));
  if (what !== 'asks') {
    console.log(turns.holdKeys());
    await forever();
  }
  await withLock(turns.lock, () => {
    console.log('asks');
    return forever();
  });
`;

let program: string;

beforeAll(async () => {
  program = await bundle(PROGRAM);
});

/** Another process that does so until it is killed, which leaves its lock or mark behind. */
async function other(what: 'keys' | 'reads' | 'asks', folder: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [program, what, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = async () => {
    const gone = once(child, 'exit');
    if (child.kill('SIGKILL')) await gone;
  };
  afterTest(kill);
  expect(String((await once(child.stdout, 'data'))[0])).toBe(what === 'asks' ? 'asks\n' : 'true\n');
  return kill;
}

test('nobody takes the keyboard while another process asks, for as long as that lives', async () => {
  const folder = tempDir();
  const turns = terminalTurns(folder, { yields: true });
  const kill = await other('asks', folder);
  expect([turns.isOthers(), turns.holdKeys()]).toEqual([true, false]);
  expect(readdirSync(folder)).toHaveLength(1); // the lock alone
  await kill();
  expect([turns.isOthers(), turns.holdKeys()]).toEqual([false, true]);
  turns.letGo();
  expect(readdirSync(folder)).toHaveLength(1);
});

test('whoever asks waits until the keyboard is free, and takes away what a killed run has left', async () => {
  const folder = tempDir();
  const turns = terminalTurns(folder);
  const kill = await other('keys', folder);
  let isFree = false;
  const free = turns.keysAreFree().then(() => (isFree = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isFree).toBe(false);
  await kill();
  await free;
  expect(readdirSync(folder)).toEqual([]);
});

test('one process has the keys at a time, and they are free when it is gone', async () => {
  const folder = tempDir();
  const turns = terminalTurns(folder);
  const kill = await other('reads', folder);
  expect(turns.holdKeys()).toBe(false);
  await kill();
  expect(turns.holdKeys()).toBe(true);
  turns.letGo();
  expect(readdirSync(folder)).toEqual([]);
});

test('one that has them in case its child reads yields to one whose child does', async () => {
  const folder = tempDir();
  const [patient, waiting] = [terminalTurns(folder, { yields: true }), await other('keys', folder)];
  expect([patient.isOthers(), patient.holdKeys()]).toEqual([false, false]);
  await waiting();
  expect(patient.holdKeys()).toBe(true);
  patient.letGo();
  const reading = await other('reads', folder);
  expect([patient.isOthers(), patient.holdKeys()]).toEqual([true, false]);
  await reading();
  expect([patient.isOthers(), patient.holdKeys()]).toEqual([false, true]);
});

test('its own mark, and one that can not be judged, keep nobody from asking', async () => {
  const folder = tempDir();
  const turns = terminalTurns(folder, { yields: true });
  expect(turns.holdKeys()).toBe(true);
  const mark = String(readdirSync(folder)[0]);
  symlinkSync(formatHolder({ ...newHolder(), pid: 1, space: 'elsewhere' }), join(folder, `${mark}0`));
  symlinkSync('no holder', join(folder, `${mark}1`));
  const start = performance.now();
  await turns.keysAreFree();
  expect(performance.now() - start).toBeLessThan(500);
  expect(readdirSync(folder)).toHaveLength(3);
});

test('without the folder keys are read all the same', async () => {
  const turns = terminalTurns('/nonexistent');
  expect([turns.isOthers(), turns.holdKeys()]).toEqual([false, true]);
  turns.letGo();
  await turns.keysAreFree();
});

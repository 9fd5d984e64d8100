import { spawnSync } from 'node:child_process';
import {
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withLock } from '../../src/base/lock.ts';
import { formatHolder, type Holder, isDead, newHolder, parseHolder } from '../../src/base/lock-holder.ts';
import { tempDir } from '../helpers/cli.ts';
import { useWorker } from '../helpers/worker.ts';

const startStress = useWorker('lock-stress');
const onLinux = process.platform === 'linux';
const SOON = { timeoutMs: 150 };

/** The lock that a process left which was killed inside. */
async function leaveDeadLock(): Promise<{ lock: string; holder: Holder }> {
  const lock = join(tempDir(), 'some.lock');
  const ended = await startStress([lock, `${lock}.journal`, '1', '1']).end;
  expect(ended.signal).toBe('SIGKILL');
  const holder = parseHolder(readlinkSync(lock));
  if (holder === null) throw new Error('the killed process left something else than a lock');
  expect(holder.pid).toBe(ended.pid);
  return { lock, holder };
}

const linksIn = (folder: string) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isSymbolicLink() ? [entry.name] : [],
  );

describe('within one process', () => {
  test('actions run one after another, and their results and errors come through', async () => {
    const lock = join(tempDir(), 'some.lock');
    let inside = 0;
    const seen = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        withLock(lock, async () => {
          expect(++inside).toBe(1);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
          return n;
        }),
      ),
    );
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await expect(withLock(lock, () => Promise.reject(new Error('of the action')))).rejects.toThrow(
      'of the action',
    );
    expect(linksIn(dirname(lock))).toEqual([]);
  });

  test('a holder that stays is named, with the remedy', async () => {
    const lock = join(tempDir(), 'some.lock');
    const error = await withLock(lock, () => withLock(lock, () => 'never', SOON)).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({
      code: 'ERR_AUDIT_LOCKED',
      message: expect.stringMatching(`held by process ${process.pid} for 0\\.[2-9] s$`) as string,
      hint: `ps -p ${process.pid}; once no capwrap holds it, in a container or on another machine either: rm ${lock}`,
    });
  });

  test('a lock that goes from hand to hand is waited for longer than one that stays', async () => {
    const lock = join(tempDir(), 'some.lock');
    const until = performance.now() + 2 * SOON.timeoutMs;
    const takeTurns = async () => {
      while (performance.now() < until) {
        symlinkSync(formatHolder(newHolder()), `${lock}.new`);
        renameSync(`${lock}.new`, lock);
        await new Promise((resolve) => setImmediate(resolve));
      }
      unlinkSync(lock);
    };
    const [entered] = await Promise.all([withLock(lock, () => 'entered', SOON), takeTurns()]);
    expect(entered).toBe('entered');
  });

  test('a missing folder and a file in the way are said', async () => {
    const folder = tempDir();
    await expect(withLock(join(folder, 'none', 'some.lock'), () => 0)).rejects.toMatchObject({
      code: 'ERR_AUDIT_WRITE',
      message: `"${join(folder, 'none', 'some.lock')}" can't be written (ENOENT)`,
    });
    const lock = join(folder, 'some.lock');
    writeFileSync(lock, 'of somebody else');
    await expect(withLock(lock, () => 0)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: `"${lock}" is in the way: locks are symbolic links`,
    });
    expect(readFileSync(lock, 'utf8')).toBe('of somebody else');
  });
});

describe('holders', () => {
  test.runIf(onLinux)('fit into an inode and are read back', () => {
    const holder = newHolder();
    expect(parseHolder(formatHolder(holder))).toEqual(holder);
    expect(formatHolder(holder).length).toBeLessThan(60);
    expect(newHolder().nonce).not.toBe(holder.nonce);
    expect(parseHolder('')).toBeNull();
    expect(parseHolder('1.2.3')).toBeNull();
  });

  test('of this process are alive', () => {
    expect(isDead(newHolder(), '/')).toBe(false);
  });

  test.runIf(onLinux)('are judged only where they can be', () => {
    const folder = tempDir();
    const mine = newHolder();
    const dead = { ...mine, start: '1' };
    expect(isDead(dead, folder), 'a process id in use again').toBe(true);
    expect(isDead({ ...dead, space: '1-2' }, folder), 'another container').toBe(false);
    expect(isDead({ ...dead, space: '-' }, folder), 'a holder without /proc').toBe(false);
    expect(
      isDead({ ...dead, boot: '0123456789ab', space: '1-2' }, folder),
      'a container of another boot',
    ).toBe(false);
    const outermost = mine.space.startsWith(`${(0xeffffffc).toString(36)}-`);
    const localDisk = [0xef53, 0x58465342, 0x9123683e].includes(statfsSync(folder).type >>> 0);
    expect(isDead({ ...dead, boot: '0123456789ab' }, folder), 'this machine before it was started anew').toBe(
      outermost && localDisk,
    );
    expect(isDead({ ...dead, boot: '0123456789ab' }, '/proc'), 'another machine on shared storage').toBe(
      false,
    );
  });
});

describe('a dead holder', () => {
  test("'s lock is taken over at once", async () => {
    const { lock } = await leaveDeadLock();
    expect(await withLock(lock, () => 'entered', SOON)).toBe('entered');
    expect(linksIn(dirname(lock))).toEqual([]);
  });

  test("'s lock is taken over where breakers died too, and their marks go", async () => {
    const { lock, holder } = await leaveDeadLock();
    const mark = (of: Holder, nonce: string) => {
      const breaker = { ...holder, nonce };
      symlinkSync(formatHolder(breaker), `${lock}.break.${of.nonce}`);
      return breaker;
    };
    const second = mark(holder, 'aaaaaaaaaaaa');
    mark(second, 'bbbbbbbbbbbb');
    mark({ ...holder, nonce: 'cccccccccccc' }, 'dddddddddddd'); // its lock is gone already
    expect(await withLock(lock, () => 'entered', SOON)).toBe('entered');
    expect(linksIn(dirname(lock))).toEqual([]);
  });

  test("'s lock stays while a living breaker is at it", async () => {
    const { lock, holder } = await leaveDeadLock();
    symlinkSync(formatHolder(newHolder()), `${lock}.break.${holder.nonce}`);
    await expect(withLock(lock, () => 0, SOON)).rejects.toMatchObject({ code: 'ERR_AUDIT_LOCKED' });
    expect(readlinkSync(lock)).toBe(formatHolder(holder));
  });

  test('that nobody can judge keeps its lock', async () => {
    const lock = join(tempDir(), 'some.lock');
    symlinkSync('something.else', lock);
    await expect(withLock(lock, () => 0, SOON)).rejects.toMatchObject({
      code: 'ERR_AUDIT_LOCKED',
      message: expect.stringMatching(/held by something other than capwrap for [\d.]+ s$/) as string,
    });
    expect(readlinkSync(lock)).toBe('something.else');
  });
});

test('processes that are killed at random never hold the lock two at a time, and never leave it stuck', async () => {
  const folder = tempDir();
  const lock = join(folder, 'some.lock');
  const journal = join(folder, 'journal');
  const killed = new Set<number>();
  const lane = async (): Promise<void> => {
    for (let round = 0; round < 8; round++) {
      const worker = startStress([lock, journal, '60', '0.01']);
      let timer: NodeJS.Timeout | undefined;
      worker.process.stdout?.once('data', () => {
        timer = setTimeout(() => worker.process.kill('SIGKILL'), Math.random() * 60);
      });
      const end = await worker.end;
      clearTimeout(timer);
      if (end.signal === 'SIGKILL') killed.add(end.pid);
      else expect(end, end.stderr).toMatchObject({ code: 0 });
    }
  };
  let deaths = 0;
  // On a busy machine a round may end without one that died inside.
  for (let round = 0; round < 10 && deaths === 0; round++) {
    await Promise.all([lane(), lane(), lane()]);
    expect(await withLock(lock, () => 'entered')).toBe('entered');
    expect(linksIn(folder).includes('some.lock')).toBe(false);
    deaths = deathsIn(journal, killed);
  }
  expect(deaths).toBeGreaterThan(0);
});

/** True where a PID namespace can be made, and the /proc of the outer one stays in its place. */
const canUnshare =
  onLinux && spawnSync('unshare', ['--user', '--map-root-user', '--pid', '--fork', 'true']).status === 0;

test.runIf(canUnshare)(
  'two in a PID namespace without a /proc of its own hold it one at a time',
  async () => {
    const lock = join(tempDir(), 'some.lock');
    const journal = `${lock}.journal`;
    const twice = `exec unshare --user --map-root-user --pid --fork sh -c '"$@" & "$@" & wait' sh "$@"`;
    await startStress([lock, journal, '100', '0'], { shell: twice }).end;
    expect(deathsIn(journal, new Set())).toBe(0);
  },
);

/** How many died inside. Of two that are inside at once, the first must be among those that were killed. */
function deathsIn(journal: string, killed: ReadonlySet<number>): number {
  const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
  let holder: string | null = null;
  let deaths = 0;
  for (const line of lines) {
    const [what, pid = ''] = line.split(' ');
    if (what === 'enter') {
      if (holder !== null) {
        deaths++;
        expect(killed.has(Number(holder)), `${pid} entered while ${holder} held the lock`).toBe(true);
      }
      holder = pid;
    } else {
      expect(pid, 'left without holding the lock').toBe(holder);
      holder = null;
    }
  }
  expect(lines.length).toBeGreaterThan(10);
  return deaths;
}

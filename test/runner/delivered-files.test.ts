import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatHolder, newHolder } from '../../src/base/lock-holder.ts';
import { type DeliveryInput, deliverFiles, sweepDelivered } from '../../src/runner/delivered-files.ts';
import { placesInMemory } from '../../src/runner/memory-place.ts';
import { afterTest } from '../helpers/after-test.ts';
import { tempDir } from '../helpers/cli.ts';

const UID = process.getuid?.() ?? -1;
const NOWHERE = '/nonexistent';
const HAS_MEMORY = placesInMemory(undefined, UID).length > 0;

function runtimeDir(): string {
  const dir = tempDir();
  chmodSync(dir, 0o700);
  return dir;
}

function input(changes: Partial<DeliveryInput> = {}): DeliveryInput {
  return {
    files: { TOKEN_FILE: 'token', CERT_FILE: 'cert' },
    lease: {
      leaseId: '9f8c6b6a01020304',
      values: {
        token: { value: 'tok-123', secret: true },
        cert: { value: 'a\nb\n', secret: true, lines: true },
      },
    },
    runtimeDir: undefined,
    isolationDir: tempDir(),
    uid: UID,
    sharedMemory: NOWHERE,
    ...changes,
  };
}

describe('deliverFiles', () => {
  it('writes each value as it is, for this user alone, and takes everything away again', () => {
    const runtime = runtimeDir();
    const { variables, place, remove } = deliverFiles(input({ runtimeDir: runtime }));
    expect(place).toBe('runtime_dir');
    expect(Object.keys(variables)).toEqual(['TOKEN_FILE', 'CERT_FILE']);
    const { TOKEN_FILE = '', CERT_FILE = '' } = variables;
    expect(readFileSync(TOKEN_FILE, 'utf8')).toBe('tok-123');
    expect(readFileSync(CERT_FILE, 'utf8')).toBe('a\nb\n');
    expect(lstatSync(TOKEN_FILE).mode & 0o777).toBe(0o600);
    expect(lstatSync(dirname(TOKEN_FILE)).mode & 0o777).toBe(0o700);
    expect(basename(dirname(TOKEN_FILE))).toMatch(/^capwrap\.\d+\.9f8c6b6a01020304\.\d+\./);
    chmodSync(dirname(TOKEN_FILE), 0o500); // whatever the child did with it
    remove();
    expect(readdirSync(runtime)).toEqual([]);
    remove();
  });

  it.skipIf(!HAS_MEMORY)(`prefers memory${HAS_MEMORY ? '' : ' (skipped: needs /dev/shm in memory)'}`, () => {
    const { sharedMemory: _, ...rest } = input({ runtimeDir: runtimeDir() });
    const { variables, place, remove } = deliverFiles(rest);
    try {
      expect(place).toBe('memory');
      expect([0x01021994, 0x858458f6]).toContain(statfsSync(variables['TOKEN_FILE'] ?? '').type >>> 0);
    } finally {
      remove();
    }
    expect(existsSync(dirname(variables['TOKEN_FILE'] ?? ''))).toBe(false);
  });

  it.each<[string, (dir: string) => string]>([
    ['none', () => ''],
    ['a relative one', () => 'run'],
    [
      'one that others may enter',
      (dir) => {
        chmodSync(dir, 0o755);
        return dir;
      },
    ],
    [
      'a symbolic link',
      (dir) => {
        symlinkSync(dir, `${dir}-link`);
        afterTest(() => rmSync(`${dir}-link`));
        return `${dir}-link`;
      },
    ],
    ['one that is not there', (dir) => join(dir, 'none')],
  ])('falls back on the run’s own folder where the runtime folder is %s', (_name, make) => {
    const isolationDir = tempDir();
    const { place, variables } = deliverFiles(input({ isolationDir, runtimeDir: make(runtimeDir()) }));
    expect(place).toBe('state_dir');
    expect(variables['TOKEN_FILE']).toBe(join(isolationDir, 'files', 'TOKEN_FILE'));
    expect(lstatSync(join(isolationDir, 'files')).mode & 0o777).toBe(0o700);
  });

  it('takes no folder in memory that somebody else could have prepared', () => {
    const [open, foreign] = [tempDir(), tempDir()];
    chmodSync(open, 0o777);
    for (const dir of [open, foreign]) expect(placesInMemory(undefined, UID, dir)).toEqual([]);
  });

  it('says which value the lease lacks, and leaves nothing behind', () => {
    const runtime = runtimeDir();
    const files = { GOOD: 'token', BAD: 'nonsense' };
    expect(() => deliverFiles(input({ files, runtimeDir: runtime }))).toThrow(
      /"BAD" is to be the lease's "nonsense"/,
    );
    expect(readdirSync(runtime)).toEqual([]);
  });
});

describe('sweepDelivered', () => {
  /** A folder as a run of another process would have left it. */
  function leftBy(pid: number, runtime: string): string {
    const { variables } = deliverFiles(input({ runtimeDir: runtime }));
    const dir = dirname(variables['TOKEN_FILE'] ?? '');
    const start = pid === process.pid ? newHolder().start : '1';
    const owner = formatHolder({ ...newHolder(), pid, start });
    const name = join(runtime, `capwrap.${UID}.aaaaaaaaaaaaaaaa.${owner}`);
    renameSync(dir, name);
    return name;
  }

  it('removes what the dead have left, and nothing that a live run uses or somebody else made', () => {
    const runtime = runtimeDir();
    const { pid: ended = 0 } = spawnSync(process.execPath, ['-e', '']);
    const live = leftBy(process.pid, runtime);
    const dead = leftBy(ended, runtime);
    const others = ['something-else', `capwrap.${UID}.x`, `capwrap.${UID + 1}.x.${ended}.1.-.-.000000000000`];
    for (const name of others) mkdirSync(join(runtime, name));
    symlinkSync(live, join(runtime, `capwrap.${UID}.link.${basename(dead).split('.').slice(3).join('.')}`));
    sweepDelivered(runtime, UID, NOWHERE);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(live)).toBe(true);
    expect(readdirSync(runtime).length).toBe(5);
  });

  it('removes what the dead have left among any number of folders that must stay', () => {
    const runtime = runtimeDir();
    const { pid: ended = 0 } = spawnSync(process.execPath, ['-e', '']);
    const dead = leftBy(ended, runtime);
    for (let at = 0; at < 200; at++) mkdirSync(join(runtime, `capwrap.${UID}.${at}.x`));
    // A folder of the same content, later in whatever order the file system has.
    const again = join(runtime, basename(dead).replace('aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'));
    mkdirSync(again);
    sweepDelivered(runtime, UID, NOWHERE);
    expect([existsSync(dead), existsSync(again)]).toEqual([false, false]);
  });

  it('removes in time what can’t be judged', () => {
    const runtime = runtimeDir();
    const old = join(runtime, `capwrap.${UID}.unreadable`);
    mkdirSync(old);
    sweepDelivered(runtime, UID, NOWHERE);
    expect(existsSync(old)).toBe(true);
    const weekAgo = new Date(Date.now() - 8 * 24 * 3_600_000);
    utimesSync(old, weekAgo, weekAgo);
    sweepDelivered(runtime, UID, NOWHERE);
    expect(existsSync(old)).toBe(false);
  });

  it('has nothing to do where there is no such place', () => {
    sweepDelivered(undefined, UID, NOWHERE);
    sweepDelivered(NOWHERE, UID, NOWHERE);
  });
});

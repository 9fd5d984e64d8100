/** What is kept of compiled code between runs. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectNowhere } from '../helpers/secrets.ts';
import { localWorkspace, type Workspace } from '../helpers/workspace.ts';

describe('compiled code', () => {
  let workspace: Workspace;
  let cache = '';
  const version = async () => expect((await workspace.cli(['--version'])).status).toBe(0);
  const run = async () => {
    const result = await workspace.run('local', ['/bin/sh', '-c', 'printf %s "$TOKEN" > token; echo ran']);
    expect(result).toMatchObject({ status: 0, stdout: 'ran\n' });
  };
  const kept = () => {
    const [folder = ''] = readdirSync(cache);
    return readdirSync(join(cache, folder)).map((name) => join(cache, folder, name));
  };
  /** The file of the chunk that every command needs. */
  const largest = () =>
    kept().toSorted((one, other) => lstatSync(other).size - lstatSync(one).size)[0] as string;

  beforeEach(async () => {
    workspace = await localWorkspace();
    rmSync(join(workspace.folder, '.cache'));
    cache = join(workspace.folder, '.cache', 'capwrap', 'compile-cache');
  });

  it('is for its owner alone, holds no secret, and is what a whole run needs', async () => {
    await version();
    const first = readFileSync(largest());
    await run();
    const second = readFileSync(largest());
    expect(second.length).toBeGreaterThan(first.length * 1.2);
    await version();
    await run();
    expect(readFileSync(largest()).equals(second)).toBe(true);
    for (const path of kept()) expect(lstatSync(path).mode & 0o777, path).toBe(0o600);
    expectNowhere([readFileSync(join(workspace.folder, 'token'), 'utf8')], { texts: [], folders: [cache] });
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut', (bytes) => bytes.subarray(0, 4000)],
    ['empty', () => Buffer.alloc(0)],
    ['of another source', (bytes) => bytes.fill(1, 0, 4)],
    ['changed', (bytes) => bytes.fill(0, 400_000, 400_100)],
  ])('is made anew where it is %s', async (_what, damage) => {
    await run();
    const path = largest();
    const sound = readFileSync(path);
    writeFileSync(path, damage(Buffer.from(sound)));
    await run();
    expect(readFileSync(path).length).toBeGreaterThan(sound.length * 0.9);
  });

  it('leaves nothing half done where it cannot be kept, as on a full disk', async () => {
    await version();
    const path = largest();
    rmSync(path);
    mkdirSync(path);
    await version();
    expect(kept()).toEqual([path]);
  });

  it('takes what older builds and killed runs have left with it, when it is written', async () => {
    await version();
    const old = new Date(Date.now() - 40 * 24 * 3600 * 1000);
    const [first = ''] = kept();
    const left = ['cli-OLD.js.bin', 'cli-OLD.js.bin.4242'].map((name) => join(first, '..', name));
    for (const path of left) writeFileSync(path, '');
    for (const path of [...left, first]) utimesSync(path, old, old);
    await version();
    expect(left.every((path) => existsSync(path))).toBe(true); // nothing was written
    const own = kept().filter((path) => !left.includes(path));
    await run();
    expect(kept()).toEqual(expect.arrayContaining(own));
    for (const path of left) expect(existsSync(path), path).toBe(false);
  });

  it('is not kept where others could write', async () => {
    mkdirSync(cache, { recursive: true });
    chmodSync(cache, 0o770);
    await run();
    expect(readdirSync(cache)).toEqual([]);
  });
});

describe('the folder of compiled code', () => {
  let workspace: Workspace;
  let cache = '';
  const version = async (home = workspace.folder) => {
    expect((await workspace.cli(['--version'], { env: { HOME: home } })).status).toBe(0);
  };

  beforeEach(async () => {
    workspace = await localWorkspace();
    rmSync(join(workspace.folder, '.cache'));
    cache = join(workspace.folder, '.cache', 'capwrap', 'compile-cache');
  });

  it('is not used where others could put another one in its place', async () => {
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    chmodSync(join(cache, '..'), 0o777);
    await version();
    expect(readdirSync(cache)).toEqual([]);
    chmodSync(join(cache, '..'), 0o755);
    await version();
    expect(readdirSync(cache)).not.toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)("is not made in another user's home (asked as root only)", async () => {
    chownSync(workspace.folder, 65534, 65534);
    await version();
    expect(existsSync(join(workspace.folder, '.cache'))).toBe(false);
  });

  it('is not waited for where none can be made', async () => {
    await version('/proc');
    await version(join(workspace.folder, 'absent'));
    expect(existsSync(join(workspace.folder, 'absent'))).toBe(false);
  });
});

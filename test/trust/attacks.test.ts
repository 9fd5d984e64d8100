/** What somebody who can write where the agent can write may try, and what stops it. */
import {
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findMapFile, readMapFile } from '../../src/policy/map-file.ts';
import { parseMap } from '../../src/policy/parse.ts';
import { ambientOf } from '../policy/ambient.ts';
import { makeRepo, makeWorld, mapText, setRemote, type World } from './trust-world.ts';

let world: World;

beforeEach(() => {
  world = makeWorld();
});

const refused = (why: string) => expect.objectContaining({ trusted: false, why });

describe('the map', () => {
  test('edited between check and read: the bytes that were hashed are the bytes that are parsed', async () => {
    const pin = await world.pin(mapText('5m'));
    const ambient = ambientOf({ cwd: world.repo });
    const file = readMapFile(findMapFile(ambient, undefined), ambient);
    world.put(mapText('50m'));
    expect(file.sha256).toBe(pin.sha256);
    expect(parseMap(file.bytes, file).capabilities.get('read-ci-artifacts')?.ttl).toBe(300);
    expect(await world.judge()).toEqual(refused('its content is not a version that was trusted'));
  });

  test('swapped for a link', async () => {
    await world.pin(mapText('5m'));
    const evil = join(world.top, 'evil.yaml');
    renameSync(world.map, evil);
    symlinkSync(evil, world.map);
    expect(await world.judge()).toEqual(refused(`${world.map} was trusted, and leads to ${evil} now`));
    // What was trusted under the name can still be taken back by it.
    expect((await world.untrust({ file: world.map })).out).toContain(
      `"${world.map}" is not trusted any more`,
    );
  });

  test('reached through a folder that was swapped for a link', async () => {
    await world.pin(mapText('5m'));
    const moved = join(world.top, 'moved');
    renameSync(world.repo, moved);
    symlinkSync(moved, world.repo);
    expect(await world.judge()).toEqual(
      refused(`${world.map} was trusted, and leads to ${join(moved, 'capabilities.yaml')} now`),
    );
  });

  test('a link that was trusted and leads elsewhere now', async () => {
    const real = join(world.top, 'real.yaml');
    world.put(mapText('5m'), real);
    symlinkSync(real, world.map);
    await world.pin();
    expect((await world.judge()).trusted).toBe(true);
    rmSync(world.map);
    world.put(mapText('50m'), join(world.top, 'other.yaml'));
    symlinkSync(join(world.top, 'other.yaml'), world.map);
    expect(await world.judge()).toEqual(refused('nobody has trusted it here'));
  });

  test('copied to another repository', async () => {
    await world.pin(mapText('5m'));
    const other = makeRepo(join(world.top, 'other'), 'acme/web-app');
    cpSync(world.map, join(other, 'capabilities.yaml'));
    expect(await world.judge(undefined, other)).toEqual(
      refused(`the same content was trusted as ${world.map}, and not here`),
    );
  });

  test('in a folder that holds another repository now', async () => {
    await world.pin(mapText('5m'));
    renameSync(world.repo, join(world.top, 'away'));
    makeRepo(world.repo, 'acme/payments');
    world.put(mapText('5m'));
    expect(await world.judge()).toEqual(
      refused('it was trusted in the repository acme/web-app, and this is the repository acme/payments'),
    );
    world.put(mapText('50m'));
    expect(await world.judge()).toEqual(
      refused(
        'what was trusted here is of the repository acme/web-app, and this is the repository acme/payments',
      ),
    );
  });

  test.each([
    {
      name: 'none at all',
      change: () => rmSync(join(world.repo, '.git'), { recursive: true }),
      from: 'no git work tree at or above the working directory',
    },
    {
      name: 'one without a remote',
      change: () => setRemote(world.repo, null),
      from: '.git/config names no remote',
    },
  ])('in a repository that turned into $name', async ({ change, from }) => {
    await world.pin(mapText('5m'));
    change();
    expect(await world.judge()).toEqual(
      refused(
        `it was trusted in the repository acme/web-app, and this is one whose name can't be told: ${from}`,
      ),
    );
  });

  test('back where and as it was, it is trusted without another question', async () => {
    await world.pin(mapText('5m'));
    await world.pin(mapText('6m'));
    world.put(mapText('5m'));
    expect(await world.judge()).toEqual({ trusted: true, grade: 'pinned', approver: null });
  });
});

describe("capwrap's own files", () => {
  beforeEach(() => world.pin(mapText('5m')));

  const unsafe = (message: string) => expect.objectContaining({ code: 'ERR_STATE_UNSAFE', message });

  test.each([
    {
      name: 'a link',
      swap: (file: string) => {
        renameSync(file, `${file}.real`);
        symlinkSync(`${file}.real`, file);
      },
      why: 'is a symbolic link',
    },
    {
      name: 'a second name',
      swap: (file: string) => linkSync(file, `${file}.twin`),
      why: 'has a second name (hard link)',
    },
    {
      name: 'a mode for others',
      swap: (file: string) => chmodSync(file, 0o620),
      why: 'can be read or written by others',
    },
  ])('trust.json: $name', async ({ swap, why }) => {
    swap(world.trustFile);
    await expect(world.judge()).rejects.toThrow(unsafe(`"${world.trustFile}" ${why}`));
  });

  test('a state directory that is a link', async () => {
    renameSync(world.stateDir, `${world.stateDir}.real`);
    symlinkSync(`${world.stateDir}.real`, world.stateDir);
    await expect(world.judge()).rejects.toThrow(unsafe(`"${world.stateDir}" is a symbolic link`));
  });

  test.each([
    {
      name: 'altered',
      swap: (file: string) => writeFileSync(file, mapText('4m'), { mode: 0o600 }),
      kept: 'damaged',
      why: 'was altered since it was kept',
    },
    { name: 'missing', swap: (file: string) => rmSync(file), kept: 'missing', why: 'is not in ' },
    {
      name: 'a link to the right bytes',
      swap: (file: string) => {
        renameSync(file, `${file}.real`);
        symlinkSync(`${file}.real`, file);
      },
      kept: 'damaged',
      why: 'is a symbolic link',
    },
    {
      name: 'of a mode for others',
      swap: (file: string) => chmodSync(file, 0o640),
      kept: 'damaged',
      why: 'can be read',
    },
    {
      name: 'with a second name',
      swap: (file: string) => linkSync(file, `${file}.x`),
      kept: 'damaged',
      why: 'has a second name',
    },
    {
      name: 'in a folder that is a link',
      swap: (_: string, maps: string) => {
        renameSync(maps, `${maps}.real`);
        symlinkSync(`${maps}.real`, maps);
      },
      kept: 'damaged',
      why: 'is not in a folder of this user',
    },
  ])('a kept version, $name: said, and compared with nothing', async ({ swap, kept, why }) => {
    const maps = join(world.stateDir, 'maps');
    swap(join(maps, `${world.sha256()}.yaml`), maps);
    expect((await world.list()).pins).toMatchObject([{ kept }]);
    world.put(mapText('50m'));
    const { out } = await world.show();
    expect(out).toContain('The version to compare with');
    expect(out.replaceAll(/\n +\.\.\. /g, ' ')).toContain(why);
    expect(out).toContain('50m, at most 50m'); // the map as a whole
  });
});

describe('pins of version 1', () => {
  test('count for nothing, and are said until the map is trusted again', async () => {
    world.put(mapText('5m'));
    const old = {
      path: world.map,
      repository: world.repo,
      sha256: world.sha256(),
      grade: 'pinned',
      pinned_at: '2026-01-02T03:04:05.000Z',
    };
    writeFileSync(world.trustFile, JSON.stringify({ version: 1, pins: [old] }), { mode: 0o600 });
    expect(await world.judge()).toEqual(
      refused('it was trusted by an older version of capwrap, which did not note for which repository'),
    );
    expect((await world.list()).pins).toEqual([
      {
        ...old,
        repo: null,
        approver: null,
        kept: 'none',
        old: true,
        fault:
          'it was made by an older version of capwrap, which did not note for which repository: trust the map again',
      },
    ]);
    expect((await world.trust({ list: true })).out).toContain('old pinned');
    await world.trust({ sha256: world.sha256() });
    expect((await world.judge()).trusted).toBe(true);
    expect((await world.list()).pins).toMatchObject([{ old: false }]);
  });
});

test('a folder in the way of the kept versions pins nothing', async () => {
  world.put(mapText('5m'));
  mkdirSync(join(world.top, 'elsewhere'));
  symlinkSync(join(world.top, 'elsewhere'), join(world.stateDir, 'maps'));
  await expect(world.trust({ sha256: world.sha256() })).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_STATE_UNSAFE' }),
  );
  expect((await world.judge()).trusted).toBe(false);
});

/** What somebody may try without a signature, where approvers have a say. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ALICE, MALLORY, makeWorld, mapText, setRemote, type World } from './trust-world.ts';

let world: World;

beforeEach(() => {
  world = makeWorld();
});

const refused = (why: string) => expect.objectContaining({ trusted: false, why });
const notPinned = (why: string) =>
  expect.objectContaining({ code: 'ERR_MAP_UNTRUSTED', message: `"${world.map}" was not pinned: ${why}` });

describe('without a signature, once approvers have a say', () => {
  const why = 'one of the approvers of the version before has to sign: alice';

  beforeEach(async () => {
    await world.pin(mapText('5m', { alice: ALICE }));
    world.put(mapText('12h'));
  });

  test('neither a terminal nor --sha256 trusts a new version', async () => {
    const told = expect.objectContaining({
      hint: [
        `capwrap trust --statement ${world.map} > map.json`,
        'ssh-keygen -Y sign -n capwrap-map -f KEY map.json',
        `capwrap trust --signature map.json.sig ${world.map}`,
        `or, on a terminal: capwrap trust --key KEY ${world.map}`,
      ].join('\n'),
    });
    for (const options of [{}, { sha256: world.sha256() }]) {
      await expect(world.trust(options)).rejects.toThrow(notPinned(why));
      await expect(world.trust(options)).rejects.toThrow(told);
    }
  });

  test('nor does untrust first', async () => {
    expect((await world.untrust()).status).toBe(0);
    await expect(world.trust({ sha256: world.sha256() })).rejects.toThrow(notPinned(why));
    // Nor for the version that was removed: somebody may have had a reason.
    world.put(mapText('5m', { alice: ALICE }));
    expect(await world.judge()).toEqual(refused('its trust was withdrawn'));
    await expect(world.trust({ sha256: world.sha256() })).rejects.toThrow(notPinned(why));
    expect((await world.sign(ALICE)).out).toContain('signed by alice');
  });

  test('nor does another remote, or none', async () => {
    for (const remote of ['mallory/web-app', null]) {
      setRemote(world.repo, remote);
      await expect(world.trust({ sha256: world.sha256() })).rejects.toThrow(notPinned(why));
    }
    expect((await world.sign(ALICE)).out).toContain('of the repository acme/web-app');
  });

  test('nor does a lineage of another repository that names nobody', async () => {
    await world.untrust();
    world.forge((store) =>
      store.lineages.unshift({ ...store.lineages[0], repo: 'mallory/x', approvers: [] }),
    );
    setRemote(world.repo, 'mallory/x');
    await expect(world.trust({ sha256: world.sha256() })).rejects.toThrow(notPinned(why));
  });

  test('nor does a version before that is gone or altered', async () => {
    const [{ sha256 }] = world.store().pins;
    const kept = join(world.stateDir, 'maps', `${sha256}.yaml`);
    writeFileSync(kept, mapText('5m'), { mode: 0o600 });
    const altered = `version ${sha256}, whose approvers have to sign, was altered since it was kept`;
    await expect(world.trust({ sha256: world.sha256() })).rejects.toThrow(notPinned(altered));
    await expect(world.trust({ sha256: world.sha256() })).rejects.toThrow(
      expect.objectContaining({ hint: `capwrap untrust --forget ${world.map}` }),
    );
    rmSync(kept);
    await expect(world.sign(MALLORY)).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining('nobody may sign for it: version') }),
    );
  });

  test('nor does raising an older version that named nobody', async () => {
    world = makeWorld();
    world.put(mapText('4m'));
    await world.trust({ sha256: world.sha256() });
    await world.pin(mapText('5m', { alice: ALICE }));
    await world.pin(mapText('4m'));
    world.put(mapText('12h'));
    await expect(world.trust({ sha256: world.sha256() })).rejects.toThrow(notPinned(why));
  });

  test('--forget needs a terminal', async () => {
    await expect(world.untrust({ forget: true })).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_MAP_UNTRUSTED',
        message: `"${world.map}" was not forgotten: there is no terminal to ask on`,
      }),
    );
    expect(world.store().pins).toHaveLength(1);
  });
});

describe('nothing gets past a person by being pinned without one first', () => {
  test('the comparison is with the version that was confirmed', async () => {
    await world.pin(mapText('5m'));
    world.put(mapText('12h'));
    await world.trust({ sha256: world.sha256() });
    world.put(`${mapText('12h')}# a comment\n`);
    expect((await world.show()).out).toMatch(/WIDENING.*5m.*12h/s);
    const { out } = await world.trust({ sha256: world.sha256() });
    expect(out).toContain('Nothing but comments and layout changed.'); // against what was pinned as weakly
  });

  test('an approver whom nobody confirmed makes nothing signed', async () => {
    world.put(mapText('5m', { mallory: MALLORY }));
    await world.trust({ sha256: world.sha256() });
    world.put(mapText('12h', { mallory: MALLORY }));
    await world.sign(MALLORY);
    expect(await world.judge()).toMatchObject({ trusted: true, grade: 'pinned_noninteractive' });
    world.put(mapText('10h', { mallory: MALLORY }));
    await world.sign(MALLORY);
    expect(await world.judge()).toMatchObject({ trusted: true, grade: 'pinned_noninteractive' });
    expect((await world.list()).pins.at(-1)).toMatchObject({
      grade: 'pinned_noninteractive',
      approver: 'mallory',
      fault: null,
    });
    expect(world.records().map((record) => record['map_trust'])).toEqual([
      'pinned_noninteractive',
      'pinned_noninteractive',
      'pinned_noninteractive',
    ]);
  });
});

test('content that is pinned already is no change: a person may confirm it, approvers or not', async () => {
  await world.pin(mapText('5m', { alice: ALICE }), { grade: 'pinned_noninteractive' });
  await expect(world.trust()).rejects.toThrow(notPinned('there is no terminal to ask on'));
});

test('where a pin of a person is demanded, an approver whom nobody confirmed can not make one', async () => {
  world = makeWorld({ requireMapTrust: 'pinned' });
  await world.pin(mapText('5m', { mallory: MALLORY }), { grade: 'pinned_noninteractive' });
  world.put(mapText('6m'));
  await expect(world.sign(MALLORY)).rejects.toThrow(
    expect.objectContaining({
      code: 'ERR_MAP_UNTRUSTED',
      message: expect.stringContaining(
        'it is pinned_noninteractive, and /etc/capwrap/config.yaml demands pinned',
      ),
    }),
  );
  expect(world.store().pins).toHaveLength(1);
});

/** What somebody who can write where the agent can write may try, and what stops it. */
import {
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findMapFile, readMapFile } from '../../src/policy/map-file.ts';
import { parseMap } from '../../src/policy/parse.ts';
import { statementText } from '../../src/trust/statement.ts';
import { ambientOf } from '../policy/ambient.ts';
import { ALICE, BOB, MALLORY, makeRepo, makeWorld, mapText, setRemote, type World } from './trust-world.ts';

let world: World;

beforeEach(() => {
  world = makeWorld();
});

const refused = (why: string) => expect.objectContaining({ trusted: false, why });
const notPinned = (why: string) =>
  expect.objectContaining({ code: 'ERR_MAP_UNTRUSTED', message: `"${world.map}" was not pinned: ${why}` });

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

describe('a forged trust.json', () => {
  beforeEach(() => world.pin(mapText('5m', { alice: ALICE })));

  /** The agent writes itself a signed pin of its own map. */
  const forgeSigned = (terms: { signature?: unknown; replaces?: string } = {}) => {
    world.put(mapText('12h', { mallory: MALLORY }));
    const sha256 = world.sha256();
    world.forge((store) => {
      const [pin] = store.pins;
      store.pins.push({ ...pin, sha256, grade: 'signed', signature: terms.signature ?? null });
    });
    return sha256;
  };

  test('grade signed without a signature', async () => {
    forgeSigned();
    expect(await world.judge()).toEqual(refused('its signature does not count: there is none'));
    expect((await world.list()).pins.at(-1)).toMatchObject({ grade: 'signed', fault: 'there is none' });
  });

  test.each([
    {
      name: "the agent's own key",
      make: (sha256: string, replaces: string) => {
        const statement = statementText({ path: world.map, repo: 'acme/web-app', replaces, sha256 });
        return { statement, armored: MALLORY.sign(statement, 'capwrap-map') };
      },
      why: /is none of the accepted keys$/,
    },
    {
      name: 'the new map as its own predecessor',
      make: (sha256: string) => {
        const statement = statementText({ path: world.map, repo: 'acme/web-app', replaces: sha256, sha256 });
        return { statement, armored: MALLORY.sign(statement, 'capwrap-map') };
      },
      why: /^the version that it replaces \([0-9a-f]+\) was never trusted here$/,
    },
    {
      name: 'a statement for another content',
      make: (_: string, replaces: string) => {
        const statement = statementText({
          path: world.map,
          repo: 'acme/web-app',
          replaces,
          sha256: replaces,
        });
        return { statement, armored: ALICE.sign(statement, 'capwrap-map') };
      },
      why: /^it is for the content [0-9a-f]{64}$/,
    },
    {
      name: 'a statement that was never signed',
      make: (sha256: string, replaces: string) => {
        const other = statementText({ path: world.map, repo: 'acme/web-app', replaces, sha256: replaces });
        const statement = statementText({ path: world.map, repo: 'acme/web-app', replaces, sha256 });
        return { statement, armored: ALICE.sign(other, 'capwrap-map') };
      },
      why: /didn't sign this message$/,
    },
    {
      name: 'text that is no statement',
      make: () => ({ statement: '{"capwrap_map_trust": 1}', armored: ALICE.sign('x', 'capwrap-map') }),
      why: /^it is not over a statement of capwrap trust --statement$/,
    },
    {
      name: 'text that is no signature',
      make: (sha256: string, replaces: string) => ({
        statement: statementText({ path: world.map, repo: 'acme/web-app', replaces, sha256 }),
        armored: 'signed, alice',
      }),
      why: /^it doesn't start with/,
    },
  ])('grade signed with $name', async ({ make, why }) => {
    const replaces = world.sha256();
    world.put(mapText('12h', { mallory: MALLORY }));
    forgeSigned({ signature: { principal: 'alice', ...make(world.sha256(), replaces) } });
    const verdict = await world.judge();
    expect(verdict.trusted).toBe(false);
    const prefix = 'its signature does not count: ';
    const told = verdict.trusted ? '' : verdict.why;
    expect(told.slice(0, prefix.length)).toBe(prefix);
    expect(told.slice(prefix.length)).toMatch(why);
  });
});

describe('a signature', () => {
  const V1 = mapText('5m', { alice: ALICE });
  const V2 = mapText('6m', { alice: ALICE, mallory: MALLORY });

  beforeEach(async () => {
    await world.pin(V1);
    world.put(V2);
  });

  const statementWith = async (changes: object) => {
    const { path, repo, replaces, sha256 } = JSON.parse(await world.statement());
    return statementText({ path, repo, replaces, sha256, ...changes });
  };

  test('of an approver of the version before is what it takes', async () => {
    const first = world.store().pins[0].sha256;
    const { out } = await world.sign(ALICE);
    expect(out).toContain('is trusted now (signed, signed by alice: ssh_key)');
    expect(await world.judge()).toEqual({ trusted: true, grade: 'signed', approver: 'alice' });
    expect(world.records()).toMatchObject([
      {
        event: 'trusted',
        map_path: world.map,
        map_trust: 'signed',
        repo: 'acme/web-app',
        replaces_sha256: first,
        approver: 'alice',
        approver_key: expect.stringMatching(/^SHA256:/),
        approval_grade: 'ssh_key',
        widening: expect.any(Number),
      },
    ]);
    // The next change is for the approvers of this version, and going back needs nothing.
    world.put(mapText('7m'));
    expect((await world.sign(MALLORY)).out).toContain('signed by mallory');
    world.put(V1);
    expect(await world.judge()).toMatchObject({ trusted: true, grade: 'pinned' });
  });

  test.each([
    {
      name: 'for another map',
      changes: { path: '/other/capabilities.yaml' },
      why: 'it is for the map /other/capabilities.yaml',
    },
    {
      name: 'for another repository',
      changes: { repo: 'acme/payments' },
      why: 'it is for the repository acme/payments, not for the repository acme/web-app',
    },
    {
      name: 'for another content',
      changes: { sha256: 'e'.repeat(64) },
      why: `it is for the content ${'e'.repeat(64)}`,
    },
    {
      name: 'for another predecessor',
      changes: { replaces: null },
      why: /^it replaces no version, and the one trusted last is version [0-9a-f]{64}$/,
    },
  ])('$name', async ({ changes, why }) => {
    const text = await statementWith(changes);
    const error = await world.sign(ALICE, { text }).catch((fault) => fault);
    expect(error.code).toBe('ERR_MAP_UNTRUSTED');
    const told = error.message.replace(`"${world.map}" was not pinned: the signature does not count: `, '');
    if (typeof why === 'string') expect(told).toBe(why);
    else expect(told).toMatch(why);
    // Without the text that was signed there is less to tell, and the answer is the same.
    const bare = await world.sign(ALICE, { text, beside: false }).catch((fault) => fault);
    expect(bare.code).toBe('ERR_MAP_UNTRUSTED');
    expect((await world.judge()).trusted).toBe(false);
  });

  test.each([
    {
      name: 'for another purpose',
      sign: () => world.sign(ALICE, { namespace: 'capwrap-approval' }),
      why: /"capwrap-approval" is the signature's namespace, not capwrap-map$/,
    },
    { name: 'of nobody', sign: () => world.sign(BOB), why: /is none of the accepted keys$/ },
    {
      name: 'of an approver of the new version alone',
      sign: () => world.sign(MALLORY),
      why: /is none of the accepted keys; only the new version names it, and the one before decides$/,
    },
  ])('$name', async ({ sign, why }) => {
    const error = await sign().catch((fault: unknown) => fault);
    expect(error).toMatchObject({ code: 'ERR_MAP_UNTRUSTED', message: expect.stringMatching(why) });
    expect((error as { hint: string }).hint).toContain('ssh-keygen -Y sign -n capwrap-map -f KEY map.json');
    expect(world.store().pins).toHaveLength(1);
  });

  test('counts once: for the version that was replaced then, not for a later one', async () => {
    const text = await world.statement();
    await world.sign(ALICE);
    await world.untrust({ sha256: world.sha256() });
    const error = await world.sign(ALICE, { text }).catch((fault) => fault);
    expect(error.message).toMatch(
      /it replaces version [0-9a-f]+, and the one trusted last is version [0-9a-f]+$/,
    );
  });

  test('stops counting when the version before is altered, and counts again when it is back', async () => {
    const before = world.store().pins[0].sha256;
    await world.sign(ALICE);
    const kept = join(world.stateDir, 'maps', `${before}.yaml`);
    writeFileSync(kept, mapText('5m', { alice: MALLORY }), { mode: 0o600 });
    expect(await world.judge()).toEqual(
      refused(
        `its signature does not count: the version that it replaces (${before}) was altered since it was kept`,
      ),
    );
    writeFileSync(kept, V1, { mode: 0o600 });
    expect(await world.judge()).toMatchObject({ trusted: true, grade: 'signed' });
  });
});

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

describe("with the administrator's approvers", () => {
  const approvers = [{ name: 'bob', keys: [BOB.publicLine], actors: [] }];

  test('their signature counts for every map, its first version included', async () => {
    world = makeWorld({ approvers });
    world.put(mapText('5m'));
    const { out } = await world.sign(BOB);
    expect(out).toContain('signed by bob');
    expect(await world.judge()).toEqual({ trusted: true, grade: 'signed', approver: 'bob' });
    expect(JSON.parse(world.store().pins[0].signature.statement)).toMatchObject({ replaces: null });
  });

  test('where signatures are demanded, only theirs count', async () => {
    world = makeWorld({ approvers, requireMapTrust: 'signed' });
    await world.pin(mapText('5m', { alice: ALICE }));
    expect(await world.judge()).toMatchObject({
      trusted: false,
      why: 'it is pinned, and /etc/capwrap/config.yaml demands signed',
      hint: `capwrap trust ${world.map}`,
    });
    await expect(world.trust()).rejects.toThrow(
      notPinned('/etc/capwrap/config.yaml demands a signature of its approvers: bob'),
    );
    await expect(world.sign(ALICE)).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining('is none of the accepted keys') }),
    );
    expect((await world.sign(BOB)).out).toContain('signed by bob');
    expect(await world.judge()).toEqual({ trusted: true, grade: 'signed', approver: 'bob' });
    expect((await world.trust()).out).toContain('is trusted already (signed)');
  });

  test('a key that is taken from them counts no more', async () => {
    world = makeWorld({ approvers });
    world.put(mapText('5m'));
    await world.sign(BOB);
    const later = makeWorld({ approvers: [{ name: 'bob', keys: [ALICE.publicLine], actors: [] }] });
    cpSync(world.stateDir, later.stateDir, { recursive: true });
    const text = readFileSync(later.trustFile, 'utf8').replaceAll(world.top, later.top);
    writeFileSync(later.trustFile, text, { mode: 0o600 });
    later.put(mapText('5m'));
    const verdict = await later.judge();
    expect(verdict).toMatchObject({
      trusted: false,
      why: expect.stringContaining('is none of the accepted keys'),
    });
  });

  test('a forged chain of approvers does not help where signatures are demanded', async () => {
    world = makeWorld({ approvers, requireMapTrust: 'signed' });
    const before = await world.pin(mapText('5m', { mallory: MALLORY }));
    world.put(mapText('12h'));
    const statement = statementText({
      path: world.map,
      repo: 'acme/web-app',
      replaces: before.sha256,
      sha256: world.sha256(),
    });
    world.forge((store) => {
      const signature = { principal: 'bob', statement, armored: MALLORY.sign(statement, 'capwrap-map') };
      store.pins.push({ ...before, sha256: world.sha256(), grade: 'signed', signature });
    });
    expect(await world.judge()).toMatchObject({
      trusted: false,
      why: expect.stringMatching(/^its signature does not count: .* is none of the accepted keys$/),
    });
  });

  test('without any, a demand for signatures is met by an admin-owned map alone', async () => {
    world = makeWorld({ requireMapTrust: 'signed' });
    await world.pin(mapText('5m', { alice: ALICE }));
    world.put(mapText('6m', { alice: ALICE }));
    await expect(world.sign(ALICE)).rejects.toThrow(
      notPinned('nobody may sign for it: /etc/capwrap/config.yaml names no approvers'),
    );
  });

  test('a line that is no key is a fault of the config, never an approver less', async () => {
    world = makeWorld({ approvers: [...approvers, { name: 'eve', keys: ['ssh-ed25519 AAAA'], actors: [] }] });
    world.put(mapText('5m'));
    await expect(world.sign(BOB)).rejects.toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }));
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

/** What somebody may try with signatures: forged, for something else, of the wrong people. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { statementText } from '../../src/trust/statement.ts';
import { ALICE, BOB, MALLORY, makeWorld, mapText, type World } from './trust-world.ts';

let world: World;

beforeEach(() => {
  world = makeWorld();
});

const refused = (why: string) => expect.objectContaining({ trusted: false, why });
const notPinned = (why: string) =>
  expect.objectContaining({ code: 'ERR_MAP_UNTRUSTED', message: `"${world.map}" was not pinned: ${why}` });

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
        const statement = statementText({
          path: world.map,
          repo: 'acme/web-app',
          after: null,
          replaces,
          sha256,
        });
        return { statement, armored: MALLORY.sign(statement, 'capwrap-map') };
      },
      why: /is none of the accepted keys$/,
    },
    {
      name: 'the new map as its own predecessor',
      make: (sha256: string) => {
        const statement = statementText({
          path: world.map,
          repo: 'acme/web-app',
          after: null,
          replaces: sha256,
          sha256,
        });
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
          after: null,
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
        const other = statementText({
          path: world.map,
          repo: 'acme/web-app',
          after: null,
          replaces,
          sha256: replaces,
        });
        const statement = statementText({
          path: world.map,
          repo: 'acme/web-app',
          after: null,
          replaces,
          sha256,
        });
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
        statement: statementText({ path: world.map, repo: 'acme/web-app', after: null, replaces, sha256 }),
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
    const { path, repo, replaces, after, sha256 } = JSON.parse(await world.statement());
    return statementText({ path, repo, replaces, after, sha256, ...changes });
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
    {
      name: 'for another change between the same versions',
      changes: { after: '0'.repeat(32) },
      why: 'it was made for an earlier change, and a signature counts once',
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

  test('counts once: with the versions of then in place again it is worth nothing', async () => {
    const used = await world.statement();
    await world.sign(ALICE);
    world.put(V1);
    await world.untrust();
    await world.sign(ALICE); // back to the first version, by an approver of the second
    world.put(V2);
    const replayed = await world.sign(ALICE, { text: used }).catch((fault) => fault);
    expect(replayed.message).toContain('it was made for an earlier change, and a signature counts once');
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
      after: null,
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

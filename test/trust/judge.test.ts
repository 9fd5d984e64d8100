import { describe, expect, test } from 'vitest';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { MAP_TRUST_GRADES, type MapTrust } from '../../src/base/map-trust.ts';
import { assertGradeCounts, judgeTrust, type MapSubject, type SignedChecks } from '../../src/trust/judge.ts';
import {
  NOTHING_TRUSTED,
  type OldPin,
  type Pin,
  type PinGrade,
  type TrustStore,
} from '../../src/trust/pin.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const PATH = '/repo/capabilities.yaml';
const NONE: SignedChecks = new Map();

const map = (parts: Partial<MapSubject> = {}): MapSubject => ({
  file: { path: PATH, sha256: A, adminOwned: false },
  asked: PATH,
  repo: { name: 'acme/web', from: 'remote "origin" in .git/config (github.com)', root: '/repo' },
  ...parts,
});
const OWNED = map({ file: { path: PATH, sha256: A, adminOwned: true } });
const NAMELESS = map({ repo: { name: null, from: '.git/config names no remote', root: '/repo' } });

const pin = (sha256: string, grade: PinGrade = 'pinned', parts: Partial<Pin> = {}): Pin => ({
  path: PATH,
  repo: 'acme/web',
  repository: null,
  sha256,
  grade,
  pinned_at: '2026-01-02T03:04:05.000Z',
  signature: null,
  ...parts,
});
const store = (...pins: Pin[]): TrustStore => ({ ...NOTHING_TRUSTED, pins });
const { repo: _repo, signature: _signature, ...old } = pin(A);

const demand = (requireMapTrust: MapTrust | null, approvers = NO_ADMIN_CONFIG.approvers) => ({
  ...NO_ADMIN_CONFIG,
  requireMapTrust,
  approvers,
});

describe('without a demand of the administrator', () => {
  test.each([
    { name: 'a pinned map', pins: [pin(A)], grade: 'pinned' },
    { name: 'one of several pinned versions', pins: [pin(B), pin(A)], grade: 'pinned' },
    {
      name: 'a map pinned without a terminal',
      pins: [pin(A, 'pinned_noninteractive')],
      grade: 'pinned_noninteractive',
    },
    {
      name: 'a map with both grades',
      pins: [pin(A, 'pinned_noninteractive'), pin(A)],
      grade: 'pinned',
    },
    {
      name: 'a map with a signature that does not count and a pin that does',
      pins: [pin(A, 'signed'), pin(A)],
      grade: 'pinned',
    },
  ])('$name is trusted', ({ pins, grade }) => {
    const verdict = judgeTrust(map(), store(...pins), NO_ADMIN_CONFIG, NONE);
    expect(verdict).toEqual({ trusted: true, grade, approver: null });
  });

  test('a signed pin is trusted once its signature was verified, and only then', () => {
    const signed = pin(A, 'signed');
    const check = {
      ok: true,
      principal: 'alice',
      fingerprint: 'SHA256:x',
      grade: 'ssh_key',
      worth: 'signed',
    } as const;
    expect(judgeTrust(map(), store(pin(A), signed), NO_ADMIN_CONFIG, new Map([[signed, check]]))).toEqual({
      trusted: true,
      grade: 'signed',
      approver: 'alice',
    });
    expect(judgeTrust(map(), store(signed), NO_ADMIN_CONFIG, NONE)).toMatchObject({
      trusted: false,
      why: 'its signature does not count: it was not verified',
    });
    const bad = { ok: false, why: 'because', wrongKey: false } as const;
    expect(judgeTrust(map(), store(signed), NO_ADMIN_CONFIG, new Map([[signed, bad]]))).toMatchObject({
      trusted: false,
      why: 'its signature does not count: because',
    });
  });

  test('an admin-owned map needs no pin', () => {
    const verdict = judgeTrust(OWNED, NOTHING_TRUSTED, NO_ADMIN_CONFIG, NONE);
    expect(verdict).toEqual({ trusted: true, grade: 'admin_owned', approver: null });
  });

  test('a repository without a name fits only one without a name', () => {
    expect(judgeTrust(NAMELESS, store(pin(A, 'pinned', { repo: null })), NO_ADMIN_CONFIG, NONE).trusted).toBe(
      true,
    );
    expect(judgeTrust(map(), store(pin(A, 'pinned', { repo: null })), NO_ADMIN_CONFIG, NONE).trusted).toBe(
      false,
    );
  });
});

describe('each miss has words of its own', () => {
  const lineage = {
    path: PATH,
    repo: 'acme/web',
    versions: [A, B].map((sha256) => ({ sha256, grade: 'pinned' }) as const),
    approvers: [],
    mark: '0'.repeat(32),
  };
  const oldPins: OldPin[] = [old as OldPin];
  test.each<{ name: string; subject?: MapSubject; trust: TrustStore; why: string }>([
    { name: 'no pin', trust: NOTHING_TRUSTED, why: 'nobody has trusted it here' },
    {
      name: 'a copy',
      trust: store(pin(A, 'pinned', { path: '/x/capabilities.yaml' })),
      why: 'the same content was trusted as /x/capabilities.yaml, and not here',
    },
    {
      name: 'a copy whose original has a name made to deceive',
      trust: store(pin(A, 'pinned', { path: '/x\u001b[2K' })),
      why: 'the same content was trusted as /x\\u{1b}[2K, and not here',
    },
    { name: 'an edit', trust: store(pin(B)), why: 'its content is not a version that was trusted' },
    {
      name: 'another repository with the same map',
      trust: store(pin(A, 'pinned', { repo: 'acme/api' })),
      why: 'it was trusted in the repository acme/api, and this is the repository acme/web',
    },
    {
      name: 'a repository that lost its name',
      subject: NAMELESS,
      trust: store(pin(A)),
      why: "it was trusted in the repository acme/web, and this is one whose name can't be told: .git/config names no remote",
    },
    {
      name: 'another repository with another map',
      trust: store(pin(B, 'pinned', { repo: 'acme/api' })),
      why: 'what was trusted here is of the repository acme/api, and this is the repository acme/web',
    },
    {
      name: 'a pin of version 1',
      trust: { ...NOTHING_TRUSTED, oldPins },
      why: 'it was trusted by an older version of capwrap, which did not note for which repository',
    },
    {
      name: 'a version that was untrusted',
      trust: { ...store(pin(B)), lineages: [lineage] },
      why: 'its trust was withdrawn',
    },
    {
      name: 'a map that became a link',
      subject: map({ file: { path: '/evil/c.yaml', sha256: B, adminOwned: false } }),
      trust: store(pin(A)),
      why: '/repo/capabilities.yaml was trusted, and leads to /evil/c.yaml now',
    },
    {
      name: 'a folder that became a link to a copy',
      subject: map({ file: { path: '/evil/capabilities.yaml', sha256: A, adminOwned: false } }),
      trust: store(pin(A)),
      why: '/repo/capabilities.yaml was trusted, and leads to /evil/capabilities.yaml now',
    },
  ])('$name', ({ subject = map(), trust, why }) => {
    expect(judgeTrust(subject, trust, NO_ADMIN_CONFIG, NONE)).toEqual({
      trusted: false,
      why,
      hint: `capwrap trust ${subject.file.path}`,
    });
  });
});

describe('with a demand, a grade is met by itself and by the stronger ones', () => {
  const signed = pin(A, 'signed');
  const checks = new Map([
    [
      signed,
      { ok: true, principal: 'alice', fingerprint: 'SHA256:x', grade: 'ssh_key', worth: 'signed' } as const,
    ],
  ]);
  const inputs: Record<MapTrust, readonly [MapSubject, TrustStore]> = {
    pinned_noninteractive: [map(), store(pin(A, 'pinned_noninteractive'))],
    pinned: [map(), store(pin(A))],
    signed: [map(), store(signed)],
    admin_owned: [OWNED, NOTHING_TRUSTED],
  };
  const cases = MAP_TRUST_GRADES.flatMap((demanded, least) =>
    MAP_TRUST_GRADES.map((grade, rank) => ({
      demanded,
      grade,
      input: inputs[grade],
      trusted: rank >= least,
    })),
  );

  test.each(cases)('$grade where $demanded is demanded: $trusted', ({ demanded, grade, input, trusted }) => {
    expect(judgeTrust(...input, demand(demanded), checks).trusted).toBe(trusted);
    const count = () => assertGradeCounts(PATH, grade, demand(demanded));
    if (trusted) expect(count).not.toThrow();
    else expect(count).toThrow(expect.objectContaining({ code: 'ERR_MAP_UNTRUSTED', exitStatus: 121 }));
  });

  const install = `sudo install -o root -m 644 ${PATH} /etc/capwrap/capabilities.yaml`;
  test.each([
    { demanded: 'pinned', hint: `capwrap trust ${PATH}` },
    { demanded: 'signed', hint: install },
    { demanded: 'signed', approvers: [{ name: 'a', keys: [], actors: [] }], hint: `capwrap trust ${PATH}` },
    { demanded: 'admin_owned', hint: install },
    { demanded: 'admin_owned', approvers: [{ name: 'a', keys: [], actors: [] }], hint: install },
  ] as const)('the hint leads to $demanded', ({ demanded, hint, ...rest }) => {
    const admin = demand(demanded, 'approvers' in rest ? rest.approvers : []);
    expect(judgeTrust(map(), store(pin(A, 'pinned_noninteractive')), admin, NONE)).toEqual({
      trusted: false,
      why: `it is pinned_noninteractive, and /etc/capwrap/config.yaml demands ${demanded}`,
      hint,
    });
  });
});

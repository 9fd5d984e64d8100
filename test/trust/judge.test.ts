import { describe, expect, test } from 'vitest';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { MAP_TRUST_GRADES, type MapTrust } from '../../src/base/map-trust.ts';
import type { MapFile } from '../../src/policy/map-file.ts';
import { judgeTrust, requireTrusted } from '../../src/trust/judge.ts';
import type { Pin, PinGrade } from '../../src/trust/pins.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const PATH = '/repo/capabilities.yaml';

const file = (parts: Partial<MapFile> = {}): MapFile => ({
  path: PATH,
  dir: '/repo',
  bytes: Buffer.from('version: 1'),
  sha256: A,
  adminOwned: false,
  ...parts,
});

const pin = (sha256: string, grade: PinGrade = 'pinned', path = PATH): Pin => ({
  path,
  repository: null,
  sha256,
  grade,
  pinned_at: '2026-01-02T03:04:05.000Z',
});

const demand = (requireMapTrust: MapTrust | null) => ({ ...NO_ADMIN_CONFIG, requireMapTrust });

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
  ])('$name is trusted', ({ pins, grade }) => {
    expect(judgeTrust(file(), pins, NO_ADMIN_CONFIG)).toEqual({ trusted: true, grade });
  });

  test('an admin-owned map needs no pin', () => {
    const verdict = judgeTrust(file({ adminOwned: true }), [], NO_ADMIN_CONFIG);
    expect(verdict).toEqual({ trusted: true, grade: 'admin_owned' });
  });

  test.each([
    { name: 'no pin', pins: [], why: 'nobody has trusted it here' },
    {
      name: 'a pin of the same content elsewhere',
      pins: [pin(A, 'pinned', '/x')],
      why: 'nobody has trusted it here',
    },
    { name: 'another content', pins: [pin(B)], why: 'its content is not a version that was trusted' },
  ])('$name is not enough', ({ pins, why }) => {
    expect(judgeTrust(file(), pins, NO_ADMIN_CONFIG)).toEqual({
      trusted: false,
      why,
      hint: `capwrap trust ${PATH}`,
    });
  });
});

describe('with a demand, a grade is met by itself and by the stronger ones', () => {
  const inputs: Record<MapTrust, readonly [MapFile, readonly Pin[]] | null> = {
    pinned_noninteractive: [file(), [pin(A, 'pinned_noninteractive')]],
    pinned: [file(), [pin(A)]],
    signed: null, // no map is graded so
    admin_owned: [file({ adminOwned: true }), []],
  };
  const cases = MAP_TRUST_GRADES.flatMap((demanded, least) =>
    MAP_TRUST_GRADES.flatMap((grade, rank) => {
      const input = inputs[grade];
      return input === null ? [] : [{ demanded, grade, input, trusted: rank >= least }];
    }),
  );

  test.each(cases)('$grade where $demanded is demanded: $trusted', ({ demanded, input, trusted }) => {
    expect(judgeTrust(...input, demand(demanded)).trusted).toBe(trusted);
  });

  test.each([
    { demanded: 'pinned', hint: `capwrap trust ${PATH}` },
    { demanded: 'signed', hint: `sudo install -o root -m 644 ${PATH} /etc/capwrap/capabilities.yaml` },
    { demanded: 'admin_owned', hint: `sudo install -o root -m 644 ${PATH} /etc/capwrap/capabilities.yaml` },
  ] as const)('the hint leads to $demanded', ({ demanded, hint }) => {
    expect(judgeTrust(file(), [pin(A, 'pinned_noninteractive')], demand(demanded))).toEqual({
      trusted: false,
      why: `it is pinned_noninteractive, and /etc/capwrap/config.yaml demands ${demanded}`,
      hint,
    });
  });
});

test('requireTrusted answers with the grade or throws what would help', () => {
  expect(requireTrusted(file(), [pin(A)], NO_ADMIN_CONFIG)).toBe('pinned');
  expect(() => requireTrusted(file({ path: '/my maps/a.yaml' }), [], NO_ADMIN_CONFIG)).toThrow(
    expect.objectContaining({
      code: 'ERR_MAP_UNTRUSTED',
      exitStatus: 121,
      message: '"/my maps/a.yaml" is not trusted: nobody has trusted it here',
      hint: "capwrap trust '/my maps/a.yaml'",
    }),
  );
});

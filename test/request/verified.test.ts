/** What a checked token does to the facts, and what it can't. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FACT_NAMES, FACT_SOURCES, type Fact, type Facts, known, unknown } from '../../src/request/facts.ts';
import { type Identity, isVerifiable, VERIFIABLE, withVerified } from '../../src/request/verified.ts';

const NOTHING: Facts = {
  repo: unknown('no remote'),
  branch: unknown('detached'),
  commit: unknown('no commit'),
  commit_clean: unknown('no rule asks for it'),
  environment: unknown('not given'),
  actor: known('runner', 'observed', 'operating system'),
  ci: known('true', 'claimed', 'CI'),
};
const CHECKOUT: Facts = {
  ...NOTHING,
  repo: known('acme/web-app', 'observed', '.git/config'),
  commit: known('a'.repeat(40), 'observed', '.git/HEAD'),
  branch: known('main', 'claimed', 'GitHub Actions'),
  environment: known('production', 'claimed', '--environment'),
};
const FROM = 'OIDC token of https://ci.example';
const IDENTITY = {
  from: FROM,
  claims: {
    repo: 'acme/web-app',
    branch: 'main',
    commit: 'a'.repeat(40),
    environment: 'preview',
    actor: 'jane',
  },
} as const;
const said = (changes: Partial<Record<keyof typeof IDENTITY.claims, string>>): Identity => ({
  from: FROM,
  claims: { ...IDENTITY.claims, ...changes },
});

const show = ({ value, source, from }: Fact) => [value, source, from];

test('what the files say too, or nobody, or only a claim, is verified', () => {
  const facts = withVerified(CHECKOUT, VERIFIABLE, IDENTITY);
  for (const name of VERIFIABLE) expect(show(facts[name])).toEqual([IDENTITY.claims[name], 'verified', FROM]);
  expect(withVerified(NOTHING, ['repo', 'branch'], IDENTITY)).toMatchObject({
    repo: { value: 'acme/web-app', source: 'verified' },
    branch: { value: 'main', source: 'verified' },
    actor: NOTHING.actor,
    environment: NOTHING.environment,
  });
});

describe('the files are not overruled', () => {
  test('another repository is checked out', () => {
    const facts = withVerified(CHECKOUT, VERIFIABLE, said({ repo: 'acme/other' }));
    expect(show(facts.repo)).toEqual(['acme/web-app', 'observed', `.git/config; ${FROM} says "acme/other"`]);
    expect(show(facts.branch)).toEqual(['main', 'claimed', `GitHub Actions; ${FROM} speaks of another repo`]);
    expect(facts.actor.source).toBe('verified');
  });

  test('another commit is checked out: its branch is not this one', () => {
    const facts = withVerified(CHECKOUT, VERIFIABLE, said({ commit: 'b'.repeat(40) }));
    expect(facts.commit).toMatchObject({ value: 'a'.repeat(40), source: 'observed' });
    expect(facts.branch).toMatchObject({
      source: 'claimed',
      from: expect.stringContaining('another commit'),
    });
  });

  test('another branch is checked out', () => {
    const observed = { ...CHECKOUT, branch: known('feat/x', 'observed', '.git/HEAD') };
    expect(withVerified(observed, ['branch'], IDENTITY).branch).toMatchObject({
      value: 'feat/x',
      source: 'observed',
    });
  });
});

test('a failure leaves the facts as they are, with the reason', () => {
  const facts = withVerified(CHECKOUT, ['repo', 'environment'], { failure: 'no token' });
  expect(show(facts.repo)).toEqual(['acme/web-app', 'observed', '.git/config; not verified: no token']);
  expect(show(facts.environment)).toEqual(['production', 'claimed', '--environment; not verified: no token']);
  expect(facts.branch).toBe(CHECKOUT.branch);
});

test('no token, and no facts, make a fact verified that the token does not say, or another fact', () => {
  const fact = fc.oneof(
    fc.constant(unknown('u')),
    fc
      .record({ value: fc.constantFrom('a', 'b'), source: fc.constantFrom(...FACT_SOURCES.slice(1)) })
      .map(({ value, source }) => known(value, source, 'f')),
  );
  const claims = fc.record(Object.fromEntries(VERIFIABLE.map((name) => [name, fc.constantFrom('a', 'b')])), {
    requiredKeys: [],
  });
  fc.assert(
    fc.property(
      fc.record(Object.fromEntries(FACT_NAMES.map((name) => [name, fact]))),
      claims,
      fc.subarray([...VERIFIABLE]),
      (facts, given, names) => {
        const before = facts as unknown as Facts;
        const after = withVerified(before, names, { from: 't', claims: given });
        for (const name of FACT_NAMES) {
          const asked = isVerifiable(name) && names.includes(name);
          if (!asked) expect(after[name]).toBe(before[name]);
          if (after[name].source !== 'verified') expect(after[name].value).toBe(before[name].value);
          else expect(after[name].value).toBe((given as Record<string, string>)[name]);
          const isOfFiles = ['repo', 'branch', 'commit'].includes(name) && before[name].source === 'observed';
          if (isOfFiles) expect(after[name].value).toBe(before[name].value);
        }
      },
    ),
    { numRuns: 300 },
  );
});

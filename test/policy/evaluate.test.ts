/** What holds for every map and request. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, needsCommitClean, needsSha256 } from '../../src/policy/evaluate.ts';
import { capabilityFrom, type Given, requestFrom } from './map-from.ts';

const base = { provider: 'local-issuer', audience: 'a', scope: ['x'] };

const word = fc.constantFrom('a', 'b', 'a/b', 'main');
const pattern = fc.constantFrom('a', 'b', '*', '**', 'a/*', 'ma*');
const conditions = fc.record(
  {
    repo: pattern,
    branch: fc.array(pattern, { minLength: 1, maxLength: 2 }),
    environment: pattern,
    actor: pattern,
    ci: fc.boolean(),
    commit_clean: fc.boolean(),
    sources: fc.record({ repo: fc.constantFrom('verified', 'observed', 'claimed') }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const rules = fc.array(
  fc.oneof(
    fc.record({ allow: conditions, approval: fc.constantFrom('none', 'prompt') }),
    fc.record({ deny: conditions }),
  ),
  { minLength: 1, maxLength: 4 },
);
const given: fc.Arbitrary<Given> = fc.record(
  {
    repo: word,
    branch: word,
    environment: word,
    actor: word,
    ci: fc.boolean(),
    commit_clean: fc.boolean(),
    sources: fc.record(
      { repo: fc.constantFrom('verified', 'observed', 'claimed') },
      { requiredKeys: [] },
    ) as fc.Arbitrary<NonNullable<Given['sources']>>,
  },
  { requiredKeys: [] },
);

describe('evaluate', () => {
  it('denies wherever a deny rule matches', () => {
    fc.assert(
      fc.property(rules, given, (list, facts) => {
        const decision = evaluate(capabilityFrom({ ...base, rules: list }), requestFrom(facts));
        const denied = decision.rules.some((rule) => rule.effect === 'deny' && rule.matched);
        if (denied) expect(decision).toMatchObject({ effect: 'deny', reason: 'denied_by_rule' });
        if (decision.effect === 'allow') expect(denied).toBe(false);
      }),
    );
  });

  it('never allows more when a deny is added, wherever it is added', () => {
    fc.assert(
      fc.property(rules, conditions, fc.nat(4), given, (list, deny, index, facts) => {
        const more = list.toSpliced(Math.min(index, list.length), 0, { deny } as (typeof list)[number]);
        const before = evaluate(capabilityFrom({ ...base, rules: list }), requestFrom(facts));
        const after = evaluate(capabilityFrom({ ...base, rules: more }), requestFrom(facts));
        if (before.effect === 'deny') expect(after.effect).toBe('deny');
      }),
    );
  });

  it('does not depend on the order of keys in a rule', () => {
    fc.assert(
      fc.property(rules, given, (list, facts) => {
        const turned = list.map((rule) => reverseKeys(rule));
        const one = evaluate(capabilityFrom({ ...base, rules: list }), requestFrom(facts));
        const other = evaluate(capabilityFrom({ ...base, rules: turned }), requestFrom(facts));
        expect(other).toEqual(one);
      }),
    );
  });

  it('matches nothing on an unknown fact', () => {
    fc.assert(
      fc.property(rules, given, (list, facts) => {
        const decision = evaluate(capabilityFrom({ ...base, rules: list }), requestFrom(facts));
        for (const rule of decision.rules) {
          for (const condition of rule.conditions) {
            if (condition.source === 'unknown') expect(condition.matched).toBe(false);
          }
          expect(rule.matched).toBe(rule.conditions.every((condition) => condition.matched));
        }
      }),
    );
  });

  it('never allows more for knowing less', () => {
    fc.assert(
      fc.property(
        rules,
        given,
        fc.constantFrom('repo', 'branch', 'actor', 'ci', 'commit_clean'),
        (list, facts, key) => {
          const { [key as keyof Given]: _, ...fewer } = facts;
          const capability = capabilityFrom({ ...base, rules: list });
          const all = evaluate(capability, requestFrom(facts));
          if (all.effect === 'deny' && all.reason === 'denied_by_rule') {
            expect(evaluate(capability, requestFrom(fewer)).effect).toBe('deny');
          }
        },
      ),
    );
  });

  it('never grants more than the cap, and nothing below a second', () => {
    const seconds = fc.integer({ min: 1, max: 43_200 });
    fc.assert(
      fc.property(seconds, seconds, seconds, fc.option(seconds), (maxTtl, ttl, ruleCap, asked) => {
        const raw = {
          ...base,
          max_ttl: maxTtl,
          ttl: Math.min(ttl, maxTtl),
          rules: [{ allow: {}, max_ttl: ruleCap }],
        };
        const decision = evaluate(capabilityFrom(raw), requestFrom(asked === null ? {} : { ttl: asked }));
        if (decision.effect === 'deny') throw new Error(decision.message);
        expect(decision.grant.ttl).toBeLessThanOrEqual(Math.min(maxTtl, ruleCap));
        expect(decision.grant.ttl).toBeGreaterThanOrEqual(1);
        expect(decision.grant.ttlRequested).toBe(asked ?? raw.ttl);
      }),
    );
  });

  it('looks at every condition of every rule', () => {
    const capability = capabilityFrom({
      ...base,
      rules: [
        { deny: { repo: 'x', branch: 'y' } },
        { allow: { repo: 'a/b', command: ['git', 'push'], ci: true, sources: { commit: 'verified' } } },
      ],
    });
    const decision = evaluate(capability, requestFrom({ repo: 'x', branch: 'y' }));
    expect(decision.rules.map(({ conditions }) => conditions.map(({ condition }) => condition))).toEqual([
      ['repo', 'branch'],
      ['repo', 'ci', 'commit', 'command'],
    ]);
  });
});

describe('needsSha256 and needsCommitClean', () => {
  it.each([
    [[{ allow: { repo: 'a' } }], false, false],
    [[{ allow: { command: { path: 'x', sha256: '0'.repeat(64) } } }], true, false],
    [[{ allow: {} }, { deny: { commit_clean: false } }], false, true],
    [[{ allow: { sources: { commit_clean: 'observed' } } }], false, true],
  ])('%j', (list, sha256, clean) => {
    const capability = capabilityFrom({ ...base, rules: list });
    expect([needsSha256(capability), needsCommitClean(capability)]).toEqual([sha256, clean]);
  });
});

function reverseKeys<T>(value: T): T {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, item]) => [key, reverseKeys(item)])) as T;
}

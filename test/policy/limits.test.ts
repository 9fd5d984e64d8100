/** Limits of rules: what holds whatever was used, and what a map's own tests can say. Cases: cases/policy/limits.json. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/policy/evaluate.ts';
import { runPolicyTests } from '../../src/policy/inline-tests.ts';
import { needsUsage } from '../../src/policy/limits.ts';
import type { RuleUsage } from '../../src/request/run-request.ts';
import { capabilityFrom, mapFrom, requestFrom } from './map-from.ts';

const base = { provider: 'local-issuer', audience: 'a', scope: ['x'] };

const NO_LIMITS = { perHour: null, perTask: null, open: null };

const most = fc.integer({ min: 1, max: 4 });
const limits = fc.record({ per_hour: most, per_task: most, open: most }, { requiredKeys: [] });
const branch = fc.constantFrom('a', 'b', '*');
const rules = fc.array(
  fc.oneof(
    fc.record({ allow: fc.record({ branch }), limits }, { requiredKeys: ['allow'] }),
    fc.record({ deny: fc.record({ branch: fc.constant('b') }) }),
  ),
  { minLength: 1, maxLength: 4 },
);
const count = fc.nat(5);
const usage = fc.array(fc.record({ lastHour: count, forTask: count, open: count }), {
  minLength: 4,
  maxLength: 4,
});

function placed(figures: readonly Omit<RuleUsage, 'rule'>[]): RuleUsage[] {
  return figures.map((each, index) => ({ rule: `capabilities.x.rules[${index}]`, ...each }));
}

describe('more usage', () => {
  it('never turns a denial into an allow, nor one allow into another', () => {
    let narrowed = 0;
    fc.assert(
      fc.property(rules, usage, usage, (list, used, more) => {
        const capability = capabilityFrom({ ...base, rules: list });
        const decide = (figures: readonly Omit<RuleUsage, 'rule'>[]) =>
          evaluate(capability, requestFrom({ branch: 'a', usage: placed(figures) }));
        const sum = used.map((each, index) => ({
          lastHour: each.lastHour + (more[index]?.lastHour ?? 0),
          forTask: each.forTask + (more[index]?.forTask ?? 0),
          open: each.open + (more[index]?.open ?? 0),
        }));
        const before = decide(used);
        const after = decide(sum);
        if (after.effect === 'allow') {
          expect(before).toMatchObject({ effect: 'allow', grant: { rule: after.grant.rule } });
        } else if (before.effect === 'allow') {
          narrowed++;
          expect(after).toMatchObject({ reason: 'limit_reached', rule: before.grant.rule });
        }
      }),
      { numRuns: 300 },
    );
    expect(narrowed).toBeGreaterThan(0);
  });

  it('is never better than none, and unknown usage is never better than any', () => {
    fc.assert(
      fc.property(rules, usage, (list, used) => {
        const unlimited = list.map(
          ({ limits: _, ...rule }: (typeof list)[number] & { limits?: object }) => rule,
        );
        const request = (value: RuleUsage[] | null) => requestFrom({ branch: 'a', usage: value });
        const capability = capabilityFrom({ ...base, rules: list });
        const without = evaluate(capabilityFrom({ ...base, rules: unlimited }), request(placed(used)));
        const known = evaluate(capability, request(placed(used)));
        const untold = evaluate(capability, request(null));
        if (without.effect === 'deny') expect(known.effect).toBe('deny');
        if (known.effect === 'deny') expect(untold.effect).toBe('deny');
        if (untold.effect === 'allow') {
          const index = list.findIndex((_, at) => untold.grant.rule.endsWith(`[${at}]`));
          expect(capability.rules[index]?.limits ?? NO_LIMITS).toEqual(NO_LIMITS);
        }
      }),
      { numRuns: 200 },
    );
  });
});

it('the figures stand beside each rule, whether it matches or not', () => {
  const capability = capabilityFrom({
    ...base,
    rules: [
      { allow: { branch: 'a' }, limits: { per_hour: 2, open: 1 } },
      { allow: { branch: 'b' }, limits: { per_task: 5 } },
      { allow: {} },
    ],
  });
  const figures = { lastHour: 2, forTask: 3, open: 0 };
  const decision = evaluate(
    capability,
    requestFrom({ branch: 'c', usage: placed([figures, figures, figures]) }),
  );
  expect(decision.effect).toBe('allow');
  expect(decision.rules.map((rule) => rule.limits)).toEqual([
    [
      { limit: 'per_hour', most: 2, used: 2, reached: true },
      { limit: 'open', most: 1, used: 0, reached: false },
    ],
    [{ limit: 'per_task', most: 5, used: 3, reached: false }],
    [],
  ]);
});

it.each([
  [[{ allow: {} }], false],
  [[{ allow: {} }, { deny: {} }, { allow: {}, limits: { open: 1 } }], true],
])('needsUsage of %j is %s', (list, expected) => {
  expect(needsUsage(capabilityFrom({ ...base, rules: list }))).toBe(expected);
});

describe("a map's own tests", () => {
  const limited = [{ allow: {}, limits: { per_hour: 10, per_task: 3, open: 2 } }];
  const cases: readonly [given: object, expect: 'allow' | 'deny'][] = [
    [{}, 'allow'],
    [{ usage: {} }, 'allow'],
    [{ usage: { per_hour: 9, per_task: 2, open: 1 } }, 'allow'],
    [{ usage: { per_hour: 10 } }, 'deny'],
    [{ usage: { per_task: 3 } }, 'deny'],
    [{ usage: { open: 2 } }, 'deny'],
  ];
  it.each(cases)('%j: %s', (given, expected) => {
    const tests = [
      { given, expect: expected, ...(expected === 'deny' ? { reason: 'limit_reached' } : {}) },
      { given, expect: expected === 'deny' ? 'allow' : 'deny' },
    ];
    const x = { ...base, rules: limited, tests };
    const failures = runPolicyTests(mapFrom(JSON.stringify({ version: 1, capabilities: { x } })));
    expect(failures.map(({ at }) => at)).toEqual(['capabilities.x.tests[1]']);
  });

  it.each([{ per_hour: -1 }, { open: 1.5 }, { per_day: 1 }, 3])('know no usage of %j', (given) => {
    const x = { ...base, rules: limited, tests: [{ given: { usage: given }, expect: 'allow' }] };
    expect(() => mapFrom(JSON.stringify({ version: 1, capabilities: { x } }))).toThrow();
  });
});

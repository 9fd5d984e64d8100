/** What holds for every capability and request, on normalised values; and that there is one evaluator. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capability, Rule } from '../../src/policy/capability.ts';
import { DENY_REASONS, type Decision, type DenyReason } from '../../src/policy/decision.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { FACT_NAMES, known } from '../../src/request/facts.ts';
import { ROOT } from '../helpers/cli.ts';
import { capability, conditions, facts, request, ruleAt, withoutFact } from './evaluator-arbitraries.ts';
import { capabilityFrom, mapFrom, requestFrom } from './map-from.ts';

const RUNS = { numRuns: 200 };

describe('every decision', () => {
  it('is one of all that there are in these tests, so that they can fail', () => {
    const seen = new Map<string, number>();
    for (const [one, other] of fc.sample(fc.tuple(capability, request), { numRuns: 3000, seed: 1 })) {
      const decision = evaluate(one, other);
      const key = decision.effect === 'allow' ? 'allow' : decision.reason;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(['allow', ...DENY_REASONS].sort());
    expect(seen.get('allow')).toBeGreaterThan(300);
  });

  it('is a denial where a deny matches, whatever else does', () => {
    fc.assert(
      fc.property(capability, request, conditions, fc.nat(5), (one, asked, when, index) => {
        const sure = evaluate(withRules(one, [deny(when)]), asked);
        fc.pre(sure.effect === 'deny' && sure.reason === 'denied_by_rule');
        const more = withRules(one, one.rules.toSpliced(index, 0, deny(when)));
        expect(evaluate(more, asked)).toMatchObject({ effect: 'deny', reason: 'denied_by_rule' });
      }),
      RUNS,
    );
  });

  it('does not depend on where the denies stand', () => {
    fc.assert(
      fc.property(capability, request, fc.infiniteStream(fc.nat(5)), (one, asked, positions) => {
        const allows = one.rules.filter((rule) => rule.effect === 'allow');
        const denies = one.rules.filter((rule) => rule.effect === 'deny');
        const shuffled = denies.reduce<readonly Rule[]>(
          (rules, rule) => rules.toSpliced(Number(positions.next().value), 0, rule),
          allows,
        );
        expect(essence(evaluate({ ...one, rules: shuffled }, asked))).toEqual(essence(evaluate(one, asked)));
      }),
      RUNS,
    );
  });

  it('to allow is by the rule that it names: the first allow that matches, and by its terms alone', () => {
    fc.assert(
      fc.property(capability, request, (one, asked) => {
        const decision = evaluate(one, asked);
        fc.pre(decision.effect === 'allow');
        const { grant } = decision;
        const named = one.rules.find((rule) => rule.at === grant.rule);
        expect(named?.effect).toBe('allow');
        expect(decision.rules.find((rule) => rule.effect === 'allow' && rule.matched)?.at).toBe(grant.rule);

        const alone = evaluate({ ...one, rules: one.rules.filter((rule) => rule === named) }, asked);
        expect(alone).toMatchObject({ effect: 'allow', grant });
        const without = evaluate({ ...one, rules: one.rules.filter((rule) => rule !== named) }, asked);
        if (without.effect === 'allow') expect(without.grant.rule).not.toBe(grant.rule);
        for (const rule of one.rules.slice(0, named === undefined ? 0 : one.rules.indexOf(named))) {
          if (rule.effect === 'deny') continue;
          expect(matchesAlone(rule, one, asked)).toBe(false);
        }
      }),
      RUNS,
    );
  });

  it('is the same for the same values, and changes neither of them', () => {
    fc.assert(
      fc.property(capability, request, (one, asked) => {
        const before = structuredClone([one, asked]);
        const decision = evaluate(one, asked);
        expect(evaluate(...(structuredClone([one, asked]) as [Capability, typeof asked]))).toEqual(decision);
        expect([one, asked]).toEqual(before);
      }),
      RUNS,
    );
  });
});

describe('an unknown fact', () => {
  /** Denials that the conditions give; the others are given by the terms of the allow that matched. */
  const BY_CONDITIONS: readonly DenyReason[] = [
    'no_rule_matched',
    'denied_by_rule',
    'fact_unknown',
    'source_too_weak',
  ];

  it('never makes an allow of a denial that the conditions gave', () => {
    fc.assert(
      fc.property(capability, request, fc.constantFrom(...FACT_NAMES), (one, asked, name) => {
        const before = evaluate(one, asked);
        fc.pre(before.effect === 'deny' && BY_CONDITIONS.includes(before.reason));
        expect(evaluate(one, { ...asked, facts: withoutFact(asked.facts, name) }).effect).toBe('deny');
      }),
      RUNS,
    );
  });

  it('never makes an allow of any denial where there is one allow and no environment is fixed', () => {
    fc.assert(
      fc.property(capability, request, fc.constantFrom(...FACT_NAMES), (one, asked, name) => {
        const first = one.rules.find((rule) => rule.effect === 'allow');
        const rules = one.rules.filter((rule) => rule === first || rule.effect === 'deny');
        const single = { ...one, rules, environment: null };
        fc.pre(evaluate(single, asked).effect === 'deny');
        expect(evaluate(single, { ...asked, facts: withoutFact(asked.facts, name) }).effect).toBe('deny');
      }),
      RUNS,
    );
  });

  it('of the command does neither', () => {
    fc.assert(
      fc.property(capability, request, (one, asked) => {
        const before = evaluate(one, asked);
        fc.pre(before.effect === 'deny' && BY_CONDITIONS.includes(before.reason));
        expect(evaluate(one, { ...asked, command: null }).effect).toBe('deny');
      }),
      RUNS,
    );
  });

  it('leads past an allow that needs it to a later one, whose terms then count', () => {
    const one = capabilityFrom({
      provider: 'local-issuer',
      audience: 'a',
      scope: ['s'],
      rules: [{ allow: { branch: 'main' }, approval: 'prompt' }, { allow: {} }],
    });
    const on = (branch: string | null) => evaluate(one, requestFrom(branch === null ? {} : { branch }));
    const ruleOf = (decision: Decision) =>
      decision.effect === 'allow' ? decision.grant.rule : decision.rule;
    expect([on('main'), on('dev'), on(null)].map(ruleOf)).toEqual([
      'capabilities.x.rules[0]',
      'capabilities.x.rules[1]',
      'capabilities.x.rules[1]',
    ]);
  });

  it('of the environment counts as the one that the capability fixes', () => {
    fc.assert(
      fc.property(capability, request, facts, (one, asked, other) => {
        const fixed = { ...one, environment: 'a' };
        const claim = { ...asked, facts: { ...other, environment: known('a', 'claimed', 'a flag') } };
        const none = { ...claim, facts: withoutFact(other, 'environment') };
        expect(evaluate(fixed, none)).toEqual(evaluate(fixed, claim));
      }),
      RUNS,
    );
  });
});

describe('a map', () => {
  const pattern = fc.constantFrom('a', 'b', '*', 'ma*');
  const rawConditions = fc.record(
    {
      repo: fc.oneof(pattern, fc.array(pattern, { minLength: 1, maxLength: 2 })),
      branch: pattern,
      command: fc.constantFrom('x', ['x', 'a'], { path: '/x', sha256: '0'.repeat(64) }),
      ci: fc.boolean(),
      sources: fc.record({ repo: fc.constantFrom('verified', 'claimed'), actor: fc.constant('observed') }),
    },
    { requiredKeys: [] },
  );
  const rawRule = fc.oneof(
    fc.record({
      allow: rawConditions,
      approval: fc.constantFrom('none', 'prompt', { grade: 'terminal', uses: 2, cooldown: '1m' }),
      max_ttl: fc.constantFrom('1m', '2m'),
      limits: fc.record({ per_hour: fc.constant(2), open: fc.constant(3) }),
    }),
    fc.record({ deny: rawConditions }),
  );
  const rawCapability = fc.record({
    provider: fc.constant('local-issuer'),
    audience: fc.constant('a'),
    scope: fc.constant(['s']),
    ttl: fc.constant('3m'),
    ttl_over: fc.constantFrom('shorten', 'deny'),
    rules: fc.array(rawRule, { minLength: 1, maxLength: 4 }),
  });
  const rawMap = fc.record({
    version: fc.constant(1),
    defaults: fc.record({
      justification: fc.constantFrom('optional', 'required'),
      max_ttl: fc.constant('5m'),
    }),
    capabilities: fc.record({ one: rawCapability, two: rawCapability }),
  });

  it('decides the same whatever the order of its keys', () => {
    fc.assert(
      fc.property(rawMap, request, fc.infiniteStream(fc.nat(1000)), (raw, asked, numbers) => {
        const turned = shuffleKeys(raw, () => Number(numbers.next().value));
        for (const name of ['one', 'two']) {
          expect(decide(turned, name, asked)).toEqual(decide(raw, name, asked));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('decides the same about one capability whatever rules another one gets', () => {
    fc.assert(
      fc.property(rawMap, rawRule, fc.nat(4), request, (raw, rule, index, asked) => {
        const { one, two } = raw.capabilities;
        const wider = { ...one, rules: one.rules.toSpliced(index, 0, rule) };
        const changed = { ...raw, capabilities: { one: wider, two } };
        expect(decide(changed, 'two', asked)).toEqual(decide(raw, 'two', asked));
        const dropped = { ...raw, capabilities: { two } };
        expect(decide(dropped, 'two', asked)).toEqual(decide(raw, 'two', asked));
      }),
      { numRuns: 100 },
    );
  });
});

describe('the evaluator', () => {
  const imports = importsIn(join(ROOT, 'src'));
  const importersOf = (file: string, name: string) =>
    imports.filter((it) => it.to === file && it.names.includes(name)).map((it) => it.from);

  it('is one: run, explain and list, check and the inline tests decide through evaluate', () => {
    expect(importersOf('policy/evaluate.ts', 'evaluate')).toEqual([
      'commands/availability.ts',
      'limits-of-run.ts',
      'policy/inline-tests.ts',
    ]);
    expect(importersOf('decide.ts', 'decide')).toEqual(
      expect.arrayContaining(['commands/explain.ts', 'run.ts']),
    );
    expect(importersOf('policy/inline-tests.ts', 'runPolicyTests')).toContain('commands/check.ts');
  });

  it('alone holds rules and commands against a request', () => {
    expect(importersOf('policy/match-rule.ts', 'matchRule')).toEqual(['policy/evaluate.ts']);
    expect(importersOf('policy/match-command.ts', 'matchCommand')).toEqual(['policy/match-rule.ts']);
  });

  it('is handed on by nobody', () => {
    const text = imports.map(({ from }) => readFileSync(join(ROOT, 'src', from), 'utf8')).join('\n');
    expect(text).not.toMatch(/export [^;]*from '[^']*(?:evaluate|match-rule|match-command)\.ts'/);
    expect(text).not.toMatch(/import \* as \w+ from '[^']*(?:evaluate|match-rule|match-command)\.ts'/);
    expect(text).not.toMatch(/import\('[^']*(?:evaluate|match-rule|match-command)\.ts'\)/);
  });
});

function deny(when: Rule['when']): Rule {
  return ruleAt({ effect: 'deny', when, limits: null, maxTtl: null }, 99);
}

function withRules(one: Capability, rules: readonly Rule[]): Capability {
  return { ...one, rules };
}

/** What was decided, without the rules' own order. */
function essence(decision: Decision): unknown {
  return decision.effect === 'allow' ? decision.grant : decision.reason;
}

function matchesAlone(rule: Rule, one: Capability, asked: Parameters<typeof evaluate>[1]): boolean {
  return evaluate({ ...one, rules: [rule] }, asked).rules.every(({ matched }) => matched);
}

function decide(raw: object, name: string, asked: Parameters<typeof evaluate>[1]): Decision {
  const found = mapFrom(JSON.stringify(raw)).capabilities.get(name);
  if (found === undefined) throw new Error(`the map lost ${name}`);
  return evaluate(found, { ...asked, capability: name });
}

function shuffleKeys<T>(value: T, next: () => number): T {
  if (Array.isArray(value)) return value.map((item) => shuffleKeys(item, next)) as T;
  if (value === null || typeof value !== 'object') return value;
  const ranked = Object.entries(value).map(([key, item]) => [next(), key, shuffleKeys(item, next)] as const);
  return Object.fromEntries(ranked.toSorted(([a], [b]) => a - b).map(([, key, item]) => [key, item])) as T;
}

interface Import {
  readonly from: string;
  readonly to: string;
  readonly names: readonly string[];
}

function importsIn(src: string): Import[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((from) =>
      [
        ...readFileSync(join(src, from), 'utf8').matchAll(/import (?:type )?\{([^}]*)\} from '(\.[^']+)'/g),
      ].map(([, names = '', path = '']) => ({
        from,
        to: relative(src, normalize(join(src, from, '..', path))),
        names: names.split(',').map((name) =>
          name
            .trim()
            .replace(/^type /, '')
            .replace(/ as .*$/, ''),
        ),
      })),
    );
}

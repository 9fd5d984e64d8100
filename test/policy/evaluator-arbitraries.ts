/** Random capabilities and requests as normalised values: what the evaluator sees, whatever the parser would make. */
import fc from 'fast-check';
import type { Capability, CommandPattern, Conditions, Limits, Rule } from '../../src/policy/capability.ts';
import { FACT_NAMES, type Fact, type FactName, type Facts, known, unknown } from '../../src/request/facts.ts';
import type { ResolvedCommand, RunRequest } from '../../src/request/run-request.ts';

const source = fc.constantFrom('verified', 'observed', 'claimed');
const pattern = fc.constantFrom('a', 'b', '*', '**', 'a/*', 'ma*');
const patterns = fc.array(pattern, { minLength: 1, maxLength: 2 });
const SHA256 = '0'.repeat(64);

const command: fc.Arbitrary<CommandPattern> = fc.oneof(
  fc.constantFrom('/x', 'x', '/*').map((program) => ({ kind: 'program' as const, program })),
  fc.constantFrom(['/x', 'a*'], ['x'], ['/x', '*', 'b']).map((argv) => ({ kind: 'prefix' as const, argv })),
  fc.constantFrom('/x', '/y').map((path) => ({ kind: 'pinned' as const, path, sha256: SHA256 })),
);

const everySource = Object.fromEntries(FACT_NAMES.map((name) => [name, source])) as Record<
  FactName,
  typeof source
>;

/** Some of a record's keys: with each of them left to chance, hardly any condition would match. */
function few<T extends object>(whole: fc.Arbitrary<T>, names: readonly (keyof T & string)[], most: number) {
  return fc
    .tuple(whole, fc.subarray([...names], { maxLength: most }))
    .map(([values, chosen]) => Object.fromEntries(chosen.map((name) => [name, values[name]])) as Partial<T>);
}

const everyCondition = fc.record({
  repo: patterns,
  branch: patterns,
  environment: patterns,
  actor: patterns,
  command,
  commit_clean: fc.boolean(),
  ci: fc.boolean(),
  sources: few(fc.record(everySource), FACT_NAMES, 2),
});

export const conditions: fc.Arbitrary<Conditions> = few(
  everyCondition,
  ['repo', 'branch', 'environment', 'actor', 'command', 'commit_clean', 'ci', 'sources'],
  2,
);

const bound = fc.option(fc.integer({ min: 1, max: 3 }));
const limits: fc.Arbitrary<Limits> = fc.record({ perHour: bound, perTask: bound, open: bound });

const allow = fc.record({
  effect: fc.constant('allow' as const),
  when: conditions,
  limits: fc.option(limits, { freq: 2 }),
  maxTtl: fc.option(fc.integer({ min: 1, max: 1000 }), { freq: 2 }),
});
const deny = conditions.map((when) => ({ effect: 'deny' as const, when, limits: null, maxTtl: null }));

/** A rule at `rules[index]`; what an approval asks for is no business of the decision. */
export function ruleAt(parts: Pick<Rule, 'effect' | 'when' | 'limits' | 'maxTtl'>, index: number): Rule {
  return { ...parts, approval: 'none', demand: null, at: `capabilities.x.rules[${index}]` };
}

const BASE = {
  name: 'x',
  description: null,
  config: { provider: 'local-issuer', audience: 'a', scope: ['s'], subject: null },
  env: { pass: [], passSensitive: [], set: {} },
  inject: {},
  files: {},
  home: 'inherit',
  terminal: 'masked',
  onLeak: 'mask',
  killAfter: 10,
  tests: [],
} as const;

export const capability: fc.Arbitrary<Capability> = fc
  .record({
    ttl: fc.integer({ min: 1, max: 500 }),
    maxTtl: fc.integer({ min: 500, max: 1000 }),
    ttlOver: fc.constantFrom('shorten', 'deny'),
    environment: fc.constantFrom(null, null, null, 'a'),
    justification: fc.constantFrom('optional', 'optional', 'optional', 'required'),
    rules: fc.array(fc.oneof({ weight: 4, arbitrary: allow }, { weight: 1, arbitrary: deny }), {
      minLength: 1,
      maxLength: 5,
    }),
  })
  .map(({ rules, ...fields }) => ({ ...BASE, ...fields, rules: rules.map(ruleAt) }));

function fact(value: fc.Arbitrary<string>): fc.Arbitrary<Fact> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(value, source).map(([text, how]) => known(text, how, 'the test')) },
    { weight: 1, arbitrary: fc.constant(unknown('the test says so')) },
  );
}

const word = fact(fc.constantFrom('a', 'b', 'a/b', 'main', 'a\n'));
const truth = fact(fc.constantFrom('true', 'false'));

export const facts: fc.Arbitrary<Facts> = fc.record({
  repo: word,
  branch: word,
  commit: word,
  commit_clean: truth,
  environment: word,
  actor: word,
  ci: truth,
});

const resolved: fc.Arbitrary<ResolvedCommand> = fc.record({
  argv: fc.constantFrom(['x'], ['/x', 'a'], ['x', 'a', 'b'], ['y', 'a\n']),
  cwd: fc.constant('/'),
  path: fc.constantFrom('/x', '/y', null),
  fault: fc.constant(null),
  sha256: fc.constantFrom(SHA256, '1'.repeat(64), null),
});

const count = fc.option(fc.nat(3));

export const request: fc.Arbitrary<RunRequest> = fc.record({
  capability: fc.constant('x'),
  facts,
  command: fc.option(resolved),
  justification: fc.constantFrom('because', ' ', null),
  taskId: fc.constant('task'),
  ttlRequested: fc.option(fc.integer({ min: 1, max: 1200 })),
  usage: fc.option(
    fc
      .array(fc.record({ lastHour: count, forTask: count, open: count }), { minLength: 5, maxLength: 5 })
      .map((usages) => usages.map((usage, index) => ({ ...usage, rule: `capabilities.x.rules[${index}]` }))),
    { freq: 8 },
  ),
});

/** The facts with one of them unknown. */
export function withoutFact(from: Facts, name: FactName): Facts {
  return { ...from, [name]: unknown('it was taken away') };
}

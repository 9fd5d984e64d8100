/** The promise of compareMaps, tried on random maps and requests: what gets more is told as a widening. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APPROVAL_GRADES } from '../../src/base/approval-grade.ts';
import type { CapabilityMap, Rule } from '../../src/policy/capability.ts';
import { compareMaps } from '../../src/policy/diff/compare-maps.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { publicKey } from './diff-keys.ts';
import { type Given, mapFrom, requestFrom } from './map-from.ts';

const KEYS = [publicKey(1), publicKey(2)];

const pattern = fc.constantFrom('a', 'b', 'a/b', '*', '**', 'a/*', 'm*');
const patterns = fc.oneof(pattern, fc.array(pattern, { minLength: 1, maxLength: 2 }));
const source = fc.constantFrom('verified', 'observed', 'claimed');
/** Few conditions at a time: a request that no rule matches shows nothing. */
function some<T extends object>(all: { [Key in keyof T]: fc.Arbitrary<T[Key]> }, most: number) {
  const keys = fc.subarray(Object.keys(all) as (keyof T)[], { maxLength: most });
  return fc
    .tuple(fc.record(all), keys)
    .map(([full, kept]) => Object.fromEntries(kept.map((key) => [key, full[key]])) as Partial<T>);
}

const conditions = some(
  {
    repo: patterns,
    branch: patterns,
    environment: pattern,
    command: fc.oneof(
      fc.constantFrom('x', './x', './*', '/bin/sh', '/bin/*', '*'),
      fc.constantFrom(['x', 'a*'], ['./x', '*'], ['x']),
      fc.constantFrom('1', '2').map((digit) => ({ path: './x', sha256: digit.repeat(64) })),
    ),
    ci: fc.boolean(),
    sources: some({ repo: source, environment: source, commit: source }, 1),
  },
  2,
);
const approval = fc.oneof(
  fc.constantFrom('none', 'prompt', 'signed'),
  fc.record(
    {
      grade: fc.constantFrom('ssh_key', 'ssh_key_touch', 'ssh_key_verified'),
      approvers: fc.constantFrom(['alice'], ['bob'], ['alice', 'bob']),
      self_approval: fc.constantFrom('allow', 'deny'),
      uses: fc.integer({ min: 1, max: 3 }),
      for: fc.constantFrom('1h', '2h'),
      cooldown: fc.constantFrom('1m', '2m'),
      max_per_hour: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: [] },
  ),
);
const allow = fc.record(
  {
    allow: conditions,
    approval,
    max_ttl: fc.integer({ min: 1, max: 4 }),
    limits: fc.record({ per_hour: fc.integer({ min: 1, max: 2 }) }, { requiredKeys: [] }),
  },
  { requiredKeys: ['allow'] },
);
const rule = fc.oneof(
  { weight: 3, arbitrary: allow },
  { weight: 1, arbitrary: fc.record({ deny: conditions }) },
);
const capability = fc.record(
  {
    max_ttl: fc.integer({ min: 2, max: 4 }),
    ttl: fc.integer({ min: 1, max: 2 }),
    ttl_over: fc.constantFrom('shorten', 'deny'),
    justification: fc.constantFrom('required', 'optional'),
    environment: fc.constantFrom('a', 'b'),
    rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: ['rules', 'max_ttl', 'ttl'] },
);
type Raw = Omit<Record<string, unknown>, 'rules'> & { rules: object[] };

/** Edits as people make them, so that versions are near one another and most proofs go through. */
const edit = fc.oneof(
  fc.record({ kind: fc.constant('drop' as const), at: fc.nat(3) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(4), rule }),
  fc.record({ kind: fc.constant('replace' as const), at: fc.nat(3), rule }),
  fc.record({ kind: fc.constant('swap' as const), at: fc.nat(3) }),
  fc.record({ kind: fc.constant('set' as const), fields: fc.record({ rule: conditions }), at: fc.nat(3) }),
  fc.record({ kind: fc.constant('unset' as const), pick: fc.nat(9), at: fc.nat(3) }),
  fc.record({ kind: fc.constant('field' as const), raw: capability, pick: fc.nat(9) }),
);

function edited(raw: Raw, change: typeof edit extends fc.Arbitrary<infer T> ? T : never): Raw {
  const rules = [...raw.rules];
  switch (change.kind) {
    case 'drop':
      if (rules.length > 1) rules.splice(change.at % rules.length, 1);
      break;
    case 'insert':
      rules.splice(change.at, 0, change.rule);
      break;
    case 'replace':
      rules[change.at % rules.length] = change.rule;
      break;
    case 'swap':
      rules.push(...rules.splice(change.at % rules.length, 1));
      break;
    case 'set':
    case 'unset': {
      const at = change.at % rules.length;
      const old = rules[at] as Record<string, object>;
      const effect = 'deny' in old ? 'deny' : 'allow';
      const when =
        change.kind === 'set'
          ? { ...old[effect], ...change.fields.rule }
          : without(old[effect] ?? {}, change.pick);
      rules[at] = { ...old, [effect]: when };
      break;
    }
    case 'field': {
      const { rules: _, ...fields } = change.raw;
      const entries = Object.entries(fields);
      const entry = entries[change.pick % entries.length];
      const changed =
        entry?.[0] === 'ttl' || entry?.[0] === 'max_ttl' ? fields : Object.fromEntries([entry ?? []]);
      return { ...raw, ...changed };
    }
  }
  return { ...raw, rules };
}

function without(when: object, pick: number): object {
  const entries = Object.entries(when);
  return Object.fromEntries(entries.toSpliced(pick % Math.max(1, entries.length), 1));
}

function mapOf(raw: Raw): CapabilityMap {
  const x = { provider: 'local-issuer', audience: 'a', scope: ['s'], ...raw };
  const approvers = { alice: { keys: [KEYS[0]] }, bob: { keys: [KEYS[1]] } };
  return mapFrom(JSON.stringify({ version: 1, approvers, capabilities: { x } }));
}

const word = fc.constantFrom('a', 'b', 'a/b', 'main', 'a/\n');
const facts = {
  repo: word,
  branch: word,
  environment: fc.constantFrom('a', 'b'),
  commit: fc.constant('c'),
  ci: fc.boolean(),
  sources: some({ repo: source, environment: source, commit: source }, 3),
  command: fc.record(
    {
      argv: fc.constantFrom(['x'], ['x', 'ab'], ['./x', 'b'], ['/bin/sh'], ['/repo/y']),
      cwd: fc.constant('/repo'),
      path: fc.constantFrom('/repo/x', '/usr/bin/sh', '/repo/y', null),
      sha256: fc.constantFrom('1'.repeat(64), '2'.repeat(64)),
    },
    { requiredKeys: ['argv', 'cwd', 'path'] },
  ),
  ttl: fc.integer({ min: 1, max: 5 }),
  justification: fc.constant('why'),
};
/** Most requests know all; some lack one thing or two. */
const given = fc
  .tuple(
    fc.record(facts),
    fc.oneof(fc.constant<string[]>([]), fc.subarray(Object.keys(facts), { maxLength: 2 })),
  )
  .map(([all, without]): Given => {
    return Object.fromEntries(Object.entries(all).filter(([key]) => !without.includes(key))) as Given;
  });

interface Outcome {
  readonly ttl: number;
  readonly rule: Rule;
}

/** Null where the request is denied. */
function outcome(map: CapabilityMap, request: Given): Outcome | null {
  const x = map.capabilities.get('x');
  if (x === undefined) throw new Error('the map lost its capability');
  const decision = evaluate(x, requestFrom(request));
  if (decision.effect === 'deny') return null;
  const found = x.rules.find(({ at }) => at === decision.grant.rule);
  if (found === undefined) throw new Error('the grant has no rule');
  return { ttl: decision.grant.ttl, rule: found };
}

/** Said anew, without the code that is tested. */
function givesMore(before: Outcome | null, after: Outcome | null): boolean {
  if (after === null) return false;
  if (before === null || after.ttl > before.ttl) return true;
  const [older, newer] = [before.rule.demand, after.rule.demand];
  const perHour = (one: Outcome) => one.rule.limits?.perHour ?? 99;
  if (perHour(after) > perHour(before)) return true;
  // The audit log counts by place.
  if (before.rule.limits !== null && before.rule.at !== after.rule.at) return true;
  if (older === null) return false;
  if (newer === null) return true;
  const approvers = older.approvers ?? ['alice', 'bob'];
  return (
    APPROVAL_GRADES.indexOf(newer.grade) < APPROVAL_GRADES.indexOf(older.grade) ||
    (newer.approvers ?? ['alice', 'bob']).some((name) => !approvers.includes(name)) ||
    (newer.selfApproval === 'allow' && older.selfApproval === 'deny') ||
    newer.uses > older.uses ||
    newer.standsFor > older.standsFor ||
    newer.cooldown < older.cooldown ||
    (newer.perHour ?? 99) > (older.perHour ?? 99)
  );
}

describe('compareMaps', () => {
  it('tells a widening wherever a request gets more', () => {
    const seen = { more: 0, proven: 0 };
    fc.assert(
      fc.property(
        capability,
        fc.array(edit, { minLength: 1, maxLength: 2 }),
        fc.array(given, { minLength: 25, maxLength: 25 }),
        (raw, edits, requests) => {
          const [older, newer] = [raw as Raw, edits.reduce(edited, raw as Raw)];
          const [before, after] = [mapOf(older), mapOf(newer)];
          const changes = compareMaps(before, after);
          const widens = changes.some(({ kind }) => kind === 'widening');
          const more = requests.filter((request) =>
            givesMore(outcome(before, request), outcome(after, request)),
          );
          if (more.length > 0) seen.more += 1;
          if (!widens && changes.length > 0) seen.proven += 1;
          if (more.length > 0) expect({ widens, changes, more }).toMatchObject({ widens: true });
        },
      ),
      { numRuns: Number(process.env['DIFF_RUNS'] ?? 200) },
    );
    // Neither a comparison that cries at everything nor requests that never get more would show anything.
    expect(seen.more).toBeGreaterThan(3);
    expect(seen.proven).toBeGreaterThan(15);
  });

  it('finds nothing in a map and itself, however it is written', () => {
    fc.assert(
      fc.property(capability, (raw) => {
        const turned = Object.fromEntries(Object.entries(raw).reverse()) as unknown as Raw;
        expect(compareMaps(mapOf(raw as Raw), mapOf(turned))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

/** Rules that never count. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/policy/decision.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { runChecks } from '../../src/policy/lint/check.ts';
import { RULE_CHECKS } from '../../src/policy/lint/lint-map.ts';
import { capability, request } from './evaluator-arbitraries.ts';
import { codesOf, findingsOf, good, local, sound } from './lint-from.ts';
import { mapFrom } from './map-from.ts';

const of = (rules: readonly object[], more: object = {}) => codesOf({ ...local, ...more, rules });
const allow = (conditions: object, terms: object = {}) => ({ allow: { ...sound, ...conditions }, ...terms });
const narrow = allow({ branch: 'feat/x' });
const wide = allow({ branch: 'feat/*' });

describe('rules that never count', () => {
  it('are all of a capability without an allow', () => {
    expect(of([{ deny: { repo: 'a/b' } }, { deny: { repo: 'a/c' } }])).toEqual(['warning no_allow rules']);
  });

  it('are equal to an earlier one, whatever the order of keys and values', () => {
    const sha256 = '0'.repeat(64);
    const rules = [
      { allow: { ...sound, repo: ['a/b', 'a/c'], command: { path: './x', sha256 } } },
      {
        allow: {
          command: { sha256, path: 'x' },
          branch: 'main',
          repo: ['a/c', 'a/b'],
          sources: sound.sources,
        },
      },
    ];
    expect(of(rules)).toEqual(['warning rule_unreachable rules[1]']);
  });

  it.each<[string, readonly object[], string[]]>([
    ['a narrower pattern', [wide, narrow], ['warning rule_unreachable rules[1]']],
    ['a narrower pattern first', [narrow, wide], []],
    ['one more condition', [good, allow({ commit_clean: true })], ['warning rule_unreachable rules[1]']],
    ['fewer values', [allow({ branch: ['main', 'dev'] }), good], ['warning rule_unreachable rules[1]']],
    ['another branch', [good, narrow], []],
    [
      'a better source',
      [allow({ sources: { repo: 'observed', branch: 'observed', actor: 'observed' } }), good],
      [],
    ],
    ['an allow that is denied', [good, { deny: { branch: 'm*' } }], ['warning rule_unreachable rules[0]']],
    ['an allow that is partly denied', [wide, { deny: { branch: 'feat/x' } }], []],
    [
      'a deny within a deny',
      [good, { deny: { repo: 'c/d', branch: 'x' } }, { deny: { repo: 'c/*' } }],
      ['warning rule_unreachable rules[1]'],
    ],
    [
      'the second of two equal denies',
      [good, { deny: { repo: 'c/d' } }, { deny: { repo: 'c/d' } }],
      ['warning rule_unreachable rules[2]'],
    ],
  ])('%s', (_, rules, expected) => {
    expect(of(rules)).toEqual(expected);
  });

  it('are for another environment than the capability', () => {
    const rules = [allow({ environment: 'production' }), allow({ environment: 'stag*' })];
    expect(of(rules, { environment: 'staging' })).toEqual([
      'warning rule_unreachable rules[0].allow.environment',
    ]);
  });
});

describe('terms that never count', () => {
  const messageOf = (rules: readonly object[]) =>
    findingsOf({ ...local, ttl: '20m', rules }, { a: { keys: [KEY] }, b: { keys: [OTHER] } })
      .filter(({ code }) => code === 'rule_shadowed')
      .map(({ message }) => message.replaceAll('capabilities.x.', ''));

  it.each<[string, object, object, string]>([
    ['a stricter approval', {}, { approval: 'signed' }, 'approval ssh_key is lost to none'],
    ['a weaker approval', { approval: 'signed' }, {}, 'approval none is lost to ssh_key'],
    ['a shorter time', {}, { max_ttl: '10m' }, 'max_ttl 10m is lost to none'],
    [
      'limits',
      {},
      { limits: { per_hour: 3, open: 1 } },
      'limits.per_hour 3 is lost to none; limits.open 1 is lost to none',
    ],
    [
      'terms of an approval',
      { approval: 'signed' },
      { approval: { grade: 'ssh_key', count: 2 } },
      'approval.count 2 is lost to 1',
    ],
  ])('%s', (_, first, second, lost) => {
    expect(
      messageOf([
        { ...wide, ...first },
        { ...narrow, ...second },
      ]),
    ).toEqual([`"rules[1]" is covered by rules[0], with other terms: ${lost}`]);
    expect(
      messageOf([
        { ...narrow, ...second },
        { ...wide, ...first },
      ]),
    ).toEqual([]);
  });

  it('is not said twice', () => {
    expect(of([wide, { ...narrow, max_ttl: '10m' }])).toEqual(['warning rule_shadowed rules[1]']);
  });

  it('is a cap above the cap', () => {
    expect(of([{ ...good, max_ttl: '2h' }])).toEqual(['warning rule_ttl_no_effect rules[0].max_ttl']);
  });
});

it('a rule that never counts can be deleted, and no request is decided otherwise', () => {
  let deleted = 0;
  fc.assert(
    fc.property(capability, request, (one, asked) => {
      const map = { ...mapFrom(MAP), capabilities: new Map([[one.name, one]]) };
      const dead = one.rules.filter((rule, index) =>
        runChecks(RULE_CHECKS, { map, capability: one, iam: null, rule, index }).some(
          ({ code }) => code === 'rule_unreachable' || code === 'rule_shadowed',
        ),
      );
      const before = grantOf(evaluate(one, asked));
      for (const rule of dead) {
        deleted += 1;
        const rest = { ...one, rules: one.rules.filter((it) => it !== rule) };
        expect(grantOf(evaluate(rest, asked))).toEqual(before);
      }
    }),
    { numRuns: 500 },
  );
  expect(deleted).toBeGreaterThan(50);
});

it('rules whose comparison would take very long are left alone', () => {
  const branch = Array.from({ length: 1000 }, (_, index) => `branch${index}`);
  expect(of([allow({ branch }), allow({ branch })])).toEqual([]);
});

function grantOf(decision: Decision): unknown {
  return decision.effect === 'allow' ? decision.grant : 'denied';
}

const MAP = JSON.stringify({ version: 1, capabilities: { x: { ...local, rules: [good] } } });
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1d4WrFSyMRQtTFZnY1rKjNPKVWOXOvDe9ZfSJd2wDp a@b';
const OTHER = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB1d4WrFSyMRQtTFZnY1rKjNPKVWOXOvDe9ZfSJd2wDp b@b';

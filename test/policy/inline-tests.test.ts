import { describe, expect, it } from 'vitest';
import { runPolicyTests } from '../../src/policy/inline-tests.ts';
import { mapFrom } from './map-from.ts';

const SHA = '0'.repeat(64);

function failuresOf(rules: object[], test: object, fields: object = {}): string[] {
  const x = { provider: 'local-issuer', audience: 'a', scope: ['x'], rules, tests: [test], ...fields };
  const map = mapFrom(JSON.stringify({ version: 1, capabilities: { x } }));
  return runPolicyTests(map).map(({ message }) => message);
}

const AT = '"capabilities.x.tests[0]';

describe('runPolicyTests', () => {
  it('says what was decided instead', () => {
    const rules = [{ allow: { repo: 'a/b' }, approval: 'prompt' }];
    expect(failuresOf(rules, { given: { repo: 'a/b' }, expect: 'deny' })).toEqual([
      `${AT}" expects deny, and capabilities.x.rules[0] allows it`,
    ]);
    expect(failuresOf(rules, { given: { repo: 'a/b' }, expect: 'allow', approval: 'none' })).toEqual([
      `${AT}" expects approval none, and capabilities.x.rules[0] gives prompt`,
    ]);
    expect(failuresOf(rules, { name: 'other repository', given: { repo: 'c/d' }, expect: 'allow' })).toEqual([
      `${AT} (other repository)" expects allow, and x is denied: no rule matched; nearest is capabilities.x.rules[0]: repo is c/d, not a/b`,
    ]);
    expect(failuresOf(rules, { given: {}, expect: 'deny', reason: 'denied_by_rule' })).toEqual([
      `${AT}" expects reason denied_by_rule, and it is no_rule_matched`,
    ]);
  });

  it.each([
    ['allow', [{ allow: { repo: 'a/b' } }], { given: { repo: 'a/b' }, expect: 'allow' }],
    [
      'there is always an actor',
      [{ allow: {} }, { deny: { actor: 'untrusted-*' } }],
      { given: {}, expect: 'allow' },
    ],
    ['it is always known whether this is CI', [{ allow: { ci: false } }], { given: {}, expect: 'allow' }],
    [
      'an unknown fact',
      [{ allow: { branch: '**' } }],
      { given: {}, expect: 'deny', reason: 'no_rule_matched' },
    ],
    [
      'a deny that is not ruled out',
      [{ allow: {} }, { deny: { branch: 'x' } }],
      { given: {}, expect: 'deny', reason: 'fact_unknown' },
    ],
    [
      'a path',
      [{ allow: { command: './a/b.sh' } }],
      { given: { command: ['a/b.sh', 'x'] }, expect: 'allow' },
    ],
    [
      'a path as text',
      [{ allow: { command: '/repo/a/b.sh' } }],
      { given: { command: './a/b.sh' }, expect: 'allow' },
    ],
    [
      'a bare name',
      [{ allow: { command: ['git', 'push'] } }],
      { given: { command: ['git', 'push', 'x'] }, expect: 'allow' },
    ],
    [
      'a bare name is no path',
      [{ allow: { command: '/usr/bin/git' } }],
      { given: { command: ['git'] }, expect: 'deny' },
    ],
    [
      'a pinned program',
      [{ allow: { command: { path: './a', sha256: SHA } } }],
      { given: { command: ['./a'] }, expect: 'allow' },
    ],
    [
      'another program',
      [{ allow: { command: { path: './a', sha256: SHA } } }],
      { given: { command: ['./b'] }, expect: 'deny' },
    ],
    [
      'a source',
      [{ allow: { repo: 'a', sources: { repo: 'verified' } } }],
      { given: { repo: 'a', sources: { repo: 'verified' } }, expect: 'allow' },
    ],
    [
      'observed where none is given',
      [{ allow: { repo: 'a', sources: { repo: 'verified' } } }],
      { given: { repo: 'a' }, expect: 'deny', reason: 'source_too_weak' },
    ],
  ])('holds: %s', (_, rules, test) => {
    expect(failuresOf(rules, test)).toEqual([]);
  });

  it('gives a justification where the test has none', () => {
    const rules = [{ allow: {} }];
    const fields = { justification: 'required' };
    expect(failuresOf(rules, { given: {}, expect: 'allow' }, fields)).toEqual([]);
    const blank = { given: { justification: ' ' }, expect: 'deny', reason: 'justification_missing' };
    expect(failuresOf(rules, blank, fields)).toEqual([]);
  });
});

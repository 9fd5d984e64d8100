import { describe, expect, it } from 'vitest';
import { lintMap, STILL_TO_REMOVE } from '../../src/policy/lint.ts';
import { analyseMap } from '../../src/policy/parse.ts';
import { DIR, mapFrom } from './map-from.ts';

const documented = { description: 'x', tests: [{ given: {}, expect: 'deny' }] };
const local = { provider: 'local-issuer', audience: 'a', scope: ['x'], ...documented };
const aws = {
  provider: 'aws-sts',
  role_arn: 'arn:aws:iam::123456789012:role/x',
  region: 'us-east-1',
  source: { type: 'env' },
  scope: [{ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::a/*'] }],
  ...documented,
};
const good = { allow: { repo: 'a/b', command: './x.sh' } };

function codesOf(raw: object): string[] {
  return lintMap(mapFrom(JSON.stringify({ version: 1, capabilities: { x: raw } }))).map(
    ({ code, severity, at }) => `${severity} ${code} ${at.replace('capabilities.x.', '')}`,
  );
}

describe('lintMap', () => {
  it('has nothing to say about a good map', () => {
    expect(codesOf({ ...local, rules: [good] })).toEqual([]);
  });

  it('lists what is still to be removed', () => {
    const raw = {
      ...aws,
      source: { type: 'env', long_lived: 'allow' },
      scope: [{ actions: ['s3:*'], resources: ['*'], broad: 'allow' }],
      env: { pass: ['SSH_AUTH_SOCK'], pass_sensitive: ['SSH_AUTH_SOCK'] },
      rules: [good],
    };
    expect(codesOf(raw)).toEqual([
      'warning long_lived source.long_lived',
      'warning broad scope[0]',
      'warning pass_sensitive env',
    ]);
    expect(STILL_TO_REMOVE).toEqual(['long_lived', 'pass_sensitive', 'broad']);
  });

  it.each([
    [
      'claimed environment',
      { allow: { ...good.allow, environment: 'preview' } },
      ['warning claimed_environment rules[0].allow.environment'],
    ],
    [
      'environment known better',
      { allow: { ...good.allow, environment: 'preview', sources: { environment: 'verified' } } },
      [],
    ],
    [
      'bare program',
      { allow: { repo: 'a', command: 'publish' } },
      ['warning bare_program rules[0].allow.command'],
    ],
    [
      'every program of a folder',
      { allow: { repo: 'a', command: '/srv/scripts/*' } },
      ['warning any_program rules[0].allow.command'],
    ],
    ['shell', { allow: { repo: 'a', command: '/bin/bash' } }, ['warning any_code rules[0].allow.command']],
    [
      'shell with flags',
      { allow: { repo: 'a', command: ['/bin/sh', '-c'] } },
      ['warning any_code rules[0].allow.command'],
    ],
    [
      'shell with any argument',
      { allow: { repo: 'a', command: ['/bin/sh', '**'] } },
      ['warning any_code rules[0].allow.command'],
    ],
    ['shell with a script', { allow: { repo: 'a', command: ['/bin/sh', './x.sh'] } }, []],
    [
      'interpreter by name',
      { allow: { repo: 'a', command: ['python3.12', '-I'] } },
      ['warning bare_program rules[0].allow.command', 'warning any_code rules[0].allow.command'],
    ],
    [
      'arguments in text',
      { allow: { repo: 'a', command: './x.sh --all' } },
      ['warning program_with_blank rules[0].allow.command'],
    ],
    ['no command', { allow: { repo: 'a' } }, ['note any_command rules[0]']],
    ['no conditions', { allow: {} }, ['warning any_request rules[0]']],
    ['cap without effect', { ...good, max_ttl: '2h' }, ['warning rule_ttl_no_effect rules[0].max_ttl']],
    ['only deny', { deny: { actor: 'x' } }, ['warning no_allow rules']],
  ])('rules: %s', (_, rule, expected) => {
    expect(codesOf({ ...local, rules: [rule] })).toEqual(expected);
  });

  it('knows an environment that is fixed', () => {
    const rules = [{ allow: { ...good.allow, environment: 'preview' } }];
    expect(codesOf({ ...local, environment: 'preview', rules })).toEqual([]);
  });

  it('finds a rule that never counts, whatever the order of its keys and values', () => {
    const rules = [
      { allow: { repo: ['a', 'b'], command: { path: './x', sha256: '0'.repeat(64) }, ci: true } },
      {
        allow: { ci: true, command: { sha256: '0'.repeat(64), path: 'x' }, repo: ['b', 'a'] },
        approval: 'prompt',
      },
    ];
    expect(codesOf({ ...local, rules })).toEqual(['warning rule_unreachable rules[1]']);
  });

  it('says where a deny needs a fact that an allow does without', () => {
    const rules = [good, { deny: { branch: 'main', actor: 'x' } }];
    expect(codesOf({ ...local, rules })).toEqual(['note deny_needs_fact rules[1]']);
    expect(
      codesOf({ ...local, rules: [good, { deny: { repo: 'a/c', sources: { repo: 'verified' } } }] }),
    ).toEqual(['warning deny_with_sources rules[1].deny.sources']);
  });

  it('misses papers, and looks at names in env.set', () => {
    const { description: _, tests: __, ...bare } = local;
    expect(
      codesOf({ ...bare, rules: [good], env: { set: { NODE_OPTIONS: '--max-old-space-size=4096' } } }),
    ).toEqual([
      'note set_sensitive env',
      'note no_description capabilities.x',
      'note no_tests capabilities.x',
    ]);
  });

  it('gives each finding its place in the file, a reason and a remedy', () => {
    const text = `version: 1
capabilities:
  x:
    provider: local-issuer
    audience: a
    scope: [x]
    rules:
      - allow: {repo: a/b, environment: preview, command: publish}
`;
    const { map, positions } = analyseMap(Buffer.from(text), { path: 'f', dir: DIR, sha256: '' });
    const findings = map === null ? [] : lintMap(map, positions);
    expect(findings.map(({ code, line, column }) => `${line}:${column} ${code}`)).toEqual([
      '3:3 no_description',
      '3:3 no_tests',
      '8:41 claimed_environment',
      '8:59 bare_program',
    ]);
    for (const { message, why, fix } of findings) {
      expect(message).toMatch(/^"/);
      expect(Math.min(why.length, fix.length)).toBeGreaterThan(10);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { FINDING_CODES, STILL_TO_REMOVE } from '../../src/policy/finding.ts';
import { CAPABILITY_CHECKS, needsIamActions, RULE_CHECKS } from '../../src/policy/lint/lint-map.ts';
import { aws, codesOf, codesOfAllow, findingsIn, findingsOf, good, local, sound } from './lint-from.ts';
import { mapFrom } from './map-from.ts';

describe('lintMap', () => {
  it('has nothing to say about a good map', () => {
    expect(codesOf({ ...local, rules: [good] })).toEqual([]);
    expect(codesOf({ ...aws, rules: [good] })).toEqual([]);
  });

  it('has one check for each code, and a code for each check', () => {
    const codes = [...CAPABILITY_CHECKS, ...RULE_CHECKS].map(({ code }) => code);
    expect(codes.toSorted()).toEqual([...FINDING_CODES].sort());
  });

  it('asks for the IAM reference only where a map speaks of AWS', () => {
    const map = (raw: object) => mapFrom(JSON.stringify({ version: 1, capabilities: { x: raw } }));
    expect(needsIamActions(map({ ...local, rules: [good] }))).toBe(false);
    expect(needsIamActions(map({ ...aws, rules: [good] }))).toBe(true);
  });

  it('lists what is still to be removed', () => {
    const raw = {
      ...aws,
      source: { type: 'env', long_lived: 'allow' },
      scope: [{ actions: ['s3:GetObject', 'ec2:*'], resources: ['arn:aws:s3:::a/*'], broad: 'allow' }],
      env: { pass: ['SSH_AUTH_SOCK'], pass_sensitive: ['SSH_AUTH_SOCK'] },
      rules: [good],
    };
    const found = codesOf(raw).filter((it) => STILL_TO_REMOVE.some((code) => it.includes(` ${code} `)));
    expect(found).toEqual([
      'warning broad scope[0]',
      'warning long_lived source.long_lived',
      'warning pass_sensitive env',
    ]);
    expect(STILL_TO_REMOVE).toEqual(['long_lived', 'pass_sensitive', 'broad', 'kv']);
  });

  it('misses papers, and looks at names in env.set', () => {
    const { description: _, tests: __, ...bare } = local;
    expect(
      codesOf({ ...bare, rules: [good], env: { set: { NODE_OPTIONS: '--max-old-space-size=4096' } } }),
    ).toEqual([
      'note no_description capabilities.x',
      'note no_tests capabilities.x',
      'note set_sensitive env',
    ]);
  });

  it('tells that on_leak: fail sees nothing of the real terminal', () => {
    const leaking = { ...local, rules: [good], on_leak: 'fail' };
    expect(codesOf(leaking)).toEqual([]);
    expect(codesOf({ ...leaking, terminal: 'direct' })).toEqual(['warning leak_unseen on_leak']);
  });

  it('gives each finding its place in the file, in the order of the file', () => {
    const text = `version: 1
capabilities:
  x:
    provider: local-issuer
    audience: a
    scope: [x]
    rules:
      - allow: {repo: a/b, branch: main, sources: {repo: observed, branch: observed}, command: publish}
      - allow: {repo: [a/b, "*/c"], branch: dev, sources: {repo: observed, branch: observed}, command: ./x}
        approval: prompt
`;
    expect(findingsIn(text).map(({ code, line, column }) => `${line}:${column} ${code}`)).toEqual([
      '3:3 no_description',
      '3:3 no_tests',
      '8:96 bare_program',
      '9:29 broad_pattern',
      '10:19 prompt_forgeable',
    ]);
  });

  it('says for each finding what could go wrong and what to do', () => {
    const { description: _, tests: __, ...bare } = aws;
    const findings = findingsOf({
      ...bare,
      scope: [{ actions: ['*'], resources: ['*'], broad: 'allow' }],
      rules: [
        {
          allow: { repo: '**', environment: 'x', command: ['git'], ci: true, actor: 'x' },
          approval: 'prompt',
        },
        { allow: { repo: 'a', command: ['sh', './x'], sources: { ci: 'verified' } } },
        { deny: { actor: 'x', branch: 'x', sources: { actor: 'observed' } } },
      ],
    });
    expect(findings.length).toBeGreaterThan(15);
    for (const { message, why, fix } of findings) {
      expect(message).toMatch(/^".*[^.]$/);
      expect(why).not.toBe('');
      expect(fix).not.toBe('');
    }
  });
});

describe('missing conditions and wide patterns', () => {
  it.each([
    [
      'no conditions',
      { repo: undefined, branch: undefined, command: undefined, sources: undefined },
      ['warning any_request rules[0]'],
    ],
    [
      'no repo',
      { repo: undefined, sources: undefined, branch: undefined, ci: undefined },
      ['note any_branch rules[0]', 'note any_repo rules[0]'],
    ],
    ['no branch', { branch: undefined }, ['note any_branch rules[0]']],
    ['no command', { command: undefined }, ['note any_command rules[0]']],
    ['any repo', { repo: '**' }, ['warning broad_pattern rules[0].allow.repo']],
    ['any repo, one slash', { repo: '*/*' }, ['warning broad_pattern rules[0].allow.repo']],
    ['any owner', { repo: '*/web-app' }, ['warning broad_pattern rules[0].allow.repo']],
    ['an owner left open', { repo: 'acme*/web-app' }, ['warning broad_pattern rules[0].allow.repo']],
    ['any repo of an owner', { repo: 'acme/*' }, []],
    ['any branch', { branch: ['main', '**'] }, ['warning broad_pattern rules[0].allow.branch[1]']],
    ['any plain branch', { branch: '*' }, ['warning broad_pattern rules[0].allow.branch']],
    ['branches of a folder', { branch: 'feat/**' }, []],
    [
      'any actor',
      { actor: '*', sources: { ...sound.sources, actor: 'observed' } },
      ['warning broad_pattern rules[0].allow.actor'],
    ],
  ])('%s', (_, conditions, expected) => {
    expect(codesOfAllow(conditions)).toEqual(expected);
  });

  it('says nothing about the patterns of a deny', () => {
    expect(codesOf({ ...local, rules: [good, { deny: { repo: '*/fork', branch: '**' } }] })).toEqual([]);
  });
});

describe('approvals', () => {
  const plain = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1d4WrFSyMRQtTFZnY1rKjNPKVWOXOvDe9ZfSJd2wDp a@b';
  const touch =
    'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJ1d4WrFSyMRQtTFZnY1rKjNPKVWOXOvDe9ZfSJd2wDqAAAABHNzaDo= a@key';
  const rules = (approval: unknown) => ({ ...local, rules: [{ ...good, approval }] });

  it('can be typed by whoever has the terminal', () => {
    expect(codesOf(rules('prompt'))).toEqual(['note prompt_forgeable rules[0].approval']);
    expect(codesOf(rules('signed'), { a: { keys: [plain] } })).toEqual([]);
  });

  it('can demand a touch that no key can show', () => {
    const approvers = { a: { keys: [plain] }, b: { keys: [touch] } };
    const of = (more: object) => codesOf(rules({ grade: 'ssh_key_touch', ...more }), approvers);
    expect(of({})).toEqual([]);
    expect(of({ approvers: ['b'] })).toEqual([]);
    expect(of({ approvers: ['a'] })).toEqual(['warning touch_impossible rules[0].approval']);
    expect(of({ count: 2 })).toEqual(['warning touch_impossible rules[0].approval']);
    expect(codesOf(rules({ grade: 'ssh_key', approvers: ['a'] }), approvers)).toEqual([]);
  });

  it('is nothing to speak of where nobody is asked', () => {
    expect(codesOf(rules('none'))).toEqual([]);
  });
});

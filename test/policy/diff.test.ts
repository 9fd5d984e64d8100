/** What compareMaps tells of single edits, and how it is shown. */
import { describe, expect, it } from 'vitest';
import { compareMaps } from '../../src/policy/diff/compare-maps.ts';
import { countChanges, describeChanges } from '../../src/policy/diff/describe-changes.ts';
import { publicKey } from './diff-keys.ts';
import { mapFrom } from './map-from.ts';

type Raw = Readonly<Record<string, unknown>>;

const AWS = {
  provider: 'aws-sts',
  role_arn: 'arn:aws:iam::123456789012:role/a',
  region: 'eu-central-1',
  source: { type: 'profile', profile: 'p' },
  scope: [{ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::b/x/*'] }],
  ttl: '15m',
  max_ttl: '30m',
  rules: [
    { allow: { repo: 'a/b', branch: ['main', 'feat/*'] }, approval: 'signed' },
    { deny: { actor: 'x-*' } },
  ],
};
const LOCAL = { provider: 'local-issuer', audience: 'a', scope: ['r'], rules: [{ allow: {} }] };
const [ALLOW, DENY] = AWS.rules;

function mapOf(x: Raw, top: Raw = {}) {
  const approvers = {
    alice: { keys: [publicKey(1, 'alice@laptop')], actors: ['alice'] },
    bob: { keys: [publicKey(2)] },
  };
  return mapFrom(JSON.stringify({ version: 1, approvers, capabilities: { x }, ...top }));
}

function told(before: Raw, after: Raw): string[] {
  return compareMaps(mapOf(before), mapOf(after)).map(({ kind, at, code }) => `${kind} ${code} ${at}`);
}

const withAllow = (terms: Raw) => ({ ...AWS, rules: [{ ...ALLOW, ...terms }, DENY] });
const approvalOf = (terms: Raw) => withAllow({ approval: { grade: 'ssh_key', ...terms } });
const scope = (...entries: Raw[]) => ({ ...AWS, scope: entries });
const at = 'capabilities.x';

/** An edit that widens; made backwards, it narrows at the same place, unless something else is said. */
const EDITS: readonly [name: string, before: Raw, after: Raw, place: string, code: string, back?: string][] =
  [
    ['ttl', AWS, { ...AWS, ttl: '20m' }, `${at}.ttl`, 'ttl'],
    ['max_ttl', AWS, { ...AWS, max_ttl: '31m' }, `${at}.max_ttl`, 'max_ttl'],
    ['ttl_over', { ...AWS, ttl_over: 'deny' }, AWS, `${at}.ttl_over`, 'ttl_over'],
    ['justification', { ...AWS, justification: 'required' }, AWS, `${at}.justification`, 'justification'],
    ['home', { ...AWS, home: 'private' }, AWS, `${at}.home`, 'home'],
    ['terminal', AWS, { ...AWS, terminal: 'direct' }, `${at}.terminal`, 'terminal'],
    ['on_leak', { ...AWS, on_leak: 'fail' }, AWS, `${at}.on_leak`, 'on_leak'],
    ['kill_after', AWS, { ...AWS, kill_after: '20s' }, `${at}.kill_after`, 'kill_after'],
    ['env.pass', AWS, { ...AWS, env: { pass: ['X_Y'] } }, `${at}.env.pass`, 'env_pass'],
    [
      'env.pass_sensitive',
      { ...AWS, env: { pass: ['X_Y'] } },
      { ...AWS, env: { pass: ['X_Y', 'SSH_AUTH_SOCK'], pass_sensitive: ['SSH_AUTH_SOCK'] } },
      `${at}.env.pass_sensitive`,
      'env_pass_sensitive',
    ],
    ['env.set', AWS, { ...AWS, env: { set: { A: '1' } } }, `${at}.env.set.A`, 'env_set', 'widening'],
    ['inject', AWS, { ...AWS, inject: { K: 'session_token' } }, `${at}.inject.K`, 'inject', 'widening'],
    ['environment', { ...AWS, environment: 'dev' }, AWS, `${at}.environment`, 'environment'],
    [
      'environment that rules look at',
      { ...AWS, rules: [{ allow: { environment: 'dev' } }] },
      { ...AWS, rules: [{ allow: { environment: 'dev' } }], environment: 'dev' },
      `${at}.environment`,
      'environment',
      'widening',
    ],
    [
      'role',
      AWS,
      { ...AWS, role_arn: 'arn:aws:iam::123456789012:role/b' },
      `${at}.role_arn`,
      'role_arn',
      'widening',
    ],
    ['region', AWS, { ...AWS, region: 'us-east-1' }, `${at}.region`, 'region', 'widening'],
    ['endpoint', AWS, { ...AWS, endpoint: 'https://sts.test' }, `${at}.endpoint`, 'endpoint', 'widening'],
    ['ca_file', AWS, { ...AWS, ca_file: 'ca.pem' }, `${at}.ca_file`, 'ca_file', 'widening'],
    ['external_id', AWS, { ...AWS, external_id: 'ab' }, `${at}.external_id`, 'external_id', 'widening'],
    ['tags', AWS, { ...AWS, session_tags: { a: 'b' } }, `${at}.session_tags.a`, 'session_tag', 'widening'],
    [
      'source',
      AWS,
      { ...AWS, source: { type: 'profile', profile: 'q' } },
      `${at}.source`,
      'source',
      'widening',
    ],
    [
      'long_lived',
      AWS,
      { ...AWS, source: { ...AWS.source, long_lived: 'allow' } },
      `${at}.source.long_lived`,
      'source_long_lived',
    ],
    [
      'provider',
      AWS,
      { ...LOCAL, ttl: '15m', max_ttl: '30m', rules: AWS.rules },
      `${at}.provider`,
      'provider',
      'widening',
    ],
    ['audience', LOCAL, { ...LOCAL, audience: 'b' }, `${at}.audience`, 'audience', 'widening'],
    ['subject', LOCAL, { ...LOCAL, subject: 's' }, `${at}.subject`, 'subject', 'widening'],
    ['token scope', LOCAL, { ...LOCAL, scope: ['r', 'w'] }, `${at}.scope`, 'scope_added'],
    [
      'an action',
      AWS,
      scope({ actions: ['s3:GetObject', 's3:PutObject'], resources: ['arn:aws:s3:::b/x/*'] }),
      `${at}.scope[0]`,
      'scope_added',
    ],
    [
      'a broader resource',
      AWS,
      scope({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::b/*'] }),
      `${at}.scope[0]`,
      'scope_added',
    ],
    ['broad', AWS, scope({ ...AWS.scope[0], broad: 'allow' }), `${at}.scope[0].broad`, 'scope_broad'],
    ['approval to prompt', AWS, withAllow({ approval: 'prompt' }), `${at}.rules[0].approval`, 'approval'],
    ['approval to none', AWS, withAllow({ approval: 'none' }), `${at}.rules[0].approval`, 'approval'],
    [
      'grade',
      approvalOf({ grade: 'ssh_key_touch' }),
      approvalOf({}),
      `${at}.rules[0].approval.grade`,
      'approval_grade',
    ],
    [
      'approvers',
      approvalOf({ approvers: ['bob'] }),
      approvalOf({}),
      `${at}.rules[0].approval.approvers`,
      'approval_approvers',
    ],
    ['count', approvalOf({ count: 2 }), approvalOf({}), `${at}.rules[0].approval.count`, 'approval_count'],
    [
      'self_approval',
      approvalOf({ self_approval: 'deny' }),
      approvalOf({}),
      `${at}.rules[0].approval.self_approval`,
      'approval_self_approval',
    ],
    ['uses', approvalOf({}), approvalOf({ uses: 2 }), `${at}.rules[0].approval.uses`, 'approval_uses'],
    ['for', approvalOf({}), approvalOf({ for: '2h' }), `${at}.rules[0].approval.for`, 'approval_for'],
    [
      'hook',
      approvalOf({}),
      approvalOf({ command: ['./ask'] }),
      `${at}.rules[0].approval.command`,
      'approval_command',
    ],
    [
      'another hook',
      approvalOf({ command: ['./ask'] }),
      approvalOf({ command: ['./ask', '-q'] }),
      `${at}.rules[0].approval.command`,
      'approval_command',
      'widening',
    ],
    [
      'cooldown',
      approvalOf({ cooldown: '10m' }),
      approvalOf({ cooldown: '5m' }),
      `${at}.rules[0].approval.cooldown`,
      'approval_cooldown',
    ],
    [
      'max_per_hour',
      approvalOf({ max_per_hour: 3 }),
      approvalOf({ max_per_hour: 4 }),
      `${at}.rules[0].approval.max_per_hour`,
      'approval_max_per_hour',
    ],
    ['rule max_ttl', withAllow({ max_ttl: '5m' }), AWS, `${at}.rules[0].max_ttl`, 'rule_max_ttl'],
    [
      'limit raised',
      withAllow({ limits: { open: 1 } }),
      withAllow({ limits: { open: 2 } }),
      `${at}.rules[0].limits.open`,
      'limits_open',
    ],
    [
      'limits dropped',
      withAllow({ limits: { per_task: 1 } }),
      AWS,
      `${at}.rules[0].limits.per_task`,
      'limits_per_task',
    ],
    [
      'broader pattern',
      AWS,
      withAllow({ allow: { repo: 'a/*', branch: ['main', 'feat/*'] } }),
      `${at}.rules[0].allow.repo`,
      'allow_condition',
    ],
    [
      'condition dropped',
      AWS,
      withAllow({ allow: { repo: 'a/b' } }),
      `${at}.rules[0].allow.branch`,
      'allow_condition',
    ],
    [
      'weaker source',
      withAllow({ allow: { ...ALLOW?.allow, sources: { repo: 'verified' } } }),
      withAllow({ allow: { ...ALLOW?.allow, sources: { repo: 'observed' } } }),
      `${at}.rules[0].allow.sources.repo`,
      'allow_condition',
    ],
    [
      'pinned content',
      withAllow({ allow: { command: { path: './x', sha256: '0'.repeat(64) } } }),
      withAllow({ allow: { command: './x' } }),
      `${at}.rules[0].allow.command`,
      'allow_condition',
    ],
  ];

describe('compareMaps', () => {
  it.each(EDITS)('tells of %s', (_, before, after, place, code, back = 'narrowing') => {
    expect(told(before, after)).toContain(`widening ${code} ${place}`);
    expect(told(before, after).filter((it) => it.startsWith('narrowing'))).toEqual([]);
    const reverse = told(after, before);
    expect(reverse.length).toBeGreaterThan(0);
    expect(reverse.filter((it) => !it.startsWith(back))).toEqual([]);
  });

  it.each<[string, Raw, Raw, string[]]>([
    ['the order of keys', AWS, Object.fromEntries(Object.entries(AWS).reverse()), []],
    ['defaults spelled out', AWS, { ...AWS, ttl: '900', ttl_over: 'shorten', home: 'inherit' }, []],
    ['a description', AWS, { ...AWS, description: 'x' }, [`neutral description ${at}.description`]],
    ['tests', AWS, { ...AWS, tests: [{ given: {}, expect: 'deny' }] }, [`neutral tests ${at}.tests`]],
    [
      'patterns in another order',
      AWS,
      withAllow({ allow: { repo: 'a/b', branch: ['feat/*', 'main'] } }),
      [`neutral allow_condition ${at}.rules[0].allow.branch`],
    ],
    [
      'scope that an older entry covers',
      scope({ actions: ['s3:Get*'], resources: ['arn:aws:s3:::b/*'] }),
      scope({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::b/x'] }),
      [`narrowing scope_removed ${at}.scope`],
    ],
    ['a deny dropped', AWS, { ...AWS, rules: [ALLOW] }, [`widening deny_dropped ${at}.rules`]],
    [
      'a deny narrowed',
      AWS,
      { ...AWS, rules: [ALLOW, { deny: { actor: 'x-1' } }] },
      [`widening deny_changed ${at}.rules[1]`],
    ],
    [
      'a deny broadened',
      AWS,
      { ...AWS, rules: [ALLOW, { deny: { actor: '*' } }] },
      [`narrowing deny_changed ${at}.rules[1]`],
    ],
    ['a deny moved to the front', AWS, { ...AWS, rules: [DENY, ALLOW] }, []],
    [
      'a new allow',
      AWS,
      { ...AWS, rules: [...AWS.rules, { allow: { repo: 'c/d' } }] },
      [`widening allow_added ${at}.rules[2]`],
    ],
    [
      'a new allow for what was allowed',
      AWS,
      { ...AWS, rules: [...AWS.rules, { allow: { repo: 'a/b', branch: 'main' }, approval: 'signed' }] },
      [`neutral allow_added ${at}.rules[2]`],
    ],
    [
      'a stricter allow in front',
      { ...LOCAL, rules: [{ allow: {} }] },
      { ...LOCAL, rules: [{ allow: { branch: 'main' }, approval: 'prompt' }, { allow: {} }] },
      [`narrowing allow_added ${at}.rules[0]`, `narrowing rule_order ${at}.rules[1]`],
    ],
    [
      'a deny beside an allow whose terms an earlier one makes stricter',
      { ...LOCAL, rules: [{ allow: { branch: 'main' }, approval: 'prompt' }, { allow: {} }] },
      {
        ...LOCAL,
        rules: [{ allow: { branch: 'main' }, approval: 'prompt' }, { allow: {} }, { deny: { actor: 'x' } }],
      },
      [`narrowing deny_added ${at}.rules[2]`],
    ],
    [
      'a stricter allow moved behind',
      { ...LOCAL, rules: [{ allow: { branch: 'main' }, approval: 'prompt' }, { allow: {} }] },
      { ...LOCAL, rules: [{ allow: {} }, { allow: { branch: 'main' }, approval: 'prompt' }] },
      [`widening rule_order ${at}.rules[0]`],
    ],
    [
      'allows that have nothing in common, swapped',
      {
        ...LOCAL,
        rules: [{ allow: { branch: 'main' }, approval: 'prompt' }, { allow: { branch: 'feat/*' } }],
      },
      {
        ...LOCAL,
        rules: [{ allow: { branch: 'feat/*' } }, { allow: { branch: 'main' }, approval: 'prompt' }],
      },
      [],
    ],
    [
      'a rule split in two',
      { ...LOCAL, rules: [{ allow: { branch: ['main', 'feat/*'] } }] },
      { ...LOCAL, rules: [{ allow: { branch: 'main' } }, { allow: { branch: 'feat/*' } }] },
      [
        `neutral allow_added ${at}.rules[0]`,
        `neutral allow_added ${at}.rules[1]`,
        `neutral allow_dropped ${at}.rules`,
      ],
    ],
    [
      'a limited rule that another one moves down',
      { ...LOCAL, rules: [{ allow: {}, limits: { open: 1 } }] },
      { ...LOCAL, rules: [{ deny: { actor: 'x' } }, { allow: {}, limits: { open: 1 } }] },
      [`widening rule_order ${at}.rules[1]`, `narrowing deny_added ${at}.rules[0]`],
    ],
    [
      'a limited rule split in two, each with the whole limit',
      { ...LOCAL, rules: [{ allow: { branch: ['main', 'feat/*'] }, limits: { open: 1 } }] },
      {
        ...LOCAL,
        rules: ['main', 'feat/*'].map((branch) => ({ allow: { branch }, limits: { open: 1 } })),
      },
      [
        `narrowing allow_added ${at}.rules[0]`,
        `widening allow_added ${at}.rules[1]`,
        `narrowing allow_dropped ${at}.rules`,
      ],
    ],
  ])('tells of %s', (_, before, after, expected) => {
    expect(told(before, after)).toEqual(expected);
  });

  it('tells of capabilities that come and go, as of one renamed', () => {
    const [older, newer] = [{ capabilities: { x: LOCAL } }, { capabilities: { y: LOCAL } }];
    expect(compareMaps(mapOf(LOCAL, older), mapOf(LOCAL, newer))).toEqual([
      {
        kind: 'widening',
        at: 'capabilities.y',
        code: 'capability_added',
        message: '"y" is a new capability',
        before: null,
        after: 'local-issuer a: r, for up to 15m',
      },
      {
        kind: 'narrowing',
        at: 'capabilities',
        code: 'capability_removed',
        message: '"x" is gone',
        before: 'local-issuer a: r, for up to 15m',
        after: null,
      },
    ]);
  });

  const alice = { keys: [publicKey(1, 'alice@laptop')], actors: ['alice'] };
  it.each<[string, Raw, Raw, string[]]>([
    ['a new one', { alice }, { alice, b: { keys: [publicKey(2)] } }, ['widening approver_added approvers.b']],
    ['one less', { alice, b: { keys: [publicKey(2)] } }, { alice }, ['narrowing approver_removed approvers']],
    [
      'none left to sign the next version',
      { alice },
      {},
      ['narrowing approver_removed approvers', 'widening approvers_none approvers'],
    ],
    ['a comment', { alice }, { alice: { ...alice, keys: [publicKey(1, 'other')] } }, []],
    [
      'another key',
      { alice },
      { alice: { ...alice, keys: [publicKey(3)] } },
      ['widening approver_keys approvers.alice.keys', 'narrowing approver_keys approvers.alice.keys'],
    ],
    [
      'an actor less',
      { alice: { ...alice, actors: ['alice', 'al'] } },
      { alice },
      ['widening approver_actors approvers.alice.actors'],
    ],
    [
      'an actor more',
      { alice },
      { alice: { ...alice, actors: ['alice', 'al'] } },
      ['narrowing approver_actors approvers.alice.actors'],
    ],
  ])('tells of approvers: %s', (_, before, after, expected) => {
    const changes = compareMaps(mapOf(LOCAL, { approvers: before }), mapOf(LOCAL, { approvers: after }));
    expect(changes.map(({ kind, code, at: place }) => `${kind} ${code} ${place}`)).toEqual(expected);
  });

  it('tells every term of a new allow, and lets no value pass for one', () => {
    const approval = {
      approvers: ['bob'],
      uses: 1000,
      for: '672h',
      command: ['./ask.sh', '--all'],
    };
    const rule = {
      allow: { repo: ['a/b', 'x approval=signed'], command: ['./x', 'y'], sources: { repo: 'observed' } },
      approval,
      limits: { per_hour: 3 },
      max_ttl: '10m',
    };
    const changes = compareMaps(mapOf(AWS), mapOf({ ...AWS, rules: [...AWS.rules, rule] }));
    expect(changes).toMatchObject([
      {
        code: 'allow_added',
        after:
          'allow repo=a/b|"x approval=signed" command="/repo/x y ..." source:repo=observed approval=signed grade=ssh_key ' +
          'approvers=bob self_approval=allow uses=1000 for=672h asked_through="/repo/ask.sh --all" per_hour=3 max_ttl=10m',
      },
    ]);
  });

  it('tells what another provider gives', () => {
    const { ttl, max_ttl, rules } = AWS;
    const [change] = compareMaps(mapOf({ ...LOCAL, ttl, max_ttl, rules }), mapOf(AWS));
    expect(change).toMatchObject({
      code: 'provider',
      before: 'local-issuer a: r',
      after: 'aws-sts arn:aws:iam::123456789012:role/a: s3:GetObject on arn:aws:s3:::b/x/*',
    });
  });

  it('takes what would be long to compare for wider', () => {
    const many = (last: string) => ({
      ...LOCAL,
      rules: [
        ...Array.from({ length: 200 }, (_, index) => ({ allow: { branch: `b${index}` } })),
        { allow: { branch: last } },
      ],
    });
    expect(told(many('x'), many('x'))).toEqual([]);
    expect(told(many('x*'), many('x')).some((it) => it.startsWith('widening'))).toBe(true);
  });

  it.each([
    ['in rules', (branch: string[]) => branch.map((each) => ({ allow: { branch: each } }))],
    ['in one list', (branch: string[]) => [{ allow: { branch } }]],
  ])('is not held up by patterns that are made to take long, %s', (_, rulesOf) => {
    const nasty = (first: number) =>
      Array.from(
        { length: 32 },
        (_, at) => `${'**a**b'.repeat(30)}${'x'.repeat(at % 7)}${'**c'.repeat((at + first) % 5)}*`,
      );
    const start = performance.now();
    const changes = told({ ...LOCAL, rules: rulesOf(nasty(0)) }, { ...LOCAL, rules: rulesOf(nasty(1)) });
    expect(changes.some((it) => it.startsWith('widening'))).toBe(true);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe('describeChanges', () => {
  it('sets what widens apart, in words, and escapes and cuts values', () => {
    const changes = compareMaps(
      mapOf({ ...LOCAL, home: 'private', env: { set: { A: 'x'.repeat(500) } } }),
      mapOf({ ...LOCAL, ttl: '10m', home: 'inherit', description: 'a\u200db', env: { set: { A: '' } } }),
    );
    expect(describeChanges(changes)).toEqual([
      `WIDENS   "A" in capabilities.x.env.set has another value  (capabilities.x.env.set.A)`,
      `           was ${'x'.repeat(400)}... (500 characters)`,
      `           is  ""`,
      `WIDENS   "capabilities.x.home" allows more`,
      `           was private`,
      `           is  inherit`,
      `narrows  "capabilities.x.ttl" allows less`,
      `           was 15m`,
      `           is  10m`,
      `narrows  "capabilities.x.max_ttl" allows less`,
      `           was 15m`,
      `           is  10m`,
      `other    "capabilities.x.description" is another one`,
      `           was (none)`,
      `           is  "a\\\\u{200d}b"`,
    ]);
    expect(countChanges(changes)).toBe('2 widening, 2 narrowing, 1 other');
    expect([describeChanges([]), countChanges([])]).toEqual([[], 'nothing that counts has changed']);
  });
});

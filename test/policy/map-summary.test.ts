import { describe, expect, test } from 'vitest';
import type {
  ApprovalDemand,
  Capability,
  CapabilityMap,
  ProviderConfig,
  Rule,
  Source,
} from '../../src/policy/capability.ts';
import { summariseMap } from '../../src/policy/map-summary.ts';

const AWS: ProviderConfig = {
  provider: 'aws-sts',
  roleArn: 'arn:aws:iam::123456789012:role/preview-deployer',
  region: 'us-east-1',
  endpoint: 'https://sts.example:8443',
  caFile: '/ca.pem',
  source: {
    type: 'profile',
    profile: 'agent-base',
    configFile: '/aws/config',
    credentialsFile: '/aws/credentials',
    longLived: true,
  },
  scope: [
    { actions: ['s3:PutObject', 's3:GetObject'], resources: ['arn:aws:s3:::previews/*'], broad: false },
    { actions: ['sqs:*'], resources: ['*'], broad: true },
  ],
  externalId: 'ext-1',
  mfaSerial: 'arn:aws:iam::123456789012:mfa/agent',
  sourceIdentity: 'agent',
  sessionTags: { team: 'web' },
  delivery: 'environment',
};

const PROMPT: ApprovalDemand = {
  kind: 'prompt',
  grade: 'terminal',
  approvers: null,
  count: 1,
  selfApproval: 'allow',
  uses: 3,
  standsFor: 3600,
  command: null,
  cooldown: 600,
  perHour: null,
};

const UNASKED: Rule = {
  effect: 'allow',
  when: {},
  approval: 'none',
  demand: null,
  limits: null,
  maxTtl: null,
  at: 'x',
};

const CAPABILITY: Capability = {
  name: 'publish-preview-build',
  description: 'Upload a preview build',
  config: AWS,
  ttl: 900,
  maxTtl: 1800,
  ttlOver: 'deny',
  rules: [
    {
      effect: 'allow',
      when: {
        repo: ['acme/web-app'],
        branch: ['feat/*', 'PR-*'],
        environment: ['preview'],
        actor: ['*'],
        commit_clean: true,
        ci: false,
        command: { kind: 'prefix', argv: ['make', 'publish now'] },
        sources: { repo: 'verified' },
      },
      approval: 'prompt',
      demand: PROMPT,
      limits: { perHour: 10, perTask: null, open: 2 },
      maxTtl: 600,
      at: 'capabilities.publish-preview-build.rules[0]',
    },
    {
      effect: 'allow',
      when: { command: { kind: 'pinned', path: '/bin/x', sha256: 'ab'.repeat(32) } },
      approval: 'none',
      demand: null,
      limits: null,
      maxTtl: null,
      at: 'capabilities.publish-preview-build.rules[1]',
    },
    {
      effect: 'deny',
      when: {},
      approval: 'none',
      demand: null,
      limits: null,
      maxTtl: null,
      at: 'capabilities.publish-preview-build.rules[2]',
    },
  ],
  environment: 'preview',
  justification: 'required',
  env: { pass: ['PATH', 'GITHUB_TOKEN'], passSensitive: ['GITHUB_TOKEN'], set: { SITE: 'pre view' } },
  inject: { KEY: 'access_key_id' },
  files: {},
  home: 'private',
  terminal: 'masked',
  onLeak: 'mask',
  killAfter: 10,
  tests: [],
};

const mapOf = (...capabilities: Capability[]): CapabilityMap => ({
  path: '/repo/capabilities.yaml',
  dir: '/repo',
  sha256: 'a'.repeat(64),
  approvers: new Map(),
  capabilities: new Map(capabilities.map((each) => [each.name, each])),
});

test('all that a capability allows is in its lines', () => {
  expect(summariseMap(mapOf(CAPABILITY))).toEqual([
    'publish-preview-build',
    '  description     Upload a preview build',
    '  provider        aws-sts',
    '  role            arn:aws:iam::123456789012:role/preview-deployer',
    '  region          us-east-1',
    '  endpoint        https://sts.example:8443',
    '  ca file         /ca.pem',
    '  source          profile profile=agent-base config_file=/aws/config credentials_file=/aws/credentials long_lived=allow (a key without an expiry)',
    '  scope           s3:PutObject, s3:GetObject on arn:aws:s3:::previews/*',
    '  scope           sqs:* on * broad=allow',
    '  external id     ext-1',
    '  mfa device      arn:aws:iam::123456789012:mfa/agent',
    '  source identity agent',
    '  session tag     team=web',
    '  ttl             15m, at most 30m; a longer one asked for: deny',
    '  environment     preview',
    '  allow           repo=acme/web-app branch=feat/*|PR-* environment=preview actor=* commit_clean=true ci=false command=[make, "publish now" ...] source:repo=verified approval=prompt max_ttl=10m',
    '    approval      grade=terminal self_approval=allow uses=3 for=1h cooldown=10m',
    '    limits        per_hour=10 open=2',
    `  allow           command=/bin/x sha256=${'ab'.repeat(32)} approval=none`,
    '  deny            always',
    '  justification   required',
    '  env passed      PATH, GITHUB_TOKEN',
    '  env sensitive   GITHUB_TOKEN',
    '  env set         SITE="pre view"',
    '  env injected    KEY=access_key_id',
    '  home            private',
    '  terminal        masked',
    '  on leak         mask',
    '  kill after      10s',
  ]);
});

test('what is not set has no line', () => {
  const config: ProviderConfig = {
    provider: 'local-issuer',
    audience: 'proxy',
    scope: ['read', 'list'],
    subject: null,
  };
  const plain: Capability = {
    ...CAPABILITY,
    name: 'read-ci-artifacts',
    description: null,
    config,
    rules: [],
    environment: null,
    env: { pass: [], passSensitive: [], set: {} },
    inject: {},
  };
  expect(summariseMap(mapOf(plain))).toEqual([
    'read-ci-artifacts',
    '  provider        local-issuer',
    '  audience        proxy',
    '  scope           read, list',
    '  ttl             15m, at most 30m; a longer one asked for: deny',
    '  justification   required',
    '  home            private',
    '  terminal        masked',
    '  on leak         mask',
    '  kill after      10s',
  ]);
});

describe('sources', () => {
  const cases: { source: Source; text: string }[] = [
    { source: { type: 'env', longLived: false }, text: 'env' },
    { source: { type: 'token-file', path: '/run/t', audience: null }, text: 'token-file path=/run/t' },
    {
      source: { type: 'token-env', variable: 'T', audience: 'sts' },
      text: 'token-env variable=T audience=sts',
    },
    { source: { type: 'github-actions', audience: 'sts' }, text: 'github-actions audience=sts' },
  ];
  test.each(cases)('$text', ({ source, text }) => {
    expect(summariseMap(mapOf({ ...CAPABILITY, config: { ...AWS, source } }))).toContain(
      `  source          ${text}`,
    );
  });
});

test('who may sign stands above what they sign for', () => {
  const map = {
    ...mapOf(CAPABILITY),
    approvers: new Map([['alice', { name: 'alice', keys: ['ssh-ed25519 AAAA a@b'], actors: ['al ice'] }]]),
  };
  expect(summariseMap(map).slice(0, 4)).toEqual([
    'approvers',
    '  alice           ssh-ed25519 AAAA a@b',
    '  alice           asks as "al ice"',
    'publish-preview-build',
  ]);
});

test('no value can forge a line or reach the terminal', () => {
  const evil = 'x\n  allow   always\u001b[2K\u202e';
  const lines = summariseMap(
    mapOf({
      ...CAPABILITY,
      description: evil,
      config: { ...AWS, roleArn: evil, externalId: evil, sessionTags: { [evil]: evil } },
      environment: evil,
      env: { pass: [evil], passSensitive: [evil], set: { [evil]: evil } },
      inject: { [evil]: evil },
      rules: [{ ...UNASKED, when: { branch: [evil] } }],
    }),
  );
  expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(lines.join('')).toContain('x\\\\u{a}  allow   always\\\\u{1b}[2K\\\\u{202e}');
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_PASS } from '../../src/policy/normalise.ts';
import { sensitiveName } from '../../src/policy/sensitive-names.ts';
import { ROOT } from '../helpers/cli.ts';
import { capabilityFrom, mapFrom } from './map-from.ts';

const base = { provider: 'local-issuer', audience: 'a', scope: ['x'], rules: [{ allow: { repo: 'a/b' } }] };

function withDefaults(defaults: object, fields: object = {}) {
  const text = JSON.stringify({ version: 1, defaults, capabilities: { x: { ...base, ...fields } } });
  const capability = mapFrom(text).capabilities.get('x');
  if (capability === undefined) throw new Error('the map lost its capability');
  return capability;
}

describe('the validated form', () => {
  it('has a value for everything that the map leaves out', () => {
    expect(capabilityFrom(base)).toEqual({
      name: 'x',
      description: null,
      config: { provider: 'local-issuer', audience: 'a', scope: ['x'], subject: null },
      ttl: 900,
      maxTtl: 900,
      ttlOver: 'shorten',
      rules: [
        {
          effect: 'allow',
          when: { repo: ['a/b'] },
          approval: 'none',
          demand: null,
          limits: null,
          maxTtl: null,
          at: 'capabilities.x.rules[0]',
        },
      ],
      environment: null,
      justification: 'optional',
      env: { pass: DEFAULT_PASS, passSensitive: [], set: {} },
      inject: { CAPWRAP_TOKEN: 'token' },
      files: {},
      home: 'inherit',
      terminal: 'masked',
      onLeak: 'mask',
      killAfter: 10,
      tests: [],
    });
  });

  it('takes every field of the map', () => {
    const text = readFileSync(join(ROOT, 'test', 'cases', 'map', 'valid', 'every-field.yaml'), 'utf8');
    const { capabilities, ...origin } = mapFrom(text);
    expect(origin).toEqual({
      path: '/repo/capabilities.yaml',
      dir: '/repo',
      sha256: 'f'.repeat(64),
      approvers: new Map(),
    });
    const deploy = capabilities.get('deploy');
    expect(deploy).toMatchObject({
      description: 'Deploys the site. Ask in #deploys first.',
      config: {
        provider: 'aws-sts',
        roleArn: 'arn:aws-us-gov:iam::123456789012:role/teams/web/deployer',
        region: 'us-gov-west-1',
        endpoint: 'http://127.0.0.1:4566/sts',
        caFile: '/repo/ca.pem',
        source: {
          type: 'profile',
          profile: 'agent-base',
          configFile: '/repo/aws/config',
          credentialsFile: '/etc/aws/credentials',
          longLived: true,
        },
        externalId: 'acme-2024',
        sourceIdentity: 'agent',
        sessionTags: { team: 'web', 'cost center': '', log: '{audit_head}' },
      },
      ttl: 1200,
      maxTtl: 2400,
      ttlOver: 'shorten',
      environment: 'staging',
      justification: 'optional',
      inject: { TF_VAR_key: 'secret_access_key', DEPLOY_ID: 'access_key_id' },
      home: 'inherit',
      terminal: 'direct',
      onLeak: 'fail',
      killAfter: 60,
      env: {
        pass: ['PATH', 'SSH_AUTH_SOCK', 'CI', 'NPM_TOKEN'],
        passSensitive: ['SSH_AUTH_SOCK', 'NPM_TOKEN'],
        set: { SITE: 'staging', COMMON: 'yes', EMPTY: '' },
      },
    });
    expect(deploy?.config).toMatchObject({ scope: [{ broad: false }, { broad: true }] });
    expect(deploy?.rules.map(({ when }) => when)).toEqual([
      { branch: ['**'], commit_clean: false },
      {
        repo: ['acme/web-app', 'acme/docs'],
        branch: ['main'],
        environment: ['staging'],
        actor: ['*@example.com', 'dependabot'],
        command: { kind: 'prefix', argv: ['/repo/scripts/deploy.sh', '--site', '*'] },
        commit_clean: true,
        ci: true,
        sources: { repo: 'verified', branch: 'verified', commit: 'observed' },
      },
      {
        repo: ['acme/web-app'],
        command: {
          kind: 'pinned',
          path: '/repo/scripts/deploy.sh',
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        },
        ci: false,
        commit_clean: true,
      },
    ]);
    expect(deploy?.rules[1]).toMatchObject({ approval: 'prompt', maxTtl: 1800 });
    expect(deploy?.tests[0]).toMatchObject({
      name: 'a release from CI asks first',
      given: { command: ['/repo/scripts/deploy.sh', '--site', 'docs'], ttl: 1800 },
    });
    expect(capabilities.get('read')).toMatchObject({
      ttl: 900,
      maxTtl: 5400,
      ttlOver: 'deny',
      justification: 'required',
      home: 'private',
      killAfter: 5,
      config: { subject: 'ci-reader' },
    });
  });

  it('reads each kind of source', () => {
    const text = readFileSync(join(ROOT, 'test', 'cases', 'map', 'valid', 'sources.yaml'), 'utf8');
    const sources = [...mapFrom(text).capabilities.values()].map(({ config }) =>
      config.provider === 'aws-sts' ? config.source : null,
    );
    expect(sources).toEqual([
      { type: 'env', longLived: false },
      { type: 'env', longLived: false },
      { type: 'web-identity-file', path: '/repo/token', audience: 'a' },
      { type: 'token-file', path: '/run/token', audience: null },
      { type: 'token-env', variable: 'ID_TOKEN', audience: null },
      { type: 'github-actions', audience: 'sts.amazonaws.com' },
      {
        type: 'sso',
        profile: 'dev',
        configFile: '/repo/aws/config',
        cacheDir: '/sso/cache',
        endpoint: 'http://127.0.0.1:1',
      },
      { type: 'instance', role: 'ci-runner', endpoint: 'http://[fd00:ec2::254]' },
      { type: 'container', endpoint: 'http://localhost:8080' },
      { type: 'profile', profile: 'me', configFile: null, credentialsFile: null, longLived: true },
    ]);
  });

  it.each([
    ['nothing', {}, {}, [900, 900]],
    ['a TTL is its own cap', {}, { ttl: '45m' }, [2700, 2700]],
    ['a cap above the default TTL', {}, { max_ttl: '1h' }, [900, 3600]],
    ['the default TTL bows to the cap', {}, { max_ttl: '5m' }, [300, 300]],
    ['a TTL of defaults', { ttl: '20m' }, {}, [1200, 1200]],
    ['a TTL of defaults bows too', { ttl: '20m' }, { max_ttl: 60 }, [60, 60]],
    ['a cap of defaults', { max_ttl: '30m' }, { ttl: '20m' }, [1200, 1800]],
    ['an own cap above that of defaults', { max_ttl: '30m' }, { ttl: '1h', max_ttl: '2h' }, [3600, 7200]],
  ])('works the TTL out: %s', (_, defaults, fields, expected) => {
    const { ttl, maxTtl } = withDefaults(defaults, fields);
    expect([ttl, maxTtl]).toEqual(expected);
  });

  it('adds names to those of defaults, or to the built-in list', () => {
    expect(withDefaults({}, { env: { pass: ['EXTRA', 'PATH'] } }).env.pass).toEqual([
      ...DEFAULT_PASS,
      'EXTRA',
    ]);
    expect(withDefaults({ env: { pass: [] } }, { env: { pass: ['EXTRA'] } }).env.pass).toEqual(['EXTRA']);
    expect(withDefaults({ env: { pass: [] } }).env.pass).toEqual([]);
  });

  it('takes a folder with glob characters as it is, and refuses one with a star', () => {
    const text = JSON.stringify({
      version: 1,
      capabilities: { x: { ...base, rules: [{ allow: { command: './a' } }] } },
    });
    const [rule] = mapFrom(text, '/home/me/[x] {y}?').capabilities.get('x')?.rules ?? [];
    expect(rule?.when.command).toEqual({ kind: 'program', program: '/home/me/[x] {y}?/a' });
    expect(() => mapFrom(text, '/home/me/*')).toThrow(
      '"./a" is relative to a folder whose name holds a * or control character',
    );
  });
});

describe('names that are passed without being named', () => {
  it('hold nothing that would have to be named twice', () => {
    expect(DEFAULT_PASS.filter((name) => sensitiveName(name) !== null)).toEqual([]);
    expect(DEFAULT_PASS.join(' ')).toBe(
      'PATH HOME USER LOGNAME SHELL TERM COLORTERM LANG LC_ALL LC_CTYPE TZ TMPDIR NO_COLOR FORCE_COLOR CI',
    );
  });

  it('spells out what an approval must be like', () => {
    const text = readFileSync(join(ROOT, 'test', 'cases', 'map', 'valid', 'approvals.yaml'), 'utf8');
    const { approvers, capabilities } = mapFrom(text);
    expect([...approvers.values()].map(({ name, actors, keys }) => [name, actors, keys.length])).toEqual([
      ['alice', ['alice', 'alice@acme.example'], 1],
      ['bob.ops', [], 1],
    ]);
    const signed = {
      kind: 'signed',
      grade: 'ssh_key',
      approvers: null,
      count: 1,
      selfApproval: 'allow',
      uses: 1,
      standsFor: 3600,
      command: null,
      cooldown: 0,
      perHour: null,
    };
    expect(
      capabilities.get('deploy')?.rules.map(({ approval, demand, limits }) => [approval, demand, limits]),
    ).toEqual([
      [
        'signed',
        {
          kind: 'signed',
          grade: 'ssh_key_touch',
          approvers: ['alice', 'bob.ops'],
          count: 2,
          selfApproval: 'deny',
          uses: 5,
          standsFor: 28_800,
          command: ['/repo/scripts/ask.sh', '--channel', 'deploys'],
          cooldown: 900,
          perHour: 6,
        },
        { perHour: 10, perTask: 3, open: 2 },
      ],
      ['signed', signed, null],
      ['prompt', { ...signed, kind: 'prompt', grade: 'terminal', uses: 3, standsFor: 1800 }, null],
      ['none', null, { perHour: null, perTask: null, open: 1 }],
    ]);
  });
});

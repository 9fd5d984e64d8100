import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Binding,
  type BindingInput,
  bindingOf,
  differences,
  differencesInWords,
  holdsSecret,
} from '../../src/approval/binding.ts';
import { newIdentity, newRequest, parseRequest, requestText } from '../../src/approval/request.ts';
import type { ProviderConfig } from '../../src/policy/capability.ts';
import type { Grant } from '../../src/policy/decision.ts';
import { known, unknown } from '../../src/request/facts.ts';
import type { RunRequest } from '../../src/request/run-request.ts';
import { tempDir } from '../helpers/cli.ts';
import { capabilityFrom, requestFrom } from '../policy/map-from.ts';
import { DEMAND, uid } from './samples.ts';

let dir = '';
beforeEach(() => {
  dir = tempDir();
  writeFileSync(join(dir, 'x.sh'), 'good');
});

const SCOPE = [
  { actions: ['s3:PutObject', 's3:GetObject'], resources: ['arn:aws:s3:::a/*', 'arn:aws:s3:::b/*'] },
  { actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::a'] },
];
const RULE = {
  allow: { repo: 'a/b' },
  approval: { grade: 'terminal', uses: 3, for: '8h', cooldown: '15m', max_per_hour: 6 },
};
const CAPABILITY = capabilityFrom({
  provider: 'aws-sts',
  role_arn: 'arn:aws:iam::123456789012:role/deployer',
  region: 'us-east-1',
  source: { type: 'env' },
  scope: SCOPE,
  rules: [RULE],
});
const LOCAL = capabilityFrom({
  provider: 'local-issuer',
  audience: 'test',
  scope: ['test:read', 'test:list'],
  inject: { TOKEN: 'token' },
  rules: [RULE],
});

function input(): BindingInput {
  return {
    grant: {
      capability: 'x',
      config: CAPABILITY.config,
      rule: 'capabilities.x.rules[0]',
      approval: 'prompt',
      demand: DEMAND,
      ttlRequested: 900,
      ttl: 900,
    },
    request: requestFrom({
      repo: 'a/b',
      branch: 'main',
      commit: 'c'.repeat(40),
      commit_clean: true,
      environment: 'staging',
      actor: 'agent-7',
      justification: 'roll out',
      command: { argv: ['/bin/cat', 'x.sh', '--token=hunter2'], cwd: dir, path: '/bin/cat' },
    }),
    map: { path: join(dir, 'capabilities.yaml'), sha256: 'd'.repeat(64) },
    uid,
    childPath: '/bin:/usr/bin',
    env: { PATH: '/bin', TERM: 'xterm', API_TOKEN: 'hunter2', HOME: '/home/x', OTHER: 'not passed' },
    pass: ['PATH', 'TERM', 'API_TOKEN', 'HOME', 'MISSING'],
    digestKey: new Uint8Array(32),
    mask: (text) => text.replaceAll('hunter2', '***'),
  };
}

const withGrant = (base: BindingInput, change: Partial<Grant>): BindingInput => ({
  ...base,
  grant: { ...base.grant, ...change },
});
const withConfig = (base: BindingInput, change: object): BindingInput =>
  withGrant(base, { config: { ...base.grant.config, ...change } as ProviderConfig });
const withRequest = (base: BindingInput, change: Partial<RunRequest>): BindingInput => ({
  ...base,
  request: { ...base.request, ...change },
});
const withFact = (
  base: BindingInput,
  name: keyof RunRequest['facts'],
  value: string | null,
  source = 'observed' as const,
): BindingInput =>
  withRequest(base, {
    facts: {
      ...base.request.facts,
      [name]: value === null ? unknown('the test') : known(value, source, 'the test'),
    },
  });
const withCommand = (base: BindingInput, change: object): BindingInput =>
  base.request.command === null
    ? base
    : withRequest(base, { command: { ...base.request.command, ...change } });

const withEnv = (base: BindingInput, change: Record<string, string>): BindingInput => ({
  ...base,
  env: { ...base.env, ...change },
});

const WORDS = ['/bin/cat', 'x.sh', '--token=hunter2'];

const CHANGES: readonly [string, (base: BindingInput) => BindingInput, readonly (keyof Binding)[]][] = [
  ['nothing', (base) => base, []],
  ['the capability', (base) => withGrant(base, { capability: 'y' }), ['capability']],
  ['a word', (base) => withCommand(base, { argv: [...WORDS, '-n'] }), ['command']],
  ['the order of words', (base) => withCommand(base, { argv: [WORDS[0], WORDS[2], WORDS[1]] }), ['command']],
  [
    'where a word ends',
    (base) => withCommand(base, { argv: ['/bin/cat', 'x.sh --token=hunter2'] }),
    ['command', 'files'],
  ],
  ['a variable that is passed', (base) => withEnv(base, { PATH: '/evil:/bin' }), ['env']],
  ['a secret variable that is passed', (base) => withEnv(base, { API_TOKEN: 'hunter3' }), ['env']],
  ['a variable that is set where it was not', (base) => withEnv(base, { MISSING: '' }), ['env']],
  ['how the terminal looks', (base) => withEnv(base, { TERM: 'dumb' }), []],
  ['a variable that is not passed', (base) => withEnv(base, { OTHER: 'x' }), []],
  [
    'a folder that a word names',
    (base) => withCommand(base, { argv: [...WORDS, '/'] }),
    ['command', 'folders'],
  ],
  ['the folder it runs in', (base) => withCommand(base, { cwd: '/' }), ['cwd', 'files']],
  ['the program', (base) => withCommand(base, { path: '/bin/ls' }), ['files']],
  ['the repository', (base) => withFact(base, 'repo', 'a/c'), ['repo']],
  ['the branch', (base) => withFact(base, 'branch', 'main2'), ['branch']],
  ['the commit', (base) => withFact(base, 'commit', 'd'.repeat(40)), ['commit']],
  ['clean or not', (base) => withFact(base, 'commit_clean', 'false'), ['commit_clean']],
  ['clean or not known', (base) => withFact(base, 'commit_clean', null), ['commit_clean', 'sources']],
  ['the environment', (base) => withFact(base, 'environment', 'production'), ['environment']],
  ['the actor', (base) => withFact(base, 'actor', 'Agent-7'), ['actor']],
  ['an actor who is not known', (base) => withFact(base, 'actor', null), ['actor', 'sources']],
  ['how a fact is known', (base) => withFact(base, 'repo', 'a/b', 'claimed' as never), ['sources']],
  [
    'where a fact is from',
    (base) =>
      withRequest(base, { facts: { ...base.request.facts, repo: known('a/b', 'observed', 'elsewhere') } }),
    [],
  ],
  ['whether it is CI', (base) => withFact(base, 'ci', 'true'), []],
  ['the task', (base) => withRequest(base, { taskId: 'task-2' }), ['task_id']],
  ['the justification', (base) => withRequest(base, { justification: 'roll  out' }), ['justification']],
  ['no justification', (base) => withRequest(base, { justification: null }), ['justification']],
  ['the role', (base) => withConfig(base, { roleArn: 'arn:aws:iam::123456789012:role/admin' }), ['target']],
  [
    'one action',
    (base) => withConfig(base, { scope: [{ ...SCOPE[0], actions: ['s3:*'] }, SCOPE[1]] }),
    ['scope'],
  ],
  [
    'one resource',
    (base) => withConfig(base, { scope: [{ ...SCOPE[0], resources: ['*'] }, SCOPE[1]] }),
    ['scope'],
  ],
  ['one statement less', (base) => withConfig(base, { scope: [SCOPE[0]] }), ['scope']],
  ['the provider', (base) => withGrant(base, { config: LOCAL.config }), ['provider', 'target', 'scope']],
  ['the time to live', (base) => withGrant(base, { ttl: 901 }), ['ttl_seconds']],
  ['the rule', (base) => withGrant(base, { rule: 'capabilities.x.rules[1]' }), ['rule']],
  [
    'the place of the map',
    (base) => ({ ...base, map: { ...base.map, path: '/capabilities.yaml' } }),
    ['map_path'],
  ],
  ['the map', (base) => ({ ...base, map: { ...base.map, sha256: 'e'.repeat(64) } }), ['map_sha256']],
];

describe('what an approval is for', () => {
  test.each(CHANGES)('changed alone: %s', (_what, change, names) => {
    const base = input();
    expect(differences(bindingOf(base), bindingOf(change(base)))).toEqual(names);
    expect(differences(bindingOf(change(base)), bindingOf(base))).toEqual(names);
  });

  test('a secret is there as a digest that says nothing without the key', () => {
    const { env } = bindingOf(input());
    expect(env).toEqual({
      API_TOKEN: expect.stringMatching(/^hmac-sha256 [0-9a-f]{64}$/),
      HOME: '/home/x',
      PATH: '/bin',
    });
    expect(bindingOf({ ...input(), digestKey: new Uint8Array(32).fill(1) }).env['API_TOKEN']).not.toBe(
      env['API_TOKEN'],
    );
  });

  test('what differs is said in words, of the variables by their names', () => {
    const base = input();
    const other = withEnv(withRequest(base, { taskId: 'task-2' }), { PATH: '/evil', HOME: '/evil' });
    expect(differencesInWords(bindingOf(base), bindingOf(other))).toEqual(['HOME', 'PATH', 'task']);
  });

  test('a file of the command', () => {
    const before = bindingOf(input());
    writeFileSync(join(dir, 'x.sh'), 'EVIL');
    expect(differences(before, bindingOf(input()))).toEqual(['files']);
  });

  test('a file that came to be', () => {
    const base = withCommand(input(), { argv: ['/bin/cat', 'y.sh'] });
    const before = bindingOf(base);
    writeFileSync(join(dir, 'y.sh'), 'EVIL');
    expect(differences(before, bindingOf(base))).toEqual(['files']);
  });

  test('the user', () => {
    const base = input();
    expect(differences(bindingOf(base), bindingOf({ ...base, uid: uid + 1 }))).toEqual(['user']);
  });

  test('has no field that no change here names', () => {
    const named = new Set(CHANGES.flatMap(([, , names]) => names));
    expect(Object.keys(bindingOf(input())).filter((name) => !named.has(name as keyof Binding))).toEqual([
      // These need a look at the world.
      'stdin',
      'user',
    ]);
  });

  test('hides what is secret in every text of the caller', () => {
    const secret = 'hunter2';
    const plain = withCommand(input(), { argv: ['/bin/cat', 'x.sh'] });
    let base = withRequest(plain, { taskId: secret, justification: secret });
    for (const name of ['repo', 'branch', 'commit', 'environment', 'actor'] as const)
      base = withFact(base, name, secret);
    expect(JSON.stringify(bindingOf(base))).not.toContain(secret);
  });

  test.each([
    ['a word', (base: BindingInput) => base],
    ['the folder', (base: BindingInput) => withCommand(base, { argv: ['/bin/cat'], cwd: '/hunter2' })],
    [
      'a variable',
      (base: BindingInput) => withEnv(withCommand(base, { argv: ['/bin/cat'] }), { PATH: '/hunter2' }),
    ],
  ])('tells that %s holds a secret, which nobody could see', (_what, change) => {
    const { mask } = input();
    expect(holdsSecret(bindingOf(change(input())), mask)).toBe(true);
    expect(holdsSecret(bindingOf(withCommand(input(), { argv: ['/bin/cat'] })), mask)).toBe(false);
  });

  test('without a command is for none', () => {
    expect(bindingOf(withRequest(input(), { command: null }))).toMatchObject({
      command: [],
      cwd: '',
      files: [],
    });
  });
});

describe('a new request', () => {
  test.each([
    ['aws-sts', CAPABILITY],
    ['local-issuer', LOCAL],
  ])('of %s, with all that a map can ask for, is read as it was written', (_provider, { config, rules }) => {
    const demand = rules[0]?.demand ?? DEMAND;
    expect(demand).not.toBe(DEMAND);
    const binding = bindingOf(withGrant(input(), { config, demand }));
    const about = { lease_id: '9f8c6b6a41d2e07c', demand, binding };
    const request = newRequest(newIdentity(), about, new Date(), 300_000);
    expect(parseRequest(requestText(request))).toEqual(request);
    expect(Date.parse(request.answer_by) - Date.parse(request.created_at)).toBe(300_000);
  });

  test('is one of a kind', () => {
    const identities = Array.from({ length: 100 }, newIdentity);
    expect(new Set(identities.map(({ id }) => id)).size).toBe(100);
    expect(new Set(identities.map(({ nonce }) => nonce)).size).toBe(100);
  });
});

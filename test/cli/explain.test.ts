/** What `explain` says of real requests, as text and in the form that schema/explain.schema.json describes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.ts';
import { createWorkspace } from '../helpers/workspace.ts';
import { accepts } from '../policy/json-schema-validator.ts';

const schema = JSON.parse(readFileSync(join(ROOT, 'schema', 'explain.schema.json'), 'utf8'));

/** The schema allows keys that a later version adds; this version has none but the described ones. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (node === null || typeof node !== 'object') return node;
  const inner = Object.fromEntries(Object.entries(node).map(([key, child]) => [key, closed(child)]));
  return 'properties' in inner && 'required' in inner ? { additionalProperties: false, ...inner } : inner;
}
const strict = closed(schema) as Record<string, unknown>;

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1d4WrFSyMRQtTFZnY1rKjNPKVWOXOvDe9ZfSJd2wDp a@b';

const MAP = `version: 1
approvers:
  alice: {keys: ["${KEY}"], actors: [alice]}
capabilities:
  publish:
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/preview-deployer
    region: us-east-1
    source: {type: profile, profile: agent-base}
    scope: [{actions: [s3:PutObject], resources: ['arn:aws:s3:::acme-previews/*']}]
    external_id: ext-1
    source_identity: agent
    session_tags: {team: web}
    ttl: 5m
    rules:
      - allow: {repo: acme/web-app, branch: 'feat/*', command: [/bin/echo, hi]}
        approval: {grade: ssh_key_touch, approvers: [alice], self_approval: deny, uses: 5, for: 8h, command: [./ask.sh, now], cooldown: 15m, max_per_hour: 6}
        limits: {per_hour: 10, per_task: 3, open: 2}
      - allow: {repo: acme/web-app, branch: main, sources: {repo: verified}}
        approval: prompt
      - deny: {actor: 'untrusted-*'}
  token:
    provider: local-issuer
    audience: https://artifacts.example
    scope: [artifacts:read, artifacts:list]
    rules: [{allow: {repo: acme/web-app}, limits: {open: 1}}]
`;

interface Case {
  readonly args: readonly string[];
  readonly status: number;
  readonly json: object;
  /** Lines of the text form. */
  readonly text: readonly (string | RegExp)[];
}

const cases: Readonly<Record<string, Case>> = {
  'an allow by AWS, with approval and limits': {
    args: ['publish', '--', '/bin/echo', 'hi'],
    status: 0,
    json: {
      schema_version: 1,
      map: { trusted: true, grade: 'pinned_noninteractive' },
      capability: 'publish',
      task_id: 'task-1',
      command: { argv: ['/bin/echo', 'hi'], fault: null },
      decision: {
        effect: 'allow',
        rule: 'capabilities.publish.rules[0]',
        approval: 'signed',
        approval_demand: {
          grade: 'ssh_key_touch',
          approvers: ['alice'],
          count: 1,
          self_approval: 'deny',
          uses: 5,
          for_seconds: 28_800,
          command: [expect.stringMatching(/^\/.*\/ask\.sh$/), 'now'],
          cooldown_seconds: 900,
          max_per_hour: 6,
        },
        limits: [
          { limit: 'per_hour', most: 10, used: 0, reached: false },
          { limit: 'per_task', most: 3, used: 0, reached: false },
          { limit: 'open', most: 2, used: 0, reached: false },
        ],
        ttl_seconds: 300,
      },
      request_to_issuer: {
        action: 'AssumeRole',
        role_arn: 'arn:aws:iam::123456789012:role/preview-deployer',
        duration_seconds: 900,
        external_id: 'ext-1',
        session_policy: {
          Statement: [
            { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::acme-previews/*' },
            {
              Effect: 'Deny',
              Action: '*',
              Condition: { DateGreaterThanEquals: { 'aws:CurrentTime': /Z$/ } },
            },
          ],
        },
      },
    },
    text: [
      'allowed  publish',
      /^approval {2}signed: grade=ssh_key_touch approvers=alice self_approval=deny uses=5 for=8h cooldown=15m max_per_hour=6 command=\/.*\/ask\.sh now$/,
      'ttl       5m',
      'limits    per_hour 0 of 10, per_task 0 of 3, open 0 of 2',
      'capabilities.publish.rules[0]  allow, approval signed: matches',
      '  yes branch       wants feat/*',
      /^ +is {4}feat\/x, observed from /,
      'capabilities.publish.rules[1]  allow, approval prompt: does not match',
      '  approval needs   grade=terminal self_approval=allow uses=1 for=1h',
      '  limits used      per_hour 0 of 10, per_task 0 of 3, open 0 of 2',
      'The issuer would be asked for',
      '    "action": "AssumeRole",',
      /^ +"Action": "s3:PutObject",$/,
      /^ +"aws:CurrentTime": "20.*Z"$/,
    ],
  },
  'an allow by the embedded issuer, without a command': {
    args: ['token'],
    status: 0,
    json: {
      command: null,
      decision: { effect: 'allow', approval: 'none', approval_demand: null },
      request_to_issuer: {
        algorithm: 'EdDSA',
        aud: 'https://artifacts.example',
        scope: 'artifacts:read artifacts:list',
        act: { sub: 'tester' },
        capwrap_task: 'task-1',
      },
    },
    text: ['approval  none', 'limits    open 0 of 1', '    "scope": "artifacts:read artifacts:list",'],
  },
  'a denial': {
    args: ['publish', '--actor', 'untrusted-x', '--', '/bin/echo', 'hi'],
    status: 1,
    json: {
      decision: { effect: 'deny', reason: 'denied_by_rule', rule: 'capabilities.publish.rules[2]' },
      request_to_issuer: null,
    },
    text: ['reason    denied_by_rule', 'capabilities.publish.rules[2]  deny: matches'],
  },
  'a denial where no rule matched and facts are too weak': {
    args: ['publish', '--', '/bin/true'],
    status: 1,
    json: { decision: { effect: 'deny', reason: 'no_rule_matched', rule: null } },
    text: ['reason    no_rule_matched', /not known well enough/],
  },
  "a command that can't be started": {
    args: ['token', '--', './missing'],
    status: 0,
    json: { command: { argv: ['./missing'], path: null, fault: 'not_found' }, decision: { effect: 'allow' } },
    text: [/^The command can't be started: /],
  },
};

async function workspace() {
  return createWorkspace(MAP);
}

describe.each(Object.entries(cases))('%s', (_what, { args, status, json, text }) => {
  test('in JSON', async () => {
    const { cli, here } = await workspace();
    const [name = '', ...rest] = args;
    const result = await here(['explain', name, '--json', ...rest]);
    expect(result.status, result.stderr).toBe(status);
    const output = JSON.parse(result.stdout);
    expect(output).toMatchObject(asMatchers(json) as object);
    expect(accepts(schema, output)).toBe(true);
    expect(accepts(strict, output)).toBe(true);
    const dry = await cli(['run', '--dry-run', '--json', '-c', name, ...withCommand(rest)]);
    expect(accepts(strict, JSON.parse(dry.stdout))).toBe(true);
  });

  test('as text', async () => {
    const { here } = await workspace();
    const result = await here(['explain', ...args]);
    expect(result.status, result.stderr).toBe(status);
    const lines = result.stdout.split('\n');
    for (const wanted of text) {
      const found = lines.some((line) => (wanted instanceof RegExp ? wanted.test(line) : line === wanted));
      expect(found, `${wanted} in\n${result.stdout}`).toBe(true);
    }
  });
});

test('a map that is not trusted is explained all the same, and says so', async () => {
  const { cli, mapFile } = await workspace();
  writeFileSync(mapFile, `${MAP}# edited\n`);
  const result = await cli(['explain', 'token', '--json']);
  const output = JSON.parse(result.stdout);
  expect(output).toMatchObject({ map: { trusted: false }, decision: { effect: 'allow' } });
  expect(output.map.why).toMatch(/./);
  expect(accepts(strict, output)).toBe(true);
  expect((await cli(['run', '--dry-run', '-c', 'token', '--', '/bin/true'])).status).toBe(121);
});

test('the schema is one that can refuse', async () => {
  const { cli } = await workspace();
  const output = JSON.parse((await cli(['explain', 'publish', '--json', '--', '/bin/echo', 'hi'])).stdout);
  const broken = [
    { ...output, schema_version: 2 },
    { ...output, decision: { ...output.decision, rules: [{ ...output.decision.rules[0], matched: 'yes' }] } },
    { ...output, facts: {} },
    { ...output, request_to_issuer: {} },
  ];
  for (const each of broken) expect(accepts(schema, each)).toBe(false);
  expect(accepts(schema, { ...output, later: 1 })).toBe(true);
  expect(accepts(strict, { ...output, later: 1 })).toBe(false);
});

/** `run` wants a command. */
function withCommand(args: readonly string[]): readonly string[] {
  return args.includes('--') ? args : [...args, '--', '/bin/true'];
}

function asMatchers(value: unknown): unknown {
  if (value instanceof RegExp) return expect.stringMatching(value);
  if (Array.isArray(value)) return value.map(asMatchers);
  if (value === null || typeof value !== 'object' || 'asymmetricMatch' in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asMatchers(item)]));
}

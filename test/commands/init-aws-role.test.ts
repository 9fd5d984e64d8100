/** `capwrap init --aws-role`: the policies of the role that a capability needs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PREVIEW_DEPLOYER } from '../../examples/sandbox/accounts.ts';
import type { InitOptions } from '../../src/commands/init-options.ts';
import { errorOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { runInit, workTree } from './init-support.ts';

function mapWith(
  source: string,
  more = '',
  rules = '- allow: {repo: acme/web-app, branch: [main, "feat/*"]}',
): string {
  const root = workTree();
  const text = `version: 1
capabilities:
  deploy:
    provider: aws-sts
    role_arn: ${PREVIEW_DEPLOYER.replace('role/', 'role/team/')}
    region: us-east-1
    source: ${source}
    scope:
      - {actions: [s3:PutObject, s3:GetObject], resources: ['arn:aws:s3:::acme-previews/*']}
      - {actions: [cloudfront:CreateInvalidation], resources: ['arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE']}
    ttl: 15m
    max_ttl: 2h
    rules:
      ${rules}
${more}  local:
    provider: local-issuer
    audience: a
    scope: [b]
    rules:
      - allow: {repo: acme/web-app}
`;
  writeFileSync(join(root, 'capabilities.yaml'), text, { mode: 0o644 });
  return root;
}
const PROFILE = '{type: profile, profile: agent-base}';
const USER = 'arn:aws:iam::123456789012:user/agent-base';

test('for keys: trust, permissions, and the commands', async () => {
  const extra =
    '    external_id: x-1\n    source_identity: workstation-user\n    session_tags: {team: web, log: "{audit_head}"}\n';
  const root = mapWith(PROFILE, extra);
  const plan = JSON.parse(await runInit(root, { awsRole: 'deploy', principal: USER }, true));
  const who = { Effect: 'Allow', Principal: { AWS: USER } };
  expect(plan).toEqual({
    role_arn: 'arn:aws:iam::123456789012:role/team/preview-deployer',
    trust_policy: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Assume',
          ...who,
          Action: 'sts:AssumeRole',
          Condition: {
            StringLike: { 'sts:RoleSessionName': 'agent-*' },
            StringEquals: { 'sts:ExternalId': 'x-1' },
          },
        },
        {
          Sid: 'Tag',
          ...who,
          Action: 'sts:TagSession',
          Condition: {
            StringEquals: { 'aws:RequestTag/team': 'web' },
            StringLike: { 'aws:RequestTag/log': 'capwrap-head:v1:*' },
            'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'log'] },
          },
        },
        {
          Sid: 'SourceIdentity',
          ...who,
          Action: 'sts:SetSourceIdentity',
          Condition: { StringEquals: { 'sts:SourceIdentity': 'workstation-user' } },
        },
      ],
    },
    permission_policy: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Scope0',
          Effect: 'Allow',
          Action: ['s3:PutObject', 's3:GetObject'],
          Resource: 'arn:aws:s3:::acme-previews/*',
        },
        {
          Sid: 'Scope1',
          Effect: 'Allow',
          Action: 'cloudfront:CreateInvalidation',
          Resource: 'arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE',
        },
      ],
    },
    caller_policy: null,
    commands: [
      'aws iam create-role --role-name preview-deployer --path /team/ --assume-role-policy-document file://trust.json --max-session-duration 7200',
      'aws iam put-role-policy --role-name preview-deployer --policy-name capwrap-deploy --policy-document file://permissions.json',
    ],
    notes: [expect.stringMatching(/^this map is not trusted \(.+\): read the scope before you grant it$/)],
  });
});

test.each(['arn:aws:iam::210987654321:role/workstation', 'arn:aws:iam::123456789012:root'])(
  'a principal %s needs a policy of its own',
  async (principal) => {
    const plan = JSON.parse(await runInit(mapWith(PROFILE), { awsRole: 'deploy', principal }, true));
    expect(plan.caller_policy.Statement).toEqual([
      {
        Sid: 'Assume',
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Resource: 'arn:aws:iam::123456789012:role/team/preview-deployer',
      },
    ]);
  },
);

test('for GitHub: the subjects that the rules speak of', async () => {
  const plan = JSON.parse(await runInit(mapWith('{type: github-actions}'), { awsRole: 'deploy' }, true));
  const issuer = 'token.actions.githubusercontent.com';
  expect(plan.trust_policy.Statement).toEqual([
    {
      Sid: 'AssumeWithToken',
      Effect: 'Allow',
      Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${issuer}` },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: { [`${issuer}:aud`]: 'sts.amazonaws.com' },
        StringLike: {
          'sts:RoleSessionName': 'agent-*',
          [`${issuer}:sub`]: [
            'repo:acme/web-app:ref:refs/heads/main',
            'repo:acme/web-app:ref:refs/heads/feat/*',
          ],
        },
      },
    },
  ]);
  expect(plan.notes.join('\n')).toContain(`aws iam create-open-id-connect-provider --url https://${issuer}`);
});

test('for another issuer: the subject that is given, compared exactly', async () => {
  const root = mapWith('{type: web-identity-file, path: /var/run/token, audience: my-audience}');
  const options = {
    awsRole: 'deploy',
    oidcProvider: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABC/',
    principal: 'system:serviceaccount:agents:runner',
  };
  const plan = JSON.parse(await runInit(root, options, true));
  const issuer = 'oidc.eks.eu-west-1.amazonaws.com/id/ABC';
  expect(plan.trust_policy.Statement[0].Condition).toEqual({
    StringEquals: {
      [`${issuer}:aud`]: 'my-audience',
      [`${issuer}:sub`]: 'system:serviceaccount:agents:runner',
    },
    StringLike: { 'sts:RoleSessionName': 'agent-*' },
  });
});

test('as text, with what each part is for', async () => {
  const printed = await runInit(mapWith(PROFILE), { awsRole: 'deploy', principal: USER });
  expect(printed).toMatch(/^# trust\.json: who may assume the role\n\{\n {2}"Version": "2012-10-17",/);
  expect(printed).toContain('# permissions.json: what the role may do\n{');
  expect(printed).toContain('\naws iam create-role --role-name preview-deployer ');
});

const refused: readonly {
  name: string;
  source: string;
  options: InitOptions;
  rules?: string;
  message: RegExp;
  code?: string;
}[] = [
  {
    name: 'no principal',
    source: PROFILE,
    options: {},
    message: /^"--principal" is missing: it names who may assume the role$/,
  },
  {
    name: 'a session for a principal',
    source: PROFILE,
    options: { principal: 'arn:aws:sts::123456789012:assumed-role/a/b' },
    message: /which is no IAM user, role or account root/,
  },
  { name: 'everybody', source: PROFILE, options: { principal: '*' }, message: /^"--principal" is "\*"/ },
  {
    name: 'an OIDC provider for keys',
    source: PROFILE,
    options: { principal: USER, oidcProvider: 'x' },
    message: /^"--oidc-provider" does not fit source "profile"/,
  },
  {
    name: 'no provider for a token',
    source: '{type: token-env, variable: T}',
    options: {},
    message: /^"--oidc-provider" is missing/,
  },
  {
    name: 'no subject for a token',
    source: '{type: token-env, variable: T}',
    options: { oidcProvider: 'issuer.example' },
    message: /^"--principal" is missing: it names the subject/,
  },
  {
    name: 'rules for every repository',
    source: '{type: github-actions}',
    options: {},
    rules: '- allow: {branch: main}',
    message: /would trust every repository of GitHub$/,
  },
  {
    name: 'another provider',
    source: PROFILE,
    options: { awsRole: 'local' },
    message: /^capability "local" is for provider local-issuer and needs no IAM role$/,
  },
  {
    name: 'an unknown capability',
    source: PROFILE,
    options: { awsRole: 'deplyo' },
    message: /"deplyo"/,
    code: 'ERR_CAPABILITY_UNKNOWN',
  },
];
test.each(refused)('refuses $name', async ({ source, options, rules, message, code = 'ERR_USAGE' }) => {
  const error = await errorOf(() => runInit(mapWith(source, '', rules), { awsRole: 'deploy', ...options }));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
});

test('options that belong to it alone are refused without it', async () => {
  expect(await errorOf(() => runInit(tempDir(), { principal: USER }))).toMatchObject({ code: 'ERR_USAGE' });
});

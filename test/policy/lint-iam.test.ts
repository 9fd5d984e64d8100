/** Scope of AWS against what AWS publishes. The file that is read is the one that the build made. */
import { describe, expect, it } from 'vitest';
import { ESCALATING_NAMES } from '../../src/policy/lint/escalation.ts';
import { iamActionsFrom } from '../../src/policy/lint/iam-actions.ts';
import { aws, codesOf, findingsOf, good, iamActions } from './lint-from.ts';

const bucket = 'arn:aws:s3:::a/*';
const scope = (actions: readonly string[], resource = bucket, more: object = {}) => ({
  ...aws,
  scope: [{ actions, resources: [resource], ...more }],
  rules: [good],
});

describe('the reference', () => {
  it('says when it was made, and holds every service', () => {
    const iam = iamActions();
    expect(iam.date).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(iam.services.length).toBeGreaterThan(400);
    expect(iam.matching('*').length).toBeGreaterThan(20_000);
  });

  it.each<[string, string, string, boolean]>([
    ['s3:GetObject', 's3:GetObject', 'read', true],
    ['s3:putobject', 's3:PutObject', 'write', true],
    ['s3:ListAllMyBuckets', 's3:ListAllMyBuckets', 'list', false],
    ['s3:PutBucketPolicy', 's3:PutBucketPolicy', 'permissions', true],
    ['s3:PutObjectTagging', 's3:PutObjectTagging', 'tagging', true],
  ])('%s', (asked, name, level, takesResource) => {
    expect(iamActions().matching(asked)).toEqual([{ name, service: 's3', level, takesResource }]);
  });

  it('knows the wildcards of IAM', () => {
    const { matching } = iamActionsFrom({
      date: '2026-01-01',
      services: { s3: { read: ['GetObject', 'GetObjectAcl'], write_any: ['Abort'] } },
    });
    const names = (action: string) => matching(action).map(({ name }) => name);
    expect(names('s3:Get*')).toEqual(['s3:GetObject', 's3:GetObjectAcl']);
    expect(names('s3:*acl')).toEqual(['s3:GetObjectAcl']);
    expect(names('s3:*t*t*')).toEqual(['s3:GetObject', 's3:GetObjectAcl']);
    expect(names('s3:?bor?')).toEqual(['s3:Abort']);
    expect(names('s3:GetObject?')).toEqual([]);
    expect(names('s3:*')).toHaveLength(3);
    expect(names('*')).toHaveLength(3);
    expect(names('ec2:*')).toEqual([]);
    expect(names('constructor:*')).toEqual([]);
  });

  it('holds every action of the escalation table', () => {
    const missing = ESCALATING_NAMES.filter((name) => iamActions().matching(name)[0]?.name !== name);
    expect(missing).toEqual([]);
  });
});

describe('scope', () => {
  it.each<[string, object, string[]]>([
    ['a mistyped action', scope(['s3:GetObjct']), ['warning iam_action_unknown scope[0].actions[0]']],
    [
      'a wildcard that matches nothing',
      scope(['s3:Fetch*']),
      ['warning iam_action_unknown scope[0].actions[0]'],
    ],
    ['a wildcard that matches', scope(['s3:GetObj*']), []],
    ['a mistyped service', scope(['s4:GetObject']), ['warning iam_service_unknown scope[0].actions[0]']],
    [
      'writes on anything',
      scope(['s3:GetObject', 's3:PutObject'], '*', { broad: 'allow' }),
      ['warning broad scope[0]', 'warning iam_write_any scope[0].resources[0]'],
    ],
    [
      'writes on anything of a service',
      scope(['s3:DeleteObject'], 'arn:aws:s3:::*', { broad: 'allow' }),
      ['warning broad scope[0]', 'warning iam_write_any scope[0].resources[0]'],
    ],
    [
      'a write whose name reads',
      scope(['redshift:GetClusterCredentials'], '*'),
      ['warning iam_write_any scope[0].resources[0]'],
    ],
    ['reads on anything', scope(['cloudwatch:GetMetricData', 'cloudwatch:ListMetrics'], '*'), []],
    [
      'a write that takes no resource',
      scope(['cloudwatch:PutAnomalyDetector'], '*', { broad: 'allow' }),
      ['note iam_write_account scope[0].resources[0]', 'warning broad scope[0]'],
    ],
    [
      'a role that is passed on',
      scope(['iam:PassRole'], 'arn:aws:iam::123456789012:role/x'),
      ['warning iam_escalation scope[0].actions[0]'],
    ],
    [
      'permissions that are changed',
      scope(['s3:PutObject', 's3:PutBucketPolicy']),
      ['warning iam_escalation scope[0].actions[1]'],
    ],
    ['another role', scope(['sts:Assume*'], bucket), ['warning iam_escalation scope[0].actions[0]']],
  ])('%s', (_, capability, expected) => {
    expect(codesOf(capability)).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ['s3:GetObjct', '"s3:GetObjct" is no action of s3 (as of DATE)', 'did you mean "s3:GetObject"?'],
    [
      's3:RotateSecret',
      '"s3:RotateSecret" is no action of s3 (as of DATE)',
      'did you mean "secretsmanager:RotateSecret"?',
    ],
    ['s3:Fetch*', '"s3:Fetch*" matches no action of s3 (as of DATE)', 'write an action that there is'],
    ['dynamobd:GetItem', '"dynamobd" is no service prefix of IAM (as of DATE)', 'did you mean "dynamodb"?'],
  ])('helps with %s', (action, message, fix) => {
    const [finding] = findingsOf(scope([action]));
    expect(finding?.message.replace(iamActions().date, 'DATE')).toBe(message);
    expect(finding?.fix).toBe(fix);
  });

  it('names what escalates, and how', () => {
    const [finding] = findingsOf(scope(['sts:Assume*']));
    expect(finding?.message).toBe('"sts:AssumeRole" of x leads beyond its scope');
    expect(finding?.why).toBe(
      'it becomes another role, as sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity, sts:AssumeRoot do',
    );
  });
});

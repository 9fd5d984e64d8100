/**
 * How CloudTrail records what an action does. Management events are always recorded; data events where a trail was told
 * to, and never by LookupEvents. Of services that aren't listed it isn't known here, and nothing is assumed.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
 */
import type { IamAction } from '../../policy/lint/iam-actions.ts';

/** `no_call`: a permission that is asked for within other calls. */
export type Recording = 'management' | 'data' | 'unknown' | 'no_call';

export function recordingOf({ service, name }: Pick<IamAction, 'service' | 'name'>): Recording {
  if (NO_CALLS.has(name)) return 'no_call';
  if (MANAGEMENT_ALONE.has(service)) return 'management';
  const action = name.slice(service.length + 1);
  const { management, data } = MIXED[service] ?? {};
  if (management?.test(action)) return 'management';
  return data?.test(action) ? 'data' : 'unknown';
}

const NO_CALLS = new Set(['iam:PassRole', 'sts:SetContext', 'sts:SetSourceIdentity', 'sts:TagSession']);

/** Services without data events. */
const MANAGEMENT_ALONE = new Set([
  'acm',
  'autoscaling',
  'cloudformation',
  'cloudfront',
  'ec2',
  'ecr',
  'elasticloadbalancing',
  'iam',
  'kms',
  'organizations',
  'rds',
  'route53',
  'secretsmanager',
  'sts',
]);

const MIXED: Readonly<Record<string, { readonly management: RegExp; readonly data: RegExp }>> = Object.assign(
  Object.create(null),
  {
    dynamodb: {
      management:
        /^(?:Create|Delete|Describe|Update|List|Restore|Export|Import)(?:Table|Global|Backup|Continuous|Contributor|Export|Import|Limits|Endpoints|TimeToLive|Kinesis|Tags)/,
      data: /^(?:Batch(?:Get|Write)Item|(?:Get|Put|Update|Delete)Item|ConditionCheckItem|Query|Scan|PartiQL\w+|DescribeStream|ListStreams|GetRecords|GetShardIterator)$/,
    },
    lambda: {
      management:
        /^(?:Create|Delete|Update|Get|List|Put|Publish|Add|Remove)(?:Function|Alias|Layer|Version|EventSource|CodeSigning|Account|Provisioned|Permission|Policy|Tags)/,
      data: /^Invoke/,
    },
    // What works on objects is data, and so is the look into a bucket.
    s3: {
      management:
        /^(?!ListBucket(?:$|Versions|Multipart))(?:Create|Get|Put|Delete|Update|List|Describe)(?:Bucket|Account|AllMyBuckets|Encryption|Lifecycle|Replication|Inventory|Metrics|Analytics|IntelligentTiering|Accelerate|AccessPoint|AccessGrant|Job|MultiRegion|StorageLens)/,
      data: /Object|Multipart|^ListBucket/,
    },
    sns: { management: /^(?:Create|Delete|Set|Get|List|Subscribe|Unsubscribe)/, data: /^Publish/ },
    // What only looks at a queue is data here, too.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/logging-using-cloudtrail.html
    sqs: {
      management:
        /^(?:(?:Create|Delete|Purge|Tag|Untag)Queue|SetQueueAttributes|(?:Add|Remove)Permission|(?:Start|Cancel)MessageMoveTask|ListMessageMoveTasks)$/,
      data: /./,
    },
  },
);

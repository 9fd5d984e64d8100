/**
 * Which IAM action an event took. CloudTrail names operations, IAM names actions, and the two differ here and there; what
 * isn't in the published reference of actions, or known to differ, is not told rather than guessed.
 */
import type { IamAction, IamActions } from '../../policy/lint/iam-actions.ts';
import type { TrailEvent } from './event.ts';

/**
 * `any`: one of these was needed, and which can't be told where there are several. `also`: of these, one more may have
 * been. `free`: AWS asks no permission for it. `unknown`: not told.
 */
export type ActionOf =
  | { readonly kind: 'action'; readonly any: readonly IamAction[]; readonly also: readonly IamAction[] }
  | { readonly kind: 'free' | 'unknown' };

export function actionOf(event: TrailEvent, iam: IamActions): ActionOf {
  const services = servicesOf(event);
  const names = namesOf(services[0] ?? '', event);
  if (names.some((name) => FREE.has(`${services[0]}:${name}`))) return { kind: 'free' };
  const actions = (all: readonly string[]) =>
    all.flatMap((name) => services.flatMap((service) => iam.called(name, service)));
  const any = actions(names);
  if (any.length === 0) return { kind: 'unknown' };
  return { kind: 'action', any, also: actions(ALSO[`${services[0]}:${event.name}`] ?? []) };
}

/** The prefixes that an event's action can have, from the source of the event. */
function servicesOf({ source, service }: TrailEvent): readonly string[] {
  const host = source.replace(/\.amazonaws\.com(?:\.cn)?$/, '');
  if (host !== 'autoscaling') return [PREFIXES[host] ?? host];
  return SCALING.includes(service) ? [service] : SCALING;
}

/**
 * Three services share one source, and names too. The event says which it was, where it isn't Amazon EC2's.
 * https://docs.aws.amazon.com/autoscaling/application/userguide/logging-using-cloudtrail.html
 */
const SCALING = ['autoscaling', 'application-autoscaling', 'autoscaling-plans'];

/** The source of the events of a service's actions. */
export function sourceOf(service: string): string {
  const host = Object.entries(PREFIXES).find(([, prefix]) => prefix === service)?.[0] ?? service;
  return `${host}.amazonaws.com`;
}

const PREFIXES: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  monitoring: 'cloudwatch',
  email: 'ses',
  tagging: 'tag',
});

function namesOf(service: string, { name, versioned }: TrailEvent): readonly string[] {
  // Lambda and CloudFront put the version of their API behind some names: CreateFunction20150331, Foo2020_05_31.
  const plain = name.replace(/(?:\d{8}(?:v\d+)?|_?\d{4}_\d\d_\d\d)$/, '');
  const known = DIFFERENT[`${service}:${plain}`] ?? [plain];
  return service === 's3' && versioned ? known.map((each) => VERSIONED[each] ?? each) : known;
}

/** Permissions of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  'cloudfront:CreateDistributionWithTags': ['CreateDistribution'],
  'kms:ReEncrypt': ['ReEncryptFrom', 'ReEncryptTo'],
  'lambda:Invoke': ['InvokeFunction'],
  's3:HeadBucket': ['ListBucket'],
  's3:ListObjects': ['ListBucket'],
  's3:ListObjectsV2': ['ListBucket'],
  's3:ListObjectVersions': ['ListBucketVersions'],
  's3:ListBuckets': ['ListAllMyBuckets'],
  's3:ListMultipartUploads': ['ListBucketMultipartUploads'],
  's3:ListParts': ['ListMultipartUploadParts'],
  's3:HeadObject': ['GetObject'],
  's3:CopyObject': ['PutObject'],
  's3:PostObject': ['PutObject'],
  's3:CreateMultipartUpload': ['PutObject'],
  's3:UploadPart': ['PutObject'],
  's3:UploadPartCopy': ['PutObject'],
  's3:CompleteMultipartUpload': ['PutObject'],
  // Its body, which no event has, says for each object whether a version is meant.
  's3:DeleteObjects': ['DeleteObject', 'DeleteObjectVersion'],
  'sns:PublishBatch': ['Publish'],
  'sqs:ChangeMessageVisibilityBatch': ['ChangeMessageVisibility'],
  'sqs:DeleteMessageBatch': ['DeleteMessage'],
  'sqs:SendMessageBatch': ['SendMessage'],
});

/** What a copy reads is in no event of its own. */
const ALSO: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  's3:CopyObject': ['GetObject', 'GetObjectVersion'],
  's3:UploadPartCopy': ['GetObject', 'GetObjectVersion'],
});

const VERSIONED: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  GetObject: 'GetObjectVersion',
  DeleteObject: 'DeleteObjectVersion',
  GetObjectAcl: 'GetObjectVersionAcl',
  PutObjectAcl: 'PutObjectVersionAcl',
  GetObjectAttributes: 'GetObjectVersionAttributes',
  GetObjectTagging: 'GetObjectVersionTagging',
  PutObjectTagging: 'PutObjectVersionTagging',
  DeleteObjectTagging: 'DeleteObjectVersionTagging',
  GetObjectTorrent: 'GetObjectVersionTorrent',
});

/** Answered to whoever holds any valid key. */
const FREE = new Set(['sts:GetCallerIdentity', 'sts:GetSessionToken']);

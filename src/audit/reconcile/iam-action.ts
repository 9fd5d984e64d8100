/**
 * Which IAM action an event took. CloudTrail names operations, IAM names actions, and the two differ here and there; what
 * isn't in the published reference of actions, or known to differ, is not told rather than guessed.
 */
import type { IamAction, IamActions } from '../../policy/lint/iam-actions.ts';
import type { TrailEvent } from './event.ts';

/** `free`: AWS asks no permission for it. `unknown`: not told. */
export type ActionOf =
  | { readonly kind: 'action'; readonly action: IamAction }
  | { readonly kind: 'free' | 'unknown' };

export function actionOf(event: TrailEvent, iam: IamActions): ActionOf {
  const service = serviceOf(event.source);
  const name = nameOf(service, event);
  if (FREE.has(`${service}:${name}`)) return { kind: 'free' };
  const action = iam.called(name).find((it) => it.service === service);
  return action === undefined ? { kind: 'unknown' } : { kind: 'action', action };
}

/** The prefix of a service's actions, from the source of its events. */
function serviceOf(source: string): string {
  const host = source.replace(/\.amazonaws\.com(?:\.cn)?$/, '');
  return PREFIXES[host] ?? host;
}

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

function nameOf(service: string, { name, versioned }: TrailEvent): string {
  // Lambda and CloudFront put the version of their API behind some names: CreateFunction20150331, Foo2020_05_31.
  const plain = name.replace(/(?:\d{8}(?:v\d+)?|_?\d{4}_\d\d_\d\d)$/, '');
  const known = DIFFERENT[`${service}:${plain}`] ?? plain;
  return service === 's3' && versioned && VERSIONED.has(known) ? `${known}Version` : known;
}

/** Permissions of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
const DIFFERENT: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  's3:HeadBucket': 'ListBucket',
  's3:ListObjects': 'ListBucket',
  's3:ListObjectsV2': 'ListBucket',
  's3:ListObjectVersions': 'ListBucketVersions',
  's3:ListBuckets': 'ListAllMyBuckets',
  's3:ListMultipartUploads': 'ListBucketMultipartUploads',
  's3:ListParts': 'ListMultipartUploadParts',
  's3:HeadObject': 'GetObject',
  's3:CopyObject': 'PutObject',
  's3:PostObject': 'PutObject',
  's3:CreateMultipartUpload': 'PutObject',
  's3:UploadPart': 'PutObject',
  's3:UploadPartCopy': 'PutObject',
  's3:CompleteMultipartUpload': 'PutObject',
  's3:DeleteObjects': 'DeleteObject',
  'lambda:Invoke': 'InvokeFunction',
});

const VERSIONED = new Set(['GetObject', 'DeleteObject', 'GetObjectAcl', 'PutObjectAcl', 'GetObjectTagging']);

/** Answered to whoever holds any valid key. */
const FREE = new Set(['sts:GetCallerIdentity', 'sts:GetSessionToken']);

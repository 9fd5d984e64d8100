/** S3, path style: put, get, head, list, delete. Each call is authorised by the policies in force at that moment. */
import { createHash } from 'node:crypto';
import { accessDeniedMessage, evaluate } from './authorize.ts';
import { contextOf } from './context.ts';
import { readUpload } from './s3-body.ts';
import { listObjects } from './s3-list.ts';
import type { Credential, State, StoredObject } from './state.ts';
import { type Call, queryValue, Refusal, type Reply } from './wire.ts';

export interface S3Target {
  readonly operation: string;
  readonly bucket: string;
  /** Decoded; empty for an operation on the bucket. */
  readonly key: string;
}

/** IAM action of each operation, and the query parameters that the sandbox understands for it. */
const OPERATIONS: Readonly<Record<string, { action: string; query: readonly string[] }>> = {
  PutObject: { action: 's3:PutObject', query: [] },
  GetObject: { action: 's3:GetObject', query: [] },
  HeadObject: { action: 's3:GetObject', query: [] },
  DeleteObject: { action: 's3:DeleteObject', query: [] },
  ListObjectsV2: {
    action: 's3:ListBucket',
    query: [
      'list-type',
      'prefix',
      'delimiter',
      'max-keys',
      'start-after',
      'continuation-token',
      'encoding-type',
      'fetch-owner',
    ],
  },
};

const BY_METHOD: Readonly<Record<string, string>> = {
  PUT: 'PutObject',
  GET: 'GetObject',
  HEAD: 'HeadObject',
  DELETE: 'DeleteObject',
};

/** Which operation on which object a call asks for; `operation` is empty for one that the sandbox does not have. */
export function s3Target(call: Call): S3Target {
  const [, bucket = '', ...rest] = call.path.split('/');
  const key = decodeURIComponent(rest.join('/'));
  const list = call.method === 'GET' && key === '' && queryValue(call, 'list-type') === '2';
  const operation = list ? 'ListObjectsV2' : key === '' ? '' : (BY_METHOD[call.method] ?? '');
  return { operation, bucket, key };
}

/** Answers a signed call. Throws Refusal. */
export function handleS3(call: Call, caller: Credential, region: string, state: State): Reply {
  const target = s3Target(call);
  const { operation, bucket: name, key } = target;
  const known = OPERATIONS[operation];
  // `x-id` is the SDK's remark on what it thinks it calls; S3 ignores it.
  const strange = call.query.find(([parameter]) => parameter !== 'x-id' && !known?.query.includes(parameter));
  if (known === undefined || strange !== undefined) {
    throw new Refusal(
      501,
      'NotImplemented',
      `The sandbox does not have this operation${strange ? ` (${strange[0]})` : ''}.`,
    );
  }
  refuseUnknownHeaders(call);
  if (region !== state.region) {
    throw new Refusal(
      400,
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${state.region}'`,
      { Region: state.region },
    );
  }
  const bucket = state.buckets.get(name);
  if (bucket === undefined) {
    throw new Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: name });
  }
  authorize(known.action, target, call, caller, state);
  switch (operation) {
    case 'PutObject':
      return putObject(call, key, bucket, state);
    case 'DeleteObject':
      bucket.delete(key);
      return { status: 204, headers: {}, body: '' };
    case 'ListObjectsV2':
      return listObjects(call, name, bucket);
    default:
      return getObject(call, target, bucket, caller, state);
  }
}

/** Throws AccessDenied unless the caller's identity policy and its session policy both allow the action now. */
function authorize(action: string, target: S3Target, call: Call, caller: Credential, state: State): void {
  const onBucket = action === 's3:ListBucket';
  const request = {
    action,
    resource: `arn:aws:s3:::${target.bucket}${onBucket ? '' : `/${target.key}`}`,
    context: contextOf(caller, state, {
      'aws:requestedregion': state.region,
      ...(onBucket
        ? { 's3:prefix': queryValue(call, 'prefix'), 's3:delimiter': queryValue(call, 'delimiter') }
        : {}),
    }),
  };
  const { principal } = caller;
  const verdict = evaluate(principal.owner.policy, principal.sessionPolicy, request);
  if (!verdict.allowed) {
    throw new Refusal(403, 'AccessDenied', accessDeniedMessage(principal.arn, request, verdict));
  }
}

const KEPT_HEADERS = ['content-type', 'cache-control', 'content-disposition', 'content-language', 'expires'];

function putObject(call: Call, key: string, bucket: Map<string, StoredObject>, state: State): Reply {
  if (Buffer.byteLength(key) > 1024) throw new Refusal(400, 'KeyTooLongError', 'Your key is too long');
  if (call.headers['if-none-match'] === '*' && bucket.has(key)) throw preconditionFailed('If-None-Match');
  const { body, checksums } = readUpload(call);
  const encoding = (call.headers['content-encoding'] ?? '')
    .split(/, */)
    .filter((one) => one !== 'aws-chunked' && one !== '')
    .join(', ');
  const kept = Object.entries(call.headers).filter(
    ([name]) => KEPT_HEADERS.includes(name) || name.startsWith('x-amz-meta-'),
  );
  const etag = `"${createHash('md5').update(body).digest('hex')}"`;
  bucket.set(key, {
    body,
    etag,
    lastModified: state.now(),
    headers: {
      'content-type': 'binary/octet-stream',
      ...Object.fromEntries(kept),
      ...(encoding === '' ? {} : { 'content-encoding': encoding }),
      ...checksums,
    },
  });
  return { status: 200, headers: { etag, ...checksums }, body: '' };
}

function getObject(
  call: Call,
  target: S3Target,
  bucket: ReadonlyMap<string, StoredObject>,
  caller: Credential,
  state: State,
): Reply {
  const object = bucket.get(target.key);
  if (object === undefined) {
    // Whoever may not list the bucket isn't told that a key doesn't exist.
    authorize('s3:ListBucket', target, call, caller, state);
    throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.', { Key: target.key });
  }
  const expected = call.headers['if-match'];
  if (expected !== undefined && expected !== object.etag) throw preconditionFailed('If-Match');
  const wantsChecksum = call.headers['x-amz-checksum-mode'] === 'ENABLED';
  const headers = Object.entries(object.headers).filter(
    ([name]) => wantsChecksum || !name.startsWith('x-amz-checksum-'),
  );
  return {
    status: 200,
    headers: {
      ...Object.fromEntries(headers),
      etag: object.etag,
      'last-modified': object.lastModified.toUTCString(),
      'accept-ranges': 'bytes',
    },
    body: object.body,
  };
}

const UNDERSTOOD =
  /^x-amz-(?:date|content-sha256|security-token|user-agent|checksum-.*|sdk-checksum-algorithm|trailer|decoded-content-length|meta-.*)$/;

/** A header that asks for something the sandbox doesn't do (an ACL, encryption, a range) is refused, never ignored. */
function refuseUnknownHeaders(call: Call): void {
  const strange = Object.keys(call.headers).find(
    (name) =>
      (name.startsWith('x-amz-') && !UNDERSTOOD.test(name)) ||
      ['range', 'if-modified-since', 'if-unmodified-since'].includes(name) ||
      (name === 'if-none-match' && !(call.method === 'PUT' && call.headers[name] === '*')) ||
      (name === 'if-match' && call.method !== 'GET' && call.method !== 'HEAD'),
  );
  if (strange === undefined) return;
  const message = 'A header you provided implies functionality that is not implemented';
  throw new Refusal(501, 'NotImplemented', message, { Header: strange });
}

function preconditionFailed(condition: string): Refusal {
  const message = 'At least one of the pre-conditions you specified did not hold';
  return new Refusal(412, 'PreconditionFailed', message, { Condition: condition });
}

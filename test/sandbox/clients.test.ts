/** The official clients against the sandbox: what a child of capwrap uses. */
import { Readable } from 'node:stream';
import {
  CloudFrontClient,
  CreateInvalidationCommand,
  GetInvalidationCommand,
} from '@aws-sdk/client-cloudfront';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PREVIEW_DEPLOYER } from '../../examples/sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { Credential } from '../../examples/sandbox/state.ts';
import { EXAMPLE_SCOPE, lease } from './leases.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

function options({ accessKeyId, secretAccessKey, sessionToken }: Credential) {
  const token = sessionToken === null ? {} : { sessionToken };
  const credentials = { accessKeyId, secretAccessKey, ...token };
  return { region: 'us-east-1', endpoint: sandbox.url, maxAttempts: 1, credentials };
}

describe('client-sts', () => {
  test('assumes a role with everything that it can ask for', async () => {
    const client = new STSClient(options(sandbox.credentials.base));
    const answer = await client.send(
      new AssumeRoleCommand({
        RoleArn: PREVIEW_DEPLOYER,
        RoleSessionName: 'agent-1',
        DurationSeconds: 900,
        Policy: JSON.stringify({ Version: '2012-10-17', Statement: EXAMPLE_SCOPE }),
        Tags: [{ Key: 'task id', Value: 'T-1 + more' }],
        TransitiveTagKeys: ['task id'],
        SourceIdentity: 'workstation-user',
        ExternalId: 'acme',
      }),
    );
    expect(answer.AssumedRoleUser?.Arn).toMatch(/assumed-role\/preview-deployer\/agent-1$/);
    expect(answer.Credentials?.Expiration?.getTime()).toBeGreaterThan(Date.now() + 890_000);
    expect(answer.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(sandbox.issuedSessions.at(-1)?.principal.tags).toEqual({ 'task id': 'T-1 + more' });
  });

  test('reads a refusal', async () => {
    const client = new STSClient(options(sandbox.credentials.base));
    const refused = client.send(
      new AssumeRoleCommand({ RoleArn: PREVIEW_DEPLOYER, RoleSessionName: 'agent-1', DurationSeconds: 7200 }),
    );
    await expect(refused).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      $metadata: { httpStatusCode: 400, attempts: 1 },
    });
  });

  test('corrects its clock by the Date of a refusal', async () => {
    const client = new STSClient({ ...options(sandbox.credentials.base), maxAttempts: 2 });
    sandbox.clockOffset = 1200;
    try {
      const answer = await client.send(new GetCallerIdentityCommand({}));
      expect(answer.Account).toBe('123456789012');
      expect(answer.$metadata.attempts).toBe(2);
    } finally {
      sandbox.clockOffset = 0;
    }
  });
});

const KEYS = ['index.html', "a b+c/~*'()!$&@=;:,.txt", 'é/ü.txt', 'a//b', 'percent%20', 'a?b#c'];

describe('client-s3', () => {
  test.each(KEYS)('stores and reads %s', async (Key) => {
    const client = new S3Client(options(await lease(sandbox, null)));
    const target = { Bucket: 'acme-previews', Key };
    await client.send(new PutObjectCommand({ ...target, Body: 'hello', Metadata: { build: '7' } }));
    expect(sandbox.objects().get(`acme-previews/${Key}`)?.body.toString()).toBe('hello');
    const found = await client.send(new GetObjectCommand(target));
    expect(await found.Body?.transformToString()).toBe('hello');
    expect(found.ChecksumCRC32).toBe('NhCmhg==');
    expect((await client.send(new HeadObjectCommand(target))).Metadata).toEqual({ build: '7' });
    const listed = await client.send(new ListObjectsV2Command({ Bucket: 'acme-previews', Prefix: Key }));
    expect(listed.Contents?.map((one) => one.Key)).toContain(Key);
    await client.send(new DeleteObjectCommand(target));
    await expect(client.send(new HeadObjectCommand(target))).rejects.toMatchObject({ name: 'NotFound' });
    await expect(client.send(new GetObjectCommand(target))).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('uploads a stream, in chunks with a trailer', async () => {
    const client = new S3Client(options(await lease(sandbox, EXAMPLE_SCOPE)));
    const body = Buffer.alloc(300_000, 'stream ');
    const Body = Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]);
    const target = { Bucket: 'acme-previews', Key: 'stream' };
    await client.send(new PutObjectCommand({ ...target, Body, ContentLength: body.length }));
    expect(sandbox.objects().get('acme-previews/stream')?.body.equals(body)).toBe(true);
  });

  test('reads the reason of a refusal', async () => {
    const client = new S3Client(options(await lease(sandbox, EXAMPLE_SCOPE)));
    const refused = client.send(new PutObjectCommand({ Bucket: 'acme-production', Key: 'x', Body: 'x' }));
    await expect(refused).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('because no session policy allows the s3:PutObject action'),
    });
  });
});

test('client-cloudfront invalidates what its lease names, and nothing else', async () => {
  const client = new CloudFrontClient(options(await lease(sandbox, EXAMPLE_SCOPE)));
  const batch = { CallerReference: 'a & b', Paths: { Quantity: 2, Items: ['/index.html', '/assets/*'] } };
  const create = (DistributionId: string) =>
    client.send(new CreateInvalidationCommand({ DistributionId, InvalidationBatch: batch }));
  const { Invalidation } = await create('E1EXAMPLE');
  expect(Invalidation).toMatchObject({ Status: 'InProgress', InvalidationBatch: batch });
  expect(sandbox.invalidations.at(-1)?.callerReference).toBe('a & b');
  await expect(create('E2OTHER')).rejects.toMatchObject({ name: 'AccessDenied' });

  const reader = new CloudFrontClient(options(await lease(sandbox, null)));
  const read = new GetInvalidationCommand({ DistributionId: 'E1EXAMPLE', Id: Invalidation?.Id });
  expect((await reader.send(read)).Invalidation).toMatchObject({
    Status: 'Completed',
    InvalidationBatch: batch,
  });
});

/** The official clients against the sandbox: what a child of capwrap does. */
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
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { expect, test } from 'vitest';
import { PREVIEW_DEPLOYER } from '../../examples/sandbox/accounts.ts';
import { startSandbox } from '../../examples/sandbox/server.ts';

test('hi', async () => {
  const sb = await startSandbox();
  const cfg = (c: any) => ({ region: 'us-east-1', endpoint: sb.url, maxAttempts: 1, credentials: c });
  const sts = new STSClient(cfg(sb.credentials.base));
  console.log(await sts.send(new GetCallerIdentityCommand({})));
  const r = await sts.send(
    new AssumeRoleCommand({
      RoleArn: PREVIEW_DEPLOYER,
      RoleSessionName: 'agent-1',
      DurationSeconds: 900,
      Tags: [{ Key: 'a', Value: 'b c' }],
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['s3:PutObject', 's3:GetObject', 's3:ListBucket'],
            Resource: ['arn:aws:s3:::acme-previews', 'arn:aws:s3:::acme-previews/*'],
          },
          {
            Effect: 'Allow',
            Action: 'cloudfront:*',
            Resource: 'arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE',
          },
        ],
      }),
    }),
  );
  console.log(r);
  const c = {
    accessKeyId: r.Credentials!.AccessKeyId!,
    secretAccessKey: r.Credentials!.SecretAccessKey!,
    sessionToken: r.Credentials!.SessionToken!,
  };
  const s3 = new S3Client(cfg(c));
  console.log(
    await s3.send(
      new PutObjectCommand({
        Bucket: 'acme-previews',
        Key: "feat-x/a b+~*'()!é.html",
        Body: 'hello',
        ContentType: 'text/html',
        Metadata: { x: 'y' },
      }),
    ),
  );
  console.log(
    await s3
      .send(
        new PutObjectCommand({
          Bucket: 'acme-previews',
          Key: 'stream',
          Body: Readable.from([Buffer.from('hello '), Buffer.from('world')]),
          ContentLength: 11,
        }),
      )
      .catch((e) => e),
  );
  console.log(await s3.send(new HeadObjectCommand({ Bucket: 'acme-previews', Key: 'stream' })));
  console.log(
    await (
      await s3.send(new GetObjectCommand({ Bucket: 'acme-previews', Key: 'stream' }))
    ).Body!.transformToString(),
  );
  console.log(await s3.send(new ListObjectsV2Command({ Bucket: 'acme-previews', Delimiter: '/' })));
  console.log(
    await s3
      .send(new DeleteObjectCommand({ Bucket: 'acme-previews', Key: 'stream' }))
      .catch((e) => e.message),
  );
  console.log(
    await s3
      .send(new PutObjectCommand({ Bucket: 'acme-production', Key: 'stream', Body: 'x' }))
      .catch((e) => e.message),
  );
  const cf = new CloudFrontClient(cfg(c));
  const i = await cf.send(
    new CreateInvalidationCommand({
      DistributionId: 'E1EXAMPLE',
      InvalidationBatch: { CallerReference: 'a&b', Paths: { Quantity: 2, Items: ['/a*', '/b'] } },
    }),
  );
  console.log(
    i,
    (await cf.send(new GetInvalidationCommand({ DistributionId: 'E1EXAMPLE', Id: i.Invalidation!.Id! })))
      .Invalidation,
  );
  console.log(
    await cf
      .send(
        new CreateInvalidationCommand({
          DistributionId: 'E2',
          InvalidationBatch: { CallerReference: 'a', Paths: { Quantity: 2, Items: ['/a*', '/b'] } },
        }),
      )
      .catch((e) => [e.name, e.message]),
  );
  console.log(sb.requests);
  await sb.stop();
});

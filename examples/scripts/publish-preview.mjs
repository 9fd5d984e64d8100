// The upload itself, with the official clients. They find the lease's keys in the environment and nothing else.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudFrontClient, CreateInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const bucket = process.env.PREVIEW_BUCKET ?? 'acme-previews';
const prefix = process.argv[2] ?? process.env.SITE ?? 'preview';
const folder = process.env.SITE_DIR ?? 'site';

const s3 = new S3Client({});
for (const name of await readdir(folder)) {
  const key = `${prefix}/${name}`;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await readFile(join(folder, name)) }));
  console.log(`uploaded s3://${bucket}/${key}`);
}

const cloudfront = new CloudFrontClient({});
const { Invalidation } = await cloudfront.send(
  new CreateInvalidationCommand({
    DistributionId: process.env.DISTRIBUTION_ID ?? 'E1EXAMPLE',
    InvalidationBatch: {
      CallerReference: process.env.CAPWRAP_LEASE_ID,
      Paths: { Quantity: 1, Items: [encodeURI(`/${prefix}/*`)] },
    },
  }),
);
console.log(`invalidation ${Invalidation.Id} of /${prefix}/*`);

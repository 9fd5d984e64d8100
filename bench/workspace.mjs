// A folder with a git work tree, a trusted map, the issuer's key, and a sandbox STS: what a run needs, and no more but the
// capabilities in `more`.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../build/sandbox-server.js';

export const CAPWRAP = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'capwrap.js');

export async function setUpWorkspace(folder, PATH, more = '') {
  const sandbox = await startSandbox();
  const roleArn = 'arn:aws:iam::123456789012:role/preview-deployer';
  const env = { PATH, HOME: folder };
  for (const name of ['objects', 'refs']) await mkdir(join(folder, '.git', name), { recursive: true });
  await writeFile(join(folder, '.git', 'HEAD'), 'ref: refs/heads/feat/bench\n');
  await writeFile(
    join(folder, '.git', 'config'),
    '[remote "origin"]\n\turl = https://git.example/acme/web-app.git\n',
  );
  const configFile = join(folder, 'aws-config');
  const credentialsFile = join(folder, 'aws-credentials');
  await writeFile(configFile, '[profile agent-base]\nregion = us-east-1\n', { mode: 0o600 });
  const { accessKeyId, secretAccessKey } = sandbox.credentials.longLived;
  await writeFile(
    credentialsFile,
    `[agent-base]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    { mode: 0o600 },
  );
  const mapFile = join(folder, 'capabilities.yaml');
  await writeFile(
    mapFile,
    `version: 1
capabilities:
  bench-local:
    provider: local-issuer
    audience: bench
    scope: ["bench:read"]
    rules: [{allow: {repo: acme/web-app}}]
  bench-sts:
    provider: aws-sts
    role_arn: ${roleArn}
    region: us-east-1
    endpoint: ${sandbox.url}
    source: {type: profile, profile: agent-base, config_file: ${configFile}, credentials_file: ${credentialsFile}, long_lived: allow}
    scope: [{actions: [s3:PutObject], resources: ["arn:aws:s3:::acme-previews/*"]}]
    rules: [{allow: {repo: acme/web-app}}]
${more}`,
  );
  const digest = createHash('sha256')
    .update(execFileSync('cat', [mapFile]))
    .digest('hex');
  const capwrap = (...args) => execFileSync(CAPWRAP, args, { cwd: folder, env, stdio: 'pipe' });
  capwrap('trust', '--sha256', digest, mapFile);
  capwrap('issuer', 'init');
  const awsEnv = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1',
  };
  return { sandbox, env, awsEnv, mapFile, roleArn };
}

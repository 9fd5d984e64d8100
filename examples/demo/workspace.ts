/** The demo's world: a folder with a git work tree, a map, scripts, a sandbox instead of AWS, and an artifact proxy. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { writeConfigFiles } from '../sandbox/config-files.ts';
import { type Sandbox, startSandbox } from '../sandbox/server.ts';

/** Secrets of the shell that capwrap is started from. None may reach a child. */
export const SHELL_SECRETS = {
  GITHUB_TOKEN: 'ghp_0123456789abcdefghijklmnopqrstuvwxyz',
  DATABASE_PASSWORD: 'correct-horse-battery-staple',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

/** The name that the demo's tokens carry as their issuer. */
export const ISSUER = 'https://issuer.acme.test';

export interface CliResult {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Workspace {
  readonly folder: string;
  readonly mapFile: string;
  readonly stateDir: string;
  readonly sandbox: Sandbox;
  /** Runs capwrap in the workspace, from a shell full of secrets. */
  capwrap(...args: readonly string[]): Promise<CliResult>;
  checkOut(branch: string): void;
  /** Starts the issuer's server and the artifact proxy; returns the proxy's URL. */
  startArtifactProxy(): Promise<string>;
  remove(): Promise<void>;
}

/** Builds everything below `root/build`, where the example scripts find the project's packages. */
export async function createWorkspace(root: string): Promise<Workspace> {
  const sandbox = await startSandbox();
  const folder = mkdtempSync(join(root, 'build', 'demo-'));
  const stateDir = join(folder, 'state');
  const services: ChildProcess[] = [];
  const bin = join(root, 'bin', 'capwrap.js');
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    CAPWRAP_HOME: stateDir,
    CAPWRAP_TASK_ID: 'demo',
    ...SHELL_SECRETS,
  };

  const aws = writeConfigFiles(join(folder, 'aws'), sandbox.credentials, 'us-east-1');
  for (const name of ['objects', 'refs']) mkdirSync(join(folder, '.git', name), { recursive: true });
  writeFileSync(
    join(folder, '.git', 'config'),
    '[remote "origin"]\n\turl = git@git.example:acme/web-app.git\n',
  );
  const checkOut = (branch: string) =>
    writeFileSync(join(folder, '.git', 'HEAD'), `ref: refs/heads/${branch}\n`);
  checkOut('feat/demo');
  cpSync(join(root, 'examples', 'scripts'), join(folder, 'scripts'), { recursive: true });
  mkdirSync(join(folder, 'site'));
  writeFileSync(join(folder, 'site', 'index.html'), '<h1>preview</h1>\n');
  script(folder, 'write-elsewhere.sh', 'exec node "$(dirname "$0")/write-elsewhere.mjs"\n');
  writeFileSync(
    join(folder, 'scripts', 'write-elsewhere.mjs'),
    `import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
try {
  await new S3Client({}).send(new PutObjectCommand({ Bucket: 'acme-production', Key: 'index.html', Body: 'defaced' }));
} catch (error) {
  console.error(error.name + ': ' + error.message);
  process.exit(3);
}
`,
  );
  script(folder, 'print-environment.sh', 'env | sort\nprintf %s "$AWS_SESSION_TOKEN" | base64\n');
  const mapFile = join(folder, 'capabilities.yaml');
  writeFileSync(mapFile, mapText(sandbox.url, aws));

  return {
    folder,
    mapFile,
    stateDir,
    sandbox,
    checkOut,
    async capwrap(...args) {
      const result = await execa(bin, args, {
        cwd: folder,
        env,
        extendEnv: false,
        reject: false,
        stdin: 'ignore',
      });
      return { status: result.exitCode, stdout: result.stdout, stderr: result.stderr };
    },
    async startArtifactProxy() {
      const artifacts = join(folder, 'artifacts');
      mkdirSync(artifacts);
      writeFileSync(join(artifacts, 'build.txt'), 'build 42\n');
      const issuer = await service(services, bin, ['issuer', 'serve'], { cwd: folder, env });
      const server = join(root, 'examples', 'artifact-proxy', 'server.mjs');
      const proxy = await service(
        services,
        process.execPath,
        [server, '--issuer', ISSUER, '--issuer-url', issuer, '--root', artifacts],
        { cwd: folder, env: { PATH: env['PATH'] ?? '' } },
      );
      env['ARTIFACTS_URL'] = proxy;
      return proxy;
    },
    async remove() {
      for (const child of services) child.kill();
      await sandbox.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a program that prints its URL, and resolves to that URL. */
function service(
  started: ChildProcess[],
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string> },
): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
    createInterface(child.stdout).on('line', (line) => {
      const url = /https?:\/\/[^\s"]+/.exec(line)?.[0];
      if (url) resolve(url.replace(/\/$/, ''));
    });
  });
}

function script(folder: string, name: string, body: string): void {
  const path = join(folder, 'scripts', name);
  writeFileSync(path, `#!/bin/sh\nset -eu\n${body}`);
  chmodSync(path, 0o755);
}

/** As the project's own map, with the sandbox's address and the credentials that the sandbox knows. */
function mapText(
  endpoint: string,
  aws: { readonly configFile: string; readonly credentialsFile: string },
): string {
  return `version: 1
capabilities:
  publish-preview-build:
    description: Upload a preview build and invalidate the CDN
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/preview-deployer
    region: us-east-1
    endpoint: ${endpoint}
    source: {type: profile, profile: agent-base, config_file: ${aws.configFile}, credentials_file: ${aws.credentialsFile}}
    scope:
      - {actions: [s3:PutObject], resources: ['arn:aws:s3:::acme-previews/*']}
      - {actions: [cloudfront:CreateInvalidation], resources: ['arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE']}
    rules:
      - allow: {repo: acme/web-app, branch: 'feat/*', environment: preview, command: './scripts/*'}
    justification: required
    env: {set: {AWS_ENDPOINT_URL: '${endpoint}', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true'}}
    home: private
  read-ci-artifacts:
    description: Fetch build artifacts from the internal artifact proxy
    provider: local-issuer
    audience: artifact-proxy
    scope: ["artifacts:read"]
    inject: {ARTIFACTS_TOKEN: token}
    ttl: 5m
    rules:
      - allow: {repo: acme/web-app, command: ./scripts/fetch-artifacts.sh}
    env: {pass: [PATH, ARTIFACTS_URL]}
    home: private
`;
}

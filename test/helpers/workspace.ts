/** A git work tree with a trusted map, a state folder and, where asked for, a sandbox instead of AWS. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeConfigFiles } from '../../examples/sandbox/config-files.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { SandboxOptions } from '../../examples/sandbox/state.ts';
import type { Ambient } from '../../src/base/ambient.ts';
import { issuerInit } from '../../src/commands/issuer.ts';
import { trust } from '../../src/commands/trust.ts';
import type { CommandContext } from '../../src/ui/context.ts';
import { keptContext } from '../commands/command-context.ts';
import { ambientOf } from '../policy/ambient.ts';
import { afterTest } from './after-test.ts';
import { type CliOptions, type CliResult, capwrap, ROOT, tempDir } from './cli.ts';
import { capwrapHere } from './cli-here.ts';
import { expectNowhere } from './secrets.ts';

export interface Workspace {
  readonly folder: string;
  readonly stateDir: string;
  readonly mapFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs capwrap here; `env` is added to the workspace's own. */
  cli(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** The same in the test's own process, for commands that start nothing, read no standard input and ask nobody. */
  here(args: readonly string[], options?: Omit<CliOptions, 'input'>): Promise<CliResult>;
  /** `capwrap run -c CAPABILITY -- COMMAND...` */
  run(capability: string, command: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Writes an executable `sh` script and returns its path, relative to the folder. */
  script(name: string, body: string): string;
  /** Replaces the map and pins its new content. */
  setMap(text: string): Promise<void>;
  /** The audit records so far. */
  records(): readonly Record<string, unknown>[];
}

/** A command that only prepares a test runs in the test's own process: Node's start would be most of its time. */
async function inProcess(
  world: Pick<Ambient, 'cwd' | 'env'>,
  command: (context: CommandContext) => Promise<number>,
): Promise<void> {
  expect(await command(keptContext(ambientOf(world)).context)).toBe(0);
}

/** Most of a short run is the compiling of capwrap: all workspaces keep what it gave in one place, until the next build. */
function shareCompiledCode(home: string): void {
  const shared = join(ROOT, 'build', 'test-cache');
  mkdirSync(shared, { recursive: true });
  if (!existsSync(join(home, '.cache'))) symlinkSync(shared, join(home, '.cache'));
}

/** In a folder that is gone after the test, or in `folder`. */
export async function createWorkspace(map: string, folder = tempDir()): Promise<Workspace> {
  const stateDir = join(folder, 'state');
  const mapFile = join(folder, 'capabilities.yaml');
  const env = { HOME: folder, CAPWRAP_HOME: stateDir, CAPWRAP_ACTOR: 'tester', CAPWRAP_TASK_ID: 'task-1' };
  shareCompiledCode(folder);
  for (const name of ['objects', 'refs']) mkdirSync(join(folder, '.git', name), { recursive: true });
  writeFileSync(join(folder, '.git', 'HEAD'), 'ref: refs/heads/feat/x\n');
  writeFileSync(
    join(folder, '.git', 'config'),
    '[remote "origin"]\n\turl = git@git.example:acme/web-app.git\n',
  );

  const cli: Workspace['cli'] = (args, options = {}) =>
    capwrap(args, { cwd: folder, ...options, env: { ...env, ...options.env } });
  const workspace: Workspace = {
    folder,
    stateDir,
    mapFile,
    env,
    cli,
    here: (args, options = {}) =>
      capwrapHere(args, { cwd: folder, ...options, env: { ...env, ...options.env } }),
    run: (capability, command, options) => cli(['run', '-c', capability, '--', ...command], options),
    script(name, body) {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
      return `./${name}`;
    },
    async setMap(text) {
      writeFileSync(mapFile, text);
      const sha256 = createHash('sha256').update(text).digest('hex');
      await inProcess({ cwd: folder, env }, (context) => trust(context, { file: mapFile, sha256 }));
    },
    records() {
      const text = readFileSync(join(stateDir, 'audit.jsonl'), 'utf8');
      return text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    },
  };
  await workspace.setMap(map);
  return workspace;
}

/** A map with one capability of the embedded issuer, `local`, whose rule allows every command in acme/web-app. */
export const LOCAL_MAP = `version: 1
capabilities:
  local:
    provider: local-issuer
    audience: test
    scope: ["test:read"]
    inject: {TOKEN: token}
    kill_after: 1s
    rules: [{allow: {repo: acme/web-app}}]
`;

/** A workspace whose embedded issuer is ready. */
export async function localWorkspace(map = LOCAL_MAP, folder?: string): Promise<Workspace> {
  const workspace = await createWorkspace(map, folder);
  const { folder: cwd, env } = workspace;
  await inProcess({ cwd, env }, (context) => issuerInit(context, {}));
  return workspace;
}

export interface AwsWorkspace extends Workspace {
  readonly sandbox: Sandbox;
  /** Fails when a secret of the sandbox is in a text, or in the workspace's state. */
  expectNoLeak(...texts: readonly string[]): void;
}

/** A workspace with a sandbox; `preview` may put objects into `acme-previews`. `extra` is added to the capability. */
export async function awsWorkspace(extra = '', options: SandboxOptions = {}): Promise<AwsWorkspace> {
  const sandbox = await startSandbox(options);
  afterTest(() => sandbox.stop());
  const aws = writeConfigFiles(join(tempDir(), 'aws'), sandbox.credentials, 'us-east-1');
  const workspace = await createWorkspace(awsMap(sandbox.url, aws, extra));
  return {
    ...workspace,
    sandbox,
    expectNoLeak: (...texts) => expectNowhere(sandbox.secrets(), { texts, folders: [workspace.stateDir] }),
  };
}

function awsMap(
  endpoint: string,
  aws: { readonly configFile: string; readonly credentialsFile: string },
  extra: string,
): string {
  return `version: 1
capabilities:
  preview:
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/preview-deployer
    region: us-east-1
    endpoint: ${endpoint}
    source: {type: profile, profile: agent-base, config_file: ${aws.configFile}, credentials_file: ${aws.credentialsFile}}
    scope: [{actions: [s3:PutObject], resources: ['arn:aws:s3:::acme-previews/*']}]
    rules: [{allow: {repo: acme/web-app, branch: 'feat/*'}}]
    home: private
    kill_after: 1s
    env: {set: {AWS_ENDPOINT_URL: '${endpoint}'}}
${extra}`;
}

/** An issuer of its own for each test, and what the provider and the commands are called with. */

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import type { BrokerContext, IssueRequest, Lease } from '../../src/broker/provider.ts';
import {
  type IssuerFiles,
  issuerFiles,
  readJwks,
  readKey,
  readName,
  readRevocationList,
  required,
} from '../../src/broker/providers/local-issuer/files.ts';
import { localIssuer } from '../../src/broker/providers/local-issuer/index.ts';
import { initIssuer } from '../../src/broker/providers/local-issuer/keys.ts';
import type { Expectation } from '../../src/broker/providers/local-issuer/verify-token.ts';
import type { LocalIssuerConfig } from '../../src/policy/providers/local-issuer.ts';
import type { CommandContext } from '../../src/ui/context.ts';
import { capability as capabilityOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';

export const UID = process.getuid?.() ?? -1;
export const NOW = new Date('2026-01-02T03:04:05.678Z');
export const CONFIG: LocalIssuerConfig = {
  provider: 'local-issuer',
  audience: 'artifact-proxy',
  scope: ['artifacts:read', 'artifacts:list'],
  subject: null,
};

export async function freshIssuer(
  issuer = 'https://issuer.test',
): Promise<{ stateDir: string; files: IssuerFiles }> {
  const stateDir = tempDir();
  const files = issuerFiles(stateDir, UID);
  await initIssuer(files, { issuer, rotate: false }, NOW);
  return { stateDir, files };
}

export function brokerContext(stateDir: string, now: () => Date = () => NOW) {
  const secrets: Record<string, string> = {};
  const context: BrokerContext = {
    env: {},
    stateDir,
    signal: new AbortController().signal,
    now,
    registerSecret: (name, value) => {
      secrets[name] = value;
    },
  };
  return { context, secrets };
}

let count = 0;

export function issueRequest(
  parts: Partial<IssueRequest> = {},
  config: LocalIssuerConfig = CONFIG,
): IssueRequest {
  count += 1;
  const capability = { ...capabilityOf(config, 'read-ci-artifacts'), ttl: 300, maxTtl: 300 };
  return {
    leaseId: `1ea5e${String(count).padStart(11, '0')}`,
    capability,
    ttl: 300,
    deadline: new Date(NOW.getTime() + 300_000),
    approval: 'none',
    actor: 'agent-7',
    taskId: 'task-1',
    ...parts,
  };
}

export async function issue(stateDir: string, parts: Partial<IssueRequest> = {}): Promise<Lease> {
  return localIssuer.issue(issueRequest(parts), brokerContext(stateDir).context);
}

/** A lease that is good in real time, for commands that look at the clock themselves. */
export async function issueNow(stateDir: string, seconds = 300): Promise<Lease> {
  const now = new Date();
  const request = issueRequest({ ttl: seconds, deadline: new Date(now.getTime() + seconds * 1000) });
  return localIssuer.issue(request, brokerContext(stateDir, () => now).context);
}

export function tokenOf(lease: Lease): string {
  return required(lease.values['token'] ?? null).value;
}

/** What a service of the capability demands, with the issuer's files as they are now. */
export function expectation(files: IssuerFiles, parts: Partial<Expectation> = {}): Expectation {
  return {
    issuer: required(readName(files)),
    audience: CONFIG.audience,
    scope: ['artifacts:read'],
    keys: required(readJwks(files)),
    list: required(readRevocationList(files)),
    now: NOW,
    ...parts,
  };
}

export function jsonPart(token: string, index: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString());
}

/** Every secret of an issuer and its lease. */
export function secretsOf(files: IssuerFiles, ...leases: readonly Lease[]): string[] {
  return [
    required(readKey(files)).d,
    ...leases.map(tokenOf),
    ...leases.map((lease) => tokenOf(lease).slice(-86)),
  ];
}

export function commandContext(stateDir: string, json = false) {
  const out: string[] = [];
  const err: string[] = [];
  const plain = new Chalk({ level: 0 });
  const context: CommandContext = {
    ambient: {
      env: { CAPWRAP_HOME: stateDir },
      cwd: stateDir,
      uid: UID,
      gid: process.getgid?.() ?? -1,
      pid: process.pid,
      platform: process.platform,
      launch: NO_LAUNCHER,
    },
    admin: NO_ADMIN_CONFIG,
    json,
    quiet: false,
    debug: false,
    colors: { stdout: plain, stderr: plain },
    out: async (text) => {
      out.push(text);
    },
    err: (line) => {
      err.push(line);
    },
  };
  return { context, out, err };
}

/** The folder's files by name, as bytes. */
export function snapshot(dir: string): ReadonlyMap<string, Buffer> {
  return new Map(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))]));
}

export function remove(...paths: readonly string[]): void {
  for (const path of paths) rmSync(path);
}

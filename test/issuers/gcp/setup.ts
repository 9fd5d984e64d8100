/** A provider of a pool, its test server, and requests against it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueLease } from '../../../src/broker/lease.ts';
import type { IssueRequest, Lease } from '../../../src/broker/provider.ts';
import { gcp } from '../../../src/broker/providers/gcp/index.ts';
import type { GcpConfig } from '../../../src/policy/providers/gcp.ts';
import { brokerContext, capability, LEASE_ID, testIssuer } from '../../helpers/aws.ts';
import { ACCOUNT, AUDIENCE, STORAGE_SCOPE } from './checks.ts';
import { type GcpServer, type GcpServerOptions, startGcpServer } from './server.ts';

export const VARIABLE = 'CI_ID_TOKEN';

export interface GcpSetup {
  readonly server: GcpServer;
  /** A proof that the pool takes, kept as a secret of the server. */
  proof(claims?: Readonly<Record<string, unknown>>): Promise<string>;
}

export async function gcpSetup(options: Partial<GcpServerOptions> = {}): Promise<GcpSetup> {
  const oidc = await testIssuer();
  const server = await startGcpServer({ issuer: oidc.url, jwks: oidc.jwks, ...options });
  return {
    server,
    proof: async (claims) =>
      server.keep(await oidc.sign({ aud: `https:${AUDIENCE}`, ...timesOf(server.now()), ...claims })),
  };
}

function timesOf(now: Date) {
  const iat = Math.floor(now.getTime() / 1000);
  return { iat, exp: iat + 300 };
}

export function gcpConfig({ url }: Pick<GcpServer, 'url'>, changes: Partial<GcpConfig> = {}): GcpConfig {
  return {
    provider: 'gcp',
    audience: AUDIENCE,
    serviceAccount: ACCOUNT,
    delegates: [],
    scope: [STORAGE_SCOPE],
    boundary: null,
    project: null,
    quotaProject: null,
    source: { type: 'token-env', variable: VARIABLE, audience: null },
    stsEndpoint: url,
    iamEndpoint: url,
    caFile: null,
    delivery: 'environment',
    ...changes,
  };
}

export function gcpRequest(config: GcpConfig, ttl = 900, now = new Date()): IssueRequest {
  return {
    leaseId: LEASE_ID,
    capability: { ...capability(config, 'upload-previews'), home: 'private' },
    ttl,
    deadline: new Date(now.getTime() + ttl * 1000),
    approval: 'none',
    actor: 'agent-7',
    taskId: 'task-1',
  };
}

/** Writes a proof where only this user can read it. */
export function proofFile(folder: string, token: string): string {
  const path = join(folder, 'id-token');
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  return path;
}

export interface Changes {
  readonly config?: Partial<GcpConfig>;
  readonly env?: Readonly<Record<string, string>>;
  readonly ttl?: number;
  /** Of the proof. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A lease of the server's, checked as every run checks it. */
export async function issueFrom(
  { server, proof }: GcpSetup,
  { config, env, ttl, claims }: Changes = {},
): Promise<Lease> {
  const context = brokerContext({ [VARIABLE]: await proof(claims), ...env });
  return issueLease(gcp, gcpRequest(gcpConfig(server, config), ttl), context);
}

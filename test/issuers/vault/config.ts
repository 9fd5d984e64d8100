/** Configs and requests for tests of the provider `vault`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IssueRequest } from '../../../src/broker/provider.ts';
import type { VaultConfig } from '../../../src/policy/providers/vault.ts';
import { capability, LEASE_ID } from '../../helpers/aws.ts';
import { tempDir } from '../../helpers/cli.ts';
import { ROLE_ID } from './parts.ts';

/** A file that only this user can read. */
export function secretFile(text: string, mode = 0o600): string {
  const path = join(tempDir(), 'secret');
  writeFileSync(path, text, { mode });
  return path;
}

export function vaultConfig(address: string, changes: Partial<VaultConfig> = {}): VaultConfig {
  return {
    provider: 'vault',
    address,
    namespace: null,
    caFile: null,
    auth: { method: 'token', tokenFile: '/nonexistent', longLived: false },
    policies: ['readonly'],
    path: 'database/creds/readonly',
    request: 'read',
    parameters: {},
    ttlParameter: null,
    kv: false,
    ...changes,
  };
}

export function appRole(
  secretIdFile: string,
  wrappedAt: string | null = null,
): Extract<VaultConfig['auth'], { method: 'approle' }> {
  return { method: 'approle', mount: 'approle', roleId: ROLE_ID, secretIdFile, wrappedAt };
}

export function vaultRequest(config: VaultConfig, ttl = 900, now = new Date()): IssueRequest {
  return {
    leaseId: LEASE_ID,
    capability: capability(config, 'read-staging'),
    ttl,
    deadline: new Date(now.getTime() + ttl * 1000),
    approval: 'none',
    actor: 'agent-7',
    taskId: 'task-1',
  };
}

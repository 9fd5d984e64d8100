/** A GitHub App in the catalogue; and requests for the tests of the provider. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IssueRequest } from '../../../src/broker/provider.ts';
import { gitHubApp } from '../../../src/broker/providers/github-app/index.ts';
import type { Capability } from '../../../src/policy/capability.ts';
import type { GitHubAppConfig } from '../../../src/policy/providers/github-app.ts';
import { brokerContext, capability, LEASE_ID } from '../../helpers/aws.ts';
import { movableClock, onServer, type ProviderFixture } from '../fixture.ts';
import { APP_PEM, CLIENT_ID, keyFile } from './app.ts';
import { startGitHub } from './server.ts';

/** A config that reads the contents of acme/web-app, with changes. */
export function gitHubConfig(changes: Partial<GitHubAppConfig> = {}): GitHubAppConfig {
  return {
    provider: 'github-app',
    appId: CLIENT_ID,
    installationId: null,
    apiUrl: 'https://api.github.com',
    caFile: null,
    privateKeyFile: null,
    privateKeyCommand: null,
    repositories: ['acme/web-app'],
    permissions: { contents: 'read' },
    git: 'helper',
    ...changes,
  };
}

/** A request for 15 minutes from `now` on. */
export function gitHubRequest(
  config: GitHubAppConfig,
  now = new Date(),
  changes: Partial<Capability> = {},
): IssueRequest {
  return {
    leaseId: LEASE_ID,
    capability: { ...capability(config, 'push-docs'), ...changes },
    ttl: 900,
    deadline: new Date(now.getTime() + 900_000),
    approval: 'none',
    actor: 'agent-7',
    taskId: 'task-1',
  };
}

export const gitHubAppFixture: ProviderFixture = {
  name: 'github-app',
  routes: { issue: ['installation', 'token'], end: ['revoke'], probe: ['probe'] },
  outcome: 'revoked_verified',
  without: {},
  async start() {
    const server = await startGitHub();
    const folder = mkdtempSync(join(tmpdir(), 'capwrap-test-'));
    const clock = movableClock(server);
    const config = gitHubConfig({ apiUrl: server.apiUrl, privateKeyFile: keyFile(folder, APP_PEM) });
    return {
      ...onServer(server),
      provider: gitHubApp,
      context: brokerContext({}, { now: clock.now }),
      passTime: clock.passTime,
      live: server.live,
      issueRequest: () => gitHubRequest(config, clock.now()),
      async stop() {
        rmSync(folder, { recursive: true, force: true });
        await server.stop();
      },
    };
  },
};

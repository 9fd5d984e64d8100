/** GitHub Apps: a token of an installation, narrowed to repositories and permissions, and deleted at the end. */
import { CapwrapError } from '../../../errors.ts';
import { gitHubAddress, gitHubInject } from '../../../policy/providers/github-app/address.ts';
import { TOKEN_LIFE } from '../../../policy/providers/github-app/check.ts';
import type { GitHubAppConfig } from '../../../policy/providers/github-app.ts';
import type { ProviderConfig } from '../../../policy/providers/index.ts';
import type { IssueRequest, Lease, Provider } from '../../provider.ts';
import { endToken, probeToken } from './end-token.ts';
import { gitEndpoints } from './git-settings.ts';
import { faultOfScope } from './granted.ts';
import { findInstallation, type Installation, installationPath } from './installation.ts';
import { type Minted, mint, mintBody, mintPath } from './mint.ts';
import { readPrivateKey } from './private-key.ts';

/** From here on the operator is told that the clock is off. */
const WARN_SECONDS = 30;

/**
 * `issue` finds the installation, then mints. GitHub gives every token an hour: the grant's deadline is capwrap's own, and
 * `end` deletes the token, which takes the token itself, so that a run that was killed leaves it to its expiry.
 */
export const gitHubApp: Provider = {
  async issue(request, context) {
    const config = configOf(request.capability.config);
    if (request.ttl > TOKEN_LIFE) {
      throw new CapwrapError('ERR_PROVIDER_EXPIRY', `"ttl" of ${request.ttl} s is over GitHub's hour`, {
        hint: `in capability "${request.capability.name}": max_ttl: 1h`,
      });
    }
    const key = await readPrivateKey(config, context);
    const installation = await findInstallation(config, key, context);
    const minted = await mint(config, installation, context);
    const lease = leaseOf(request, config, installation, minted, key.source);
    configs.set(lease, config);
    return lease;
  },

  minimumLife: TOKEN_LIFE,

  faultOf: (lease, { capability }) => faultOfScope(lease.scope, configOf(capability.config)),

  end: (lease, context) => endToken(lease, configFor(lease), context),

  probe: (lease, context) => probeToken(lease, configFor(lease), context),

  settling: [500, 1500, 3000],

  preview(request) {
    const config = configOf(request.capability.config);
    const id = config.installationId ?? '{id}';
    return {
      api_url: config.apiUrl,
      app_id: config.appId,
      installation: `GET ${installationPath(config)}`,
      token: `POST ${mintPath(id)}`,
      ...mintBody(config),
    };
  },
};

/** By which server a lease is to be ended: a lease itself names none. */
const configs = new WeakMap<Lease, GitHubAppConfig>();

function configFor(lease: Lease): GitHubAppConfig {
  const config = configs.get(lease);
  if (config === undefined) throw new CapwrapError('ERR_INTERNAL', '"github-app" has not issued this lease');
  return config;
}

function configOf(config: ProviderConfig): GitHubAppConfig {
  if (config.provider === 'github-app') return config;
  throw new CapwrapError('ERR_INTERNAL', `"${config.provider}" was handed to another provider's module`);
}

function leaseOf(
  request: IssueRequest,
  config: GitHubAppConfig,
  installation: Installation,
  minted: Minted,
  source: string,
): Lease {
  const { apiUrl } = config;
  const address = gitHubAddress(apiUrl);
  const { expiresAt } = minted;
  const expiry = Number.isNaN(expiresAt.getTime()) ? '' : expiresAt.toISOString();
  const git = config.git === 'none' ? null : gitEndpoints(request.capability, apiUrl, address);
  const skew = minted.skew ?? installation.skew;
  return {
    leaseId: request.leaseId,
    provider: 'github-app',
    values: {
      token: { value: minted.token, secret: true },
      expires_at: { value: expiry, secret: false },
      hashed_token: { value: minted.hashedToken, secret: false },
      host: { value: address.host, secret: false },
      api_url: { value: apiUrl, secret: false },
    },
    defaultInject: gitHubInject(apiUrl),
    expiresAt,
    principal: installation.principal,
    scope: minted.scope,
    facts: {
      source,
      long_lived_source: true, // a private key has no expiry
      hashed_token: minted.hashedToken,
      ...(skew !== null && { clock_skew_seconds: skew }),
    },
    handle: null,
    warnings: clockWarning(skew, new URL(apiUrl).host),
    ...(git && { endpoints: async () => git }),
  };
}

function clockWarning(skew: number | null, who: string): readonly string[] {
  if (skew === null || Math.abs(skew) < WARN_SECONDS) return [];
  return [
    `the clock of this machine is ${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} "${who}", whose time was used`,
  ];
}

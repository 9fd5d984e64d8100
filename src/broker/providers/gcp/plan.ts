/** What will be asked of Google, worked out before anything is read or sent. */
import { CapwrapError } from '../../../errors.ts';
import { accessBoundary } from '../../../policy/providers/gcp/boundary.ts';
import type { GcpConfig, GcpSource } from '../../../policy/providers/gcp.ts';
import { assertEndpoint } from '../../endpoint.ts';
import type { IssueRequest } from '../../provider.ts';

const STS = 'https://sts.googleapis.com';
const IAM = 'https://iamcredentials.googleapis.com';

/** What a token needs that does nothing but issue the service account's. */
export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';

/** How long a federated token lives, in seconds: no parameter asks for it. */
export const FEDERATED_LIFE = 3600;

export interface GcpPlan {
  readonly capability: string;
  readonly config: GcpConfig;
  /** The proof to read: for a job of GitHub's with the audience that the provider of the pool takes by default. */
  readonly source: GcpSource;
  readonly tokenUrl: URL;
  /** Scopes of the federated token. */
  readonly federatedScope: readonly string[];
  /** The call that issues the service account's token; null where the federated one is the lease. */
  readonly impersonation: {
    readonly url: URL;
    readonly account: string;
    readonly delegates: readonly string[];
  } | null;
  /** JSON for the second exchange, which cuts the token down; null for none. */
  readonly boundary: string | null;
}

/** Throws ERR_MAP_INVALID for an endpoint that is not https. */
export function planGcp({ capability: { name, config } }: IssueRequest): GcpPlan {
  if (config.provider !== 'gcp') {
    throw new CapwrapError('ERR_INTERNAL', `capability "${name}" is not for provider gcp`);
  }
  const { serviceAccount, source } = config;
  const tokenUrl = under(config.stsEndpoint ?? STS, 'v1/token', 'sts_endpoint');
  return {
    capability: name,
    config,
    source:
      source.type === 'github-actions' && source.audience === null
        ? { ...source, audience: `https:${config.audience}` }
        : source,
    tokenUrl,
    federatedScope: serviceAccount === null ? config.scope : [CLOUD_PLATFORM],
    impersonation:
      serviceAccount === null
        ? null
        : {
            url: under(
              config.iamEndpoint ?? IAM,
              `v1/${resourceOf(serviceAccount)}:generateAccessToken`,
              'iam_endpoint',
            ),
            account: serviceAccount,
            delegates: config.delegates.map(resourceOf),
          },
    boundary:
      config.boundary === null ? null : JSON.stringify({ accessBoundary: accessBoundary(config.boundary) }),
  };
}

/** Seconds to ask for, so that the token ends with the grant: never 0, and never more than was granted. */
export function lifetimeOf({ ttl, deadline }: IssueRequest, now: Date): number {
  return Math.max(1, Math.min(ttl, Math.ceil((deadline.getTime() - now.getTime()) / 1000)));
}

/** The `-` stands for the account's own project, and nothing else may. */
function resourceOf(account: string): string {
  return `projects/-/serviceAccounts/${account}`;
}

function under(server: string, path: string, key: string): URL {
  const url = new URL(server);
  assertEndpoint(url, key);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}

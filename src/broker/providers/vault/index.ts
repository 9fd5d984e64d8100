/** Provider `vault`: dynamic secrets of HashiCorp Vault and OpenBao. */
import type { IssueRequest, Provider } from '../../provider.ts';
import { endByHandle } from './by-handle.ts';
import { end, release } from './end.ts';
import { configOf, issue, unseenLife } from './issue.ts';
import { acceptedLife, faultOf } from './judge.ts';
import { tokenRequest } from './lease-token.ts';
import { probe } from './look.ts';
import { secretRequest } from './secret.ts';

/**
 * `issue` logs in, makes a token for the lease, and reads the secret with it; `end` revokes the lease and the token;
 * `probe` looks both up; `release` revokes the login.
 */
export const vault: Provider = {
  issue,
  minimumLife: 0,
  acceptedLife,
  unseenLife: (config) => unseenLife(configOf(config)),
  faultOf,
  end,
  probe,
  release,
  // Lookups on a standby lag a little.
  settling: [250, 500, 1000],
  endByHandle: (handle, config, context, leaseId) => endByHandle(vault, { leaseId, handle }, config, context),
  preview,
};

function preview(request: IssueRequest): Readonly<Record<string, unknown>> {
  const config = configOf(request.capability.config);
  const { address, namespace, auth } = config;
  return {
    address,
    ...(namespace !== null && { namespace }),
    login: auth.method === 'token' ? 'token' : `auth/${auth.mount}/login`,
    token: tokenRequest(request, config, request.ttl),
    secret: secretRequest(config, request.ttl),
  };
}

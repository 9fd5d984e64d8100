/** The token of one lease: a child of the login, with the map's policies, and no longer than the grant. */
import { CapwrapError } from '../../../errors.ts';
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import { maybeIssued } from '../../exchange-error.ts';
import { textsAt } from '../../json-body.ts';
import type { BrokerContext, IssueRequest } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import { isFine, type Vault } from './client.ts';
import type { Login } from './login.ts';
import { refusal } from './refusal.ts';
import { type IssuedToken, issuedToken, secretOfToken } from './token-facts.ts';

export interface LeaseToken extends IssuedToken {
  /** Things the operator should read. */
  readonly warnings: readonly string[];
}

/** Metadata of the token: the lease's id, by which a token is known as its own later. */
export const META_LEASE = 'capwrap_lease';

/** The request for the token, without a secret. `seconds` is its whole life. */
export function tokenRequest(request: IssueRequest, config: VaultConfig, seconds: number) {
  return {
    policies: config.policies,
    ttl: `${seconds}s`,
    explicit_max_ttl: `${seconds}s`,
    renewable: false,
    type: 'service', // a batch token can't be revoked
    display_name: 'capwrap',
    // Vault's audit log shows these.
    meta: { [META_LEASE]: request.leaseId, capwrap_capability: request.capability.name },
  };
}

/** Seconds that are left of the grant, at least one. */
export function secondsLeft(request: IssueRequest, now: Date): number {
  return Math.max(1, Math.ceil((request.deadline.getTime() - now.getTime()) / 1000));
}

export async function createLeaseToken(
  request: IssueRequest,
  config: VaultConfig,
  login: Login,
  vault: Vault,
  context: BrokerContext,
): Promise<LeaseToken> {
  const json = tokenRequest(request, config, secondsLeft(request, context.now()));
  const call = {
    method: 'POST',
    path: 'auth/token/create',
    token: login.token,
    json,
    secrets: secretOfToken('vault_token'),
  } as const;
  try {
    const answer = await withRetry(() => vault.ask(call, context), context);
    if (!isFine(answer)) {
      throw refusal(
        answer,
        'the login needs update on auth/token/create, and each of the policies that the map names',
      );
    }
    const token = issuedToken(answer);
    if (token !== null) return { ...token, warnings: unknownPolicies(config, answer.body) };
    throw new CapwrapError('ERR_PROVIDER_INVALID_RESPONSE', `"${answer.who}" answered without a token`);
  } catch (error) {
    // A child ends with its parent.
    throw login.own ? error : maybeIssued(error, 'a token', request.deadline);
  }
}

/** Vault only warns of a policy that does not exist. */
function unknownPolicies({ policies }: VaultConfig, body: unknown): readonly string[] {
  const warnings = textsAt(body, 'warnings') ?? [];
  return policies
    .filter((name) => warnings.some((text) => text.includes(`"${name}" does not exist`)))
    .map((name) => `Vault has no policy "${name}"`);
}

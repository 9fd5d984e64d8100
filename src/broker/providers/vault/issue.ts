/** Issuing: log in, make the lease's token, read the secret with it. What fails on the way takes back what came before. */
import { CapwrapError } from '../../../errors.ts';
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import { maybeIssued } from '../../exchange-error.ts';
import type { BrokerContext, IssueRequest, Lease } from '../../provider.ts';
import { type Vault, vaultAt } from './client.ts';
import { leaseOf } from './lease-of.ts';
import { createLeaseToken, type LeaseToken, secondsLeft } from './lease-token.ts';
import { type Login, logIn } from './login.ts';
import { revokeToken } from './revoke-token.ts';
import { readSecret, type Secret, secretRequest } from './secret.ts';
import { bind } from './session.ts';
import { after } from './token-facts.ts';

export async function issue(request: IssueRequest, context: BrokerContext): Promise<Lease> {
  const config = configOf(request.capability.config);
  const vault = vaultAt(config);
  const login = await logIn(config, vault, context);
  let child: LeaseToken | null = null;
  let secret: Secret;
  try {
    assertParent(login, config);
    child = await createLeaseToken(request, config, login, vault, context);
    const ask = secretRequest(config, secondsLeft(request, context.now()));
    secret = await readSecret(ask, child.token, vault, context).catch((error: unknown) => {
      throw maybeIssued(error, 'a secret', latestEnd(request, config, context.now()));
    });
  } catch (error) {
    throw await takeBack(error, [child, login.own ? login : null], vault, context);
  }
  const { kind, leaseId } = secret;
  const session = {
    config,
    vault,
    login,
    child,
    formerLogin: null,
    kind,
    leaseId,
    seenAlive: new Set<never>(),
  };
  return bind(leaseOf(request, login, child, secret, config), session);
}

export function configOf(config: { readonly provider: string }): VaultConfig {
  if (config.provider === 'vault') return config as VaultConfig;
  throw new CapwrapError(
    'ERR_INTERNAL',
    `a config of "${config.provider}" was handed to another provider's module`,
  );
}

/** Uses of the login by one lease: its token, two looks at its end, four afterwards, and the end of the login. */
const USES = 8;

function assertParent(login: Login, { address }: VaultConfig): void {
  const refuse = (what: string, hint: string, issuedUntil?: Date) =>
    new CapwrapError('ERR_PROVIDER_INVALID_RESPONSE', `"${new URL(address).host}" logged in with ${what}`, {
      hint,
      issuedUntil,
    });
  if (login.type === 'batch') {
    const hint =
      "a batch token can't make a token for the lease: set token_type=service on the role of the login";
    throw refuse('a batch token', hint, login.expiresAt);
  }
  if (login.uses > 0 && login.uses < USES) {
    const hint = `ending a lease takes up to ${USES} uses: set token_num_uses=0 on the role of the login`;
    throw refuse(`a token of ${login.uses} uses`, hint);
  }
}

/** STS's longest session (GetFederationToken). */
const LONGEST_STS_SECONDS = 36 * 3600;

/** By when a secret that nobody has seen is over. */
function latestEnd({ deadline }: IssueRequest, config: VaultConfig, now: Date): Date {
  return new Date(Math.max(deadline.getTime(), after(now, unseenLife(config)).getTime()));
}

/**
 * Seconds that a secret that nobody has seen may live. It ends with the lease's token, unless it is an STS session: what
 * tells the two apart is in the answer that did not come. 0 for the grant.
 */
export function unseenLife({ ttlParameter }: VaultConfig): number {
  return ttlParameter === null ? LONGEST_STS_SECONDS : 0;
}

/** Revokes what was issued before the failure. Returns the error, which says what could not be. */
async function takeBack(
  error: unknown,
  tokens: readonly (LeaseToken | Login | null)[],
  vault: Vault,
  context: BrokerContext,
): Promise<unknown> {
  let left: Date | null = null;
  for (const token of tokens) {
    if (token === null || token.type === 'batch') continue;
    // A signal that ended the run must not keep the token alive.
    const answer = await revokeToken(token.token, vault, {
      ...context,
      signal: new AbortController().signal,
    });
    if (answer.error !== null && !(left !== null && left > token.expiresAt)) left = token.expiresAt;
  }
  if (left === null || Number.isNaN(left.getTime()) || !(error instanceof CapwrapError)) return error;
  const until = new Date(Math.max(left.getTime(), error.issuedUntil?.getTime() ?? 0));
  const text = `a token that was issued could not be revoked and expires by ${until.toISOString()}`;
  return new CapwrapError(error.code, `${error.message}; ${text}`, { hint: error.hint, issuedUntil: until });
}

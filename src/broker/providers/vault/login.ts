/** From the proof that the map names to a token that makes tokens: what the lease's own one is a child of. */
import { CapwrapError } from '../../../errors.ts';
import type { VaultAuth } from '../../../policy/providers/vault/auth.ts';
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import { sourceLabel } from '../../../policy/sources/index.ts';
import { maybeIssued } from '../../exchange-error.ts';
import { numberAt, textAt, textsAt } from '../../json-body.ts';
import type { BrokerContext } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import { readSource } from '../../sources/read-source.ts';
import { isFine, type Vault } from './client.ts';
import { refusal } from './refusal.ts';
import { readSecretFile } from './secret-file.ts';
import { readSecretId } from './secret-id.ts';
import { after, type IssuedToken, issuedToken, isTokenShaped, secretOfToken } from './token-facts.ts';

export interface Login extends IssuedToken {
  /** True where it was made by logging in for this lease, and is to be revoked with it. */
  readonly own: boolean;
  /** True for a token without an end, which the map allows by name; `expiresAt` is NaN then. */
  readonly longLived: boolean;
  /** The proof in one word, for the record. */
  readonly label: string;
}

/** Vault's own longest life of a token (`max_lease_ttl`); a server that is set up to give more is the exception. */
const LONGEST_LOGIN_SECONDS = 768 * 3600;

/** Reads the proof and logs in. Throws a CapwrapError that says what to change. */
export async function logIn(config: VaultConfig, vault: Vault, context: BrokerContext): Promise<Login> {
  const { auth } = config;
  if (auth.method === 'token') return lookAtToken(auth, vault, context);
  const [json, label] = await proofOf(auth, config, vault, context);
  const path = `auth/${auth.mount}/login`;
  try {
    const answer = await withRetry(
      () => vault.ask({ method: 'POST', path, json, secrets: secretOfToken('vault_login_token') }, context),
      context,
    );
    if (!isFine(answer)) throw refusal(answer, 'look at auth and namespace of the map');
    const token = issuedToken(answer);
    if (token === null) {
      throw new CapwrapError(
        'ERR_PROVIDER_INVALID_RESPONSE',
        `"${answer.who}" answered a login without a token`,
        {
          hint: 'look at auth: a login that asks for a second factor is not supported',
        },
      );
    }
    return { ...token, own: true, longLived: false, label };
  } catch (error) {
    throw maybeIssued(error, 'a login token', after(context.now(), LONGEST_LOGIN_SECONDS));
  }
}

/** The body of the login, and the proof in one word. */
async function proofOf(
  auth: Exclude<VaultAuth, { method: 'token' }>,
  config: VaultConfig,
  vault: Vault,
  context: BrokerContext,
): Promise<readonly [Readonly<Record<string, string>>, string]> {
  if (auth.method === 'approle') {
    const secretId = await readSecretId(auth, config, vault, context);
    return [{ role_id: auth.roleId, secret_id: secretId }, `approle:${auth.secretIdFile}`];
  }
  const proof = await readSource(auth.source, context);
  if (proof.kind !== 'token')
    throw new CapwrapError('ERR_INTERNAL', `source "${proof.label}" holds no token`);
  return [{ role: auth.role, jwt: proof.token }, sourceLabel(auth.source)];
}

async function lookAtToken(
  auth: Extract<VaultAuth, { method: 'token' }>,
  vault: Vault,
  context: BrokerContext,
): Promise<Login> {
  const { tokenFile: path } = auth;
  const token = readSecretFile(path, 'vault_login_token', context);
  const invalid = (what: string, hint?: string) =>
    new CapwrapError('ERR_SOURCE_INVALID', `token in "${path}" ${what}`, { hint });
  if (!isTokenShaped(token)) throw invalid('has a character that no token has');
  const answer = await withRetry(
    () => vault.ask({ method: 'GET', path: 'auth/token/lookup-self', token }, context),
    context,
  );
  if (!isFine(answer))
    throw refusal(answer, `the token in ${path} is revoked, expired, or of another namespace`);
  const { body } = answer;
  if (textAt(body, 'data', 'type') === 'batch') {
    throw invalid("is a batch token, which can't make a token for the lease", 'put a service token there');
  }
  const longLived = textAt(body, 'data', 'expire_time') === null;
  if (longLived && !auth.longLived) {
    throw new CapwrapError('ERR_SOURCE_LONG_LIVED', `token in "${path}" has no expiry`, {
      hint: 'put a token with a TTL there, or allow it in the map: auth: {method: token, long_lived: allow, ...}',
    });
  }
  return {
    token,
    accessor: textAt(body, 'data', 'accessor') ?? '',
    expiresAt: after(answer.receivedAt, longLived ? null : numberAt(body, 'data', 'ttl')),
    policies: textsAt(body, 'data', 'policies') ?? [],
    entityId: textAt(body, 'data', 'entity_id') ?? '',
    type: 'service',
    uses: numberAt(body, 'data', 'num_uses') ?? 0,
    metadata: {},
    own: false,
    longLived,
    label: `vault-token:${path}`,
  };
}

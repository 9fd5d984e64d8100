/** The secret id of an AppRole, from its file: as it is, or wrapped, so that whoever took it first is found out. */
import { shellQuote } from '../../../base/shell-quote.ts';
import { CapwrapError } from '../../../errors.ts';
import type { VaultAuth } from '../../../policy/providers/vault/auth.ts';
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import { textAt } from '../../json-body.ts';
import type { BrokerContext } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import { isFine, type Vault } from './client.ts';
import { refusal } from './refusal.ts';
import { readSecretFile } from './secret-file.ts';
import { isTokenShaped } from './token-facts.ts';

type AppRole = Extract<VaultAuth, { method: 'approle' }>;

/** Reads the file anew each time: something else keeps it fresh. */
export async function readSecretId(
  auth: AppRole,
  config: VaultConfig,
  vault: Vault,
  context: BrokerContext,
): Promise<string> {
  if (auth.wrappedAt === null) return readSecretFile(auth.secretIdFile, 'secret_id', context);
  const wrapping = readSecretFile(auth.secretIdFile, 'wrapping_token', context);
  if (!isTokenShaped(wrapping)) throw notWrapped(auth, 'holds no wrapping token');
  await assertOrigin(wrapping, auth, auth.wrappedAt, config, vault, context);
  return unwrap(wrapping, auth, vault, context);
}

/** Whoever can write the file could have wrapped a secret id of their own: the path shows who made this one. */
async function assertOrigin(
  wrapping: string,
  auth: AppRole,
  wrappedAt: string,
  config: VaultConfig,
  vault: Vault,
  context: BrokerContext,
): Promise<void> {
  const answer = await withRetry(
    () => vault.ask({ method: 'POST', path: 'sys/wrapping/lookup', json: { token: wrapping } }, context),
    context,
  );
  if (answer.status === 400 || answer.status === 403 || answer.status === 404) {
    throw notWrapped(
      auth,
      'holds a wrapping token that is used up or has expired',
      'if it was fresh, somebody else has the secret id: revoke it; then put a new wrapping token into the file',
    );
  }
  if (!isFine(answer)) throw refusal(answer, 'look at the server: it does not look up wrapping tokens');
  const made = textAt(answer.body, 'data', 'creation_path');
  const expected = [wrappedAt, ...(config.namespace === null ? [] : [`${config.namespace}/${wrappedAt}`])];
  if (made !== null && expected.includes(made)) return;
  throw notWrapped(
    auth,
    `holds a wrapping token that was not made at ${wrappedAt}`,
    'somebody else may have put it there: find out who, before you change wrapped_at',
  );
}

/** A wrapping token works once, so a failure right after it was looked up means that somebody else was faster. */
async function unwrap(
  wrapping: string,
  auth: AppRole,
  vault: Vault,
  context: BrokerContext,
): Promise<string> {
  const answer = await withRetry(
    () =>
      vault.ask(
        {
          method: 'POST',
          path: 'sys/wrapping/unwrap',
          token: wrapping,
          secrets: { secret_id: ['data', 'secret_id'] },
        },
        context,
      ),
    context,
  );
  const secretId = textAt(answer.body, 'data', 'secret_id');
  if (isFine(answer) && secretId !== null) return secretId;
  if (answer.status >= 500 || answer.status === 429) throw refusal(answer, 'put a new wrapping token there');
  throw notWrapped(
    auth,
    'holds a wrapping token that was good a moment ago and did not give a secret id',
    'treat it as an incident: somebody else may have unwrapped it. Revoke the secret id, look at the audit log of Vault',
  );
}

function notWrapped({ secretIdFile }: AppRole, what: string, hint?: string): CapwrapError {
  return new CapwrapError('ERR_SOURCE_INVALID', `"${secretIdFile}" ${what}`, {
    hint:
      hint ??
      `vault write -wrap-ttl=60s -field=wrapping_token -f auth/approle/role/NAME/secret-id > ${shellQuote(secretIdFile)}`,
  });
}

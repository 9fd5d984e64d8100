/** An answer that is an error → what to change. Of Vault's own words only those that are known are repeated. */

import { type ExchangeError, statusError } from '../../exchange-error.ts';
import { errorWords } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';

/** What Vault and OpenBao say, the more telling first, and what it means for the map or the server. */
const HINTS: Readonly<Record<string, string | null>> = {
  'Vault is sealed': 'unseal the server',
  'invalid role or secret ID':
    'one of role_id and secret_id_file is not of this mount, or the secret id is used up',
  'invalid secret id': 'the secret id is used up, has expired, or belongs to another role',
  'failed to validate credentials': 'the secret id is used up, has expired, or belongs to another role',
  'child policies must be subset of parent': 'the login must have each of the policies that the map names',
  'batch tokens cannot create more tokens':
    'let the role of the login issue service tokens: token_type=service',
  'role could not be found': 'look at role and mount under auth',
  'invalid role name': 'look at role and mount under auth',
  'invalid audience (aud) claim': "the source's audience must be one of bound_audiences of the role",
  'error validating claims': "the token's claims do not meet the bound claims of the role",
  'error validating token':
    'the token is of an issuer or audience that this mount does not trust, or has expired',
  'service account name not authorized': 'the role of the login is for other service accounts',
  'namespace not authorized': 'the role of the login is for other Kubernetes namespaces',
  'unknown role': 'look at path: the engine has no such role',
  'Role name is not found': 'look at path: the engine has no such role',
  'entry for role not found': 'look at path: the engine has no such role',
  'no handler for route': 'look at path and mount: nothing is mounted there in this namespace',
  'unsupported operation': 'look at request: this path takes the other one of read and write',
  'token had one use left': "the lease's token needs more than one use",
  'quota exceeded': 'the server limits requests or leases: try again later',
  'bad token': null,
  'invalid token': null,
  'permission denied': null,
};

const KNOWN = Object.keys(HINTS);

/** The first known phrase of an answer's errors, or null. */
export function saidBy(answer: Pick<JsonAnswer, 'body'>, known: readonly string[] = KNOWN): string | null {
  return errorWords(answer.body, known, ['errors']);
}

/** The error for an answer that was not hoped for. `hint` is what to look at where the server does not say. */
export function refusal(answer: JsonAnswer, hint: string): ExchangeError {
  const said = saidBy(answer);
  return statusError(answer, said, (said === null ? null : HINTS[said]) ?? hint);
}

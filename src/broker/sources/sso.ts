/**
 * Source `sso`: keys of a role for whoever is signed in at IAM Identity Center.
 * https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
 */
import { CapwrapError } from '../../errors.ts';
import { type Source, sourceLabel } from '../../policy/sources/index.ts';
import { numberAt, textAt } from '../json-body.ts';
import { callJson, type JsonAnswer } from '../json-exchange.ts';
import type { BrokerContext } from '../provider.ts';
import type { KeyProof } from './proof.ts';
import { toSessionProof } from './session-keys.ts';
import { readSsoLogin, type SsoLogin, signIn } from './sso-login.ts';

type SsoSource = Extract<Source, { type: 'sso' }>;

const TIMEOUT_MS = 10_000;

/** Asks the portal for fresh keys: those that the AWS CLI has cached are not looked at. */
export async function readSso(source: SsoSource, context: BrokerContext): Promise<KeyProof> {
  const label = sourceLabel(source);
  const login = await readSsoLogin(source, context);
  const answer = await ask(source, label, login, context);
  if (answer.status !== 200) throw refused(source, label, login, answer);
  const at = (name: string) => textAt(answer.body, 'roleCredentials', name) ?? undefined;
  return toSessionProof(
    {
      accessKeyId: at('accessKeyId'),
      secretAccessKey: at('secretAccessKey'),
      sessionToken: at('sessionToken'),
      expiresAt: new Date(numberAt(answer.body, 'roleCredentials', 'expiration') ?? Number.NaN),
    },
    { label, remedy: signIn(source) },
    context,
  );
}

async function ask(
  source: SsoSource,
  label: string,
  { accessToken, region, accountId, roleName }: SsoLogin,
  context: BrokerContext,
): Promise<JsonAnswer> {
  const url = new URL('/federation/credentials', source.endpoint ?? portalOf(region));
  url.searchParams.set('role_name', roleName);
  url.searchParams.set('account_id', accountId);
  try {
    return await callJson({
      url,
      method: 'GET',
      headers: { 'x-amz-sso_bearer_token': accessToken },
      secrets: {
        source_secret_access_key: ['roleCredentials', 'secretAccessKey'],
        source_session_token: ['roleCredentials', 'sessionToken'],
      },
      endpointKey: null,
      timeoutMs: TIMEOUT_MS,
      context,
    });
  } catch (error) {
    if (!(error instanceof CapwrapError)) throw error;
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `source "${label}" got no keys: ${error.message}`, {
      hint: error.hint,
    });
  }
}

function portalOf(region: string): string {
  const suffix = region.startsWith('cn-')
    ? 'amazonaws.com.cn'
    : region.startsWith('eusc-')
      ? 'amazonaws.eu'
      : 'amazonaws.com';
  return `https://portal.sso.${region}.${suffix}`;
}

function refused(
  source: SsoSource,
  label: string,
  login: SsoLogin,
  { status, who }: JsonAnswer,
): CapwrapError {
  if (status === 401) {
    return new CapwrapError(
      'ERR_SOURCE_INVALID',
      `source "${label}" holds a sign-in that is not accepted any more`,
      {
        hint: signIn(source),
      },
    );
  }
  if (status === 403 || status === 404) {
    const what = `may not use the role "${login.roleName}" in account ${login.accountId}`;
    return new CapwrapError('ERR_SOURCE_INVALID', `source "${label}" ${what}`, {
      hint: 'look at sso_role_name and sso_account_id of the profile, and at the assignments in IAM Identity Center',
    });
  }
  const busy = status === 429 ? 'is throttling' : `answered ${status}`;
  return new CapwrapError('ERR_SOURCE_UNAVAILABLE', `source "${label}" got no keys: "${who}" ${busy}`, {
    hint: 'try again later',
  });
}

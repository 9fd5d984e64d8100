/** The request for a token: RFC 6749 section 4.4, RFC 8693 section 2.1. */
import { formatDuration } from '../../../base/duration.ts';
import type { Oauth2Config, TokenType } from '../../../policy/providers/oauth2.ts';
import { ExchangeError, maybeIssued, statusError } from '../../exchange-error.ts';
import { errorWords, textAt } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import { post, type Session } from './session.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** The URN of a token type (RFC 8693 section 3). */
export function tokenTypeUrn(type: TokenType): string {
  return `urn:ietf:params:oauth:token-type:${type}`;
}

/** The form, without the subject token and the client's proof. `life` is what is asked for, in seconds. */
export function tokenForm(config: Oauth2Config, life: number): readonly (readonly [string, string])[] {
  const form: [string, string][] = [
    ['grant_type', config.grant === 'token-exchange' ? EXCHANGE : 'client_credentials'],
  ];
  if (config.grant === 'token-exchange') {
    form.push(['subject_token_type', tokenTypeUrn(config.subjectTokenType)]);
    if (config.requestedTokenType !== null)
      form.push(['requested_token_type', tokenTypeUrn(config.requestedTokenType)]);
  }
  for (const audience of config.audience) form.push(['audience', audience]);
  for (const resource of config.resource) form.push(['resource', resource]);
  if (config.scope !== null) form.push(['scope', config.scope.join(' ')]);
  if (config.ttlParameter !== null) form.push([config.ttlParameter, String(life)]);
  return form;
}

/** Where the answer has secrets: none of them is for the child but the first. */
const SECRETS = {
  token: ['access_token'],
  refresh_token: ['refresh_token'],
  id_token: ['id_token'],
} as const;

/**
 * An answer that holds a token. Throws an ExchangeError; where a token may have been issued unseen, the error says so,
 * and that it would live until `until`.
 */
export async function askToken(
  session: Session,
  subjectToken: string | null,
  life: number,
  until: Date,
  context: BrokerContext,
): Promise<JsonAnswer> {
  const { config, server } = session;
  const subject = subjectToken === null ? [] : [['subject_token', subjectToken] as const];
  try {
    const answer = await post(
      session,
      {
        url: server.token,
        endpointKey: config.issuer === null ? 'token_endpoint' : null,
        form: [...tokenForm(config, life), ...subject],
        secrets: SECRETS,
      },
      context,
    );
    if (answer.status !== 200) throw refusal(answer, session);
    if (textAt(answer.body, 'access_token') !== null) return answer;
    throw new ExchangeError('ERR_PROVIDER_INVALID_RESPONSE', `"${answer.who}" answered 200 without a token`, {
      effect: 'unknown',
      status: answer.status,
    });
  } catch (error) {
    throw maybeIssued(error, 'a token', until);
  }
}

/** How far the clocks may be apart before that is the likely reason of a refusal, in seconds. */
const SKEW_SECONDS = 30;

function refusal(answer: JsonAnswer, session: Session): ExchangeError {
  const word = errorWords(answer.body, Object.keys(HINTS));
  const { skew } = answer;
  const clocks = word === 'invalid_client' || word === 'invalid_grant' || word === 'invalid_request';
  if (clocks && skew !== null && Math.abs(skew) > SKEW_SECONDS) {
    const where = `${formatDuration(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'}`;
    return statusError(answer, word, `the clock of this machine is ${where} the server's: set it`);
  }
  return statusError(answer, word, word === null ? undefined : HINTS[word]?.(session));
}

const isExchange = ({ config }: Session) => config.grant === 'token-exchange';

/** What to look at, by the codes of RFC 6749 section 5.2, RFC 8693 section 2.2.2 and RFC 8707 section 2. */
const HINTS: Readonly<Record<string, (session: Session) => string>> = {
  invalid_request: (session) =>
    isExchange(session)
      ? "the server takes no such token in exchange: look at its trust in the source's issuer, at source: audience and at subject_token_type"
      : 'look at audience, resource and ttl_parameter: the server does not know what is asked for',
  invalid_client: ({ client, server, config }) => {
    const { authMethods } = server;
    if (authMethods !== null && !authMethods.includes(client.method))
      return `look at client_auth: the server does not take ${client.method}`;
    return config.clientAuth.type === 'private-key-jwt'
      ? 'look at client_id, client_auth: key_file, key_id and audience, and at the key that the server has for the client'
      : 'look at client_id and client_auth';
  },
  invalid_grant: () => 'the token of the source is not good for this server any more, or not for this client',
  unauthorized_client: ({ config }) => `allow the client the grant ${config.grant} at the server`,
  unsupported_grant_type: ({ config }) =>
    `the server does not know ${config.grant}: look at issuer, and at grant`,
  invalid_scope: () => 'look at scope: the server knows no such word, or does not give it to this client',
  invalid_target: () => 'look at audience and resource: the server issues no token for that',
  access_denied: () => 'the server denies this client that token',
  temporarily_unavailable: () => 'try again later',
};

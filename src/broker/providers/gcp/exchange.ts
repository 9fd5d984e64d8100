/**
 * The Security Token Service: a token of an OIDC issuer for one of Google's, and one of Google's for a smaller one
 * (RFC 8693). https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */

import { maybeIssued, statusError } from '../../exchange-error.ts';
import { errorWords, numberAt, textAt } from '../../json-body.ts';
import { callJson, type JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import type { TokenProof } from '../../sources/proof.ts';
import { STS_ERRORS, stsHint } from './hints.ts';
import { FEDERATED_LIFE, type GcpPlan } from './plan.ts';
import { checkToken, type GcpToken, issuerNow, refusal } from './token-answer.ts';

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:';
const COMMON = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  requested_token_type: `${TOKEN_TYPE}access_token`,
};

/** The token of the pool's identity for `proof`. */
export async function exchangeProof(
  plan: GcpPlan,
  proof: TokenProof,
  ca: string | null,
  context: BrokerContext,
): Promise<GcpToken> {
  const unseen = inSeconds(context.now(), FEDERATED_LIFE);
  const form = {
    ...COMMON,
    audience: plan.config.audience,
    scope: plan.federatedScope.join(' '),
    subject_token_type: `${TOKEN_TYPE}jwt`,
    subject_token: proof.token,
  };
  const ask = { plan, form, ca, context, name: 'federated_token', what: 'a federated token', unseen };
  const answer = await exchange(ask, (word) => stsHint(word, plan, proof));
  const said = textAt(answer.body, 'scope');
  // To be said where it is not the one that was asked for (RFC 8693, section 2.2.1).
  if (said?.split(' ').some((scope) => !plan.federatedScope.includes(scope)))
    throw refusal(
      answer.who,
      'ERR_PROVIDER_SCOPE',
      'issued a token with more scope than was asked for',
      unseen,
    );
  return tokenIn(answer, null, unseen);
}

/** `source` cut down to the boundary; it lives no longer than that. */
export function exchangeForBoundary(
  plan: GcpPlan,
  source: GcpToken,
  boundary: string,
  ca: string | null,
  context: BrokerContext,
): Promise<GcpToken> {
  const form = {
    ...COMMON,
    subject_token_type: `${TOKEN_TYPE}access_token`,
    subject_token: source.token,
    options: boundary,
  };
  const what = 'a token within the boundary';
  const unseen = source.expiresAt;
  return exchange({ plan, form, ca, context, name: 'token', what, unseen }, boundaryHint).then((answer) =>
    tokenIn(answer, source.expiresAt, unseen),
  );
}

interface Exchange {
  readonly plan: GcpPlan;
  readonly form: Readonly<Record<string, string>>;
  readonly ca: string | null;
  readonly context: BrokerContext;
  /** The token's name for the masker, and in words. */
  readonly name: string;
  readonly what: string;
  /** When a token that nobody has seen would expire. */
  readonly unseen: Date;
}

/** Without an `Authorization` header, which can make the call fail. */
async function exchange(
  { plan, form, ca, context, name, what, unseen }: Exchange,
  hint: (word: string | null) => string | undefined,
): Promise<JsonAnswer> {
  try {
    const answer = await withRetry(
      () =>
        callJson({
          url: plan.tokenUrl,
          method: 'POST',
          form,
          ca,
          context,
          endpointKey: 'sts_endpoint',
          secrets: { [name]: ['access_token'] },
        }),
      context,
    );
    if (answer.status === 200) return answer;
    const word = errorWords(answer.body, STS_ERRORS);
    throw statusError(answer, word, hint(word));
  } catch (error) {
    throw maybeIssued(error, what, unseen);
  }
}

function tokenIn(answer: JsonAnswer, latest: Date | null, unseen: Date): GcpToken {
  const { body, who } = answer;
  const token = textAt(body, 'access_token');
  const isBearer = textAt(body, 'token_type')?.toLowerCase() === 'bearer';
  if (token !== null && !(isBearer && textAt(body, 'issued_token_type') === COMMON.requested_token_type))
    throw refusal(
      who,
      'ERR_PROVIDER_INVALID_RESPONSE',
      'issued a token of another type than was asked for',
      unseen,
    );
  const life = numberAt(body, 'expires_in');
  const expiresAt = life === null ? null : inSeconds(issuerNow(answer), life);
  return checkToken(answer, token, expiresAt, { latest, unseen });
}

function boundaryHint(word: string | null): string | undefined {
  return word === 'invalid_request'
    ? 'compare boundary with the roles and buckets that there are'
    : undefined;
}

function inSeconds(from: Date, seconds: number): Date {
  const bounded = Math.min(Math.max(seconds, -1e9), 1e9); // what no Date can hold is no life either
  return new Date(from.getTime() + bounded * 1000);
}

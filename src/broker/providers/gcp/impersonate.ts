/**
 * A service account's token, for somebody who may issue it.
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
 */

import { maybeIssued, statusError } from '../../exchange-error.ts';
import { errorWords, textAt } from '../../json-body.ts';
import { callJson, type JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import type { TokenProof } from '../../sources/proof.ts';
import { IAM_ERRORS, iamHint } from './hints.ts';
import type { GcpPlan } from './plan.ts';
import { checkToken, type GcpToken, issuerNow } from './token-answer.ts';

export interface Impersonation {
  readonly plan: GcpPlan;
  readonly to: NonNullable<GcpPlan['impersonation']>;
  readonly federated: GcpToken;
  /** For hints: whose token it was. */
  readonly proof: TokenProof;
  /** Seconds to ask for. */
  readonly lifetime: number;
  readonly ca: string | null;
}

/** The answer names neither principal nor scope: what was asked for, over TLS, is all that is known of them. */
export async function impersonate(it: Impersonation, context: BrokerContext): Promise<GcpToken> {
  const { plan, to, federated, lifetime, ca } = it;
  const unseen = new Date(context.now().getTime() + lifetime * 1000);
  let answer: JsonAnswer;
  try {
    answer = await withRetry(
      () =>
        callJson({
          url: to.url,
          method: 'POST',
          headers: { authorization: `Bearer ${federated.token}` },
          json: {
            scope: plan.config.scope,
            lifetime: `${lifetime}s`,
            ...(to.delegates.length > 0 && { delegates: to.delegates }),
          },
          ca,
          context,
          endpointKey: 'iam_endpoint',
          secrets: { service_account_token: ['accessToken'] },
        }),
      context,
    );
    if (answer.status !== 200) {
      const word = errorWords(answer.body, IAM_ERRORS, ['error', 'status']);
      throw statusError(answer, word, iamHint(word, it));
    }
  } catch (error) {
    throw maybeIssued(error, `a token of "${to.account}"`, unseen);
  }
  const latest = new Date(issuerNow(answer).getTime() + lifetime * 1000);
  const { body } = answer;
  return checkToken(answer, textAt(body, 'accessToken'), parseTime(textAt(body, 'expireTime')), {
    latest,
    unseen,
  });
}

/** RFC 3339 in UTC, with up to nine digits of a second; Date.parse takes much more. */
function parseTime(text: string | null): Date | null {
  if (text === null || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text)) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : new Date(time);
}

/**
 * Source `github-actions`: the job's OIDC token, requested for one audience.
 * https://docs.github.com/actions/reference/security/oidc
 */
import { CapwrapError } from '../../errors.ts';
import type { Source } from '../../policy/capability.ts';
import { isSecure } from '../endpoint.ts';
import { exchangeHttp, type HttpAnswer, HttpFault } from '../http-exchange.ts';
import { describeHttpFault } from '../http-fault.ts';
import type { BrokerContext } from '../provider.ts';
import type { TokenProof } from './proof.ts';
import { toTokenProof } from './token.ts';

const TIMEOUT_MS = 10_000;
const LABEL = 'github-actions';

/** The audience that AWS documents for GitHub's tokens. */
export const AWS_AUDIENCE = 'sts.amazonaws.com';

/** Requests a fresh token. Throws ERR_SOURCE_UNAVAILABLE outside a job that may ask for one. */
export async function requestGitHubToken(
  source: Extract<Source, { type: 'github-actions' }>,
  context: BrokerContext,
): Promise<TokenProof> {
  const audience = source.audience ?? AWS_AUDIENCE;
  const { url, requestToken } = requestPlace(context);
  context.registerSecret('actions_id_token_request_token', requestToken);
  url.searchParams.set('audience', audience); // the URL has a query of its own already
  const answer = await ask(url, requestToken, context);
  return toTokenProof(tokenIn(answer, url.host), { label: LABEL, audience }, context);
}

function requestPlace(context: BrokerContext): { readonly url: URL; readonly requestToken: string } {
  const text = context.env['ACTIONS_ID_TOKEN_REQUEST_URL'];
  const requestToken = context.env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  if (!text || !requestToken) {
    const inJob = context.env['GITHUB_ACTIONS'] === 'true';
    throw unavailable(
      inJob ? 'may not request a token in this job' : 'needs a GitHub Actions job, and this is none',
      inJob ? 'add to the job: permissions: {id-token: write, contents: read}' : undefined,
    );
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !isSecure(url)) {
    throw unavailable(
      'got a request address that is not https',
      'the runner sets ACTIONS_ID_TOKEN_REQUEST_URL; nothing else should',
    );
  }
  if (!/^[\x21-\x7e]+$/.test(requestToken))
    throw unavailable('got a request token of an impossible form', undefined);
  return { url, requestToken };
}

async function ask(url: URL, requestToken: string, context: BrokerContext): Promise<HttpAnswer> {
  try {
    return await exchangeHttp({
      url,
      method: 'GET',
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${requestToken}`,
        'user-agent': 'capwrap',
      },
      connectTimeoutMs: TIMEOUT_MS,
      timeoutMs: TIMEOUT_MS,
      signal: context.signal,
    });
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    throw unavailable(`got no token: "${url.host}" ${describeHttpFault(error, null).text}`, undefined);
  }
}

function tokenIn(answer: HttpAnswer, host: string): string {
  if (answer.status !== 200) {
    throw unavailable(
      `got no token: "${host}" answered ${answer.status}`,
      answer.status === 401 || answer.status === 403
        ? 'the request token ends with the job; is the job still running?'
        : 'run the job again',
    );
  }
  try {
    const { value } = JSON.parse(answer.body.toString('utf8')) as { value?: unknown };
    if (typeof value === 'string') return value;
  } catch {
    // said below: never the body
  }
  throw unavailable(`got no token: the answer of "${host}" holds none`, undefined);
}

function unavailable(what: string, hint: string | undefined): CapwrapError {
  return new CapwrapError('ERR_SOURCE_UNAVAILABLE', `source "${LABEL}" ${what}`, { hint });
}

/** GitHub's REST API: one call, and its refusals in words. https://docs.github.com/en/rest/using-the-rest-api */
import type { GitHubAppConfig } from '../../../policy/providers/github-app.ts';
import { readCaFile } from '../../ca-file.ts';
import { ExchangeError, statusError } from '../../exchange-error.ts';
import type { HttpMethod } from '../../http-exchange.ts';
import { errorWords, type JsonPath } from '../../json-body.ts';
import { callJson, type JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import { withRetry } from '../../retry.ts';

export interface ApiCall {
  readonly method: HttpMethod;
  /** Below the address of the API, with its slash. */
  readonly path: string;
  /** The app's JWT or the token of an installation. */
  readonly bearer: string;
  readonly json?: unknown;
  readonly secrets?: Readonly<Record<string, JsonPath>>;
  readonly answer?: 'ignored';
}

/** Calls the API at the address of the map. Resolves and throws as `callJson`, after `withRetry`. */
export function callApi(
  config: GitHubAppConfig,
  context: BrokerContext,
  { method, path, bearer, ...rest }: ApiCall,
): Promise<JsonAnswer> {
  const ca = readCaFile(config.caFile);
  const call = () =>
    callJson({
      url: new URL(`${config.apiUrl}${path}`),
      method,
      headers: {
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
        authorization: `Bearer ${bearer}`,
      },
      ca,
      context,
      endpointKey: 'api_url',
      ...rest,
    });
  return withRetry(call, context);
}

/** What GitHub says in `message`, as far as capwrap knows it. */
const WORDS = [
  'Bad credentials',
  'Requires authentication',
  'Integration not found',
  'A JSON web token could not be decoded',
  "'Expiration time' claim ('exp')",
  "'Issued at' claim ('iat')",
  'secondary rate limit',
  'API rate limit exceeded',
  'This installation has been suspended',
  'The permissions requested are not granted to this installation',
  'There is at least one repository that does not exist or is not accessible to the parent installation',
  'Resource not accessible by integration',
  'Rate limiting is not enabled',
  'Not Found',
];

/** The known words of a refusal, or null. */
export function saidBy({ body }: Pick<JsonAnswer, 'body'>): string | null {
  return errorWords(body, WORDS, ['message']);
}

/** The error for a refusal. A limit on requests answers 403 as well as 429. */
export function refusal(answer: JsonAnswer, hint?: string): ExchangeError {
  const said = saidBy(answer);
  if (!isLimit(answer, said)) return statusError(answer, said, hint);
  return new ExchangeError(
    'ERR_PROVIDER_UNAVAILABLE',
    `"${answer.who}" limits requests: it answered ${answer.status}${said === null ? '' : ` (${said})`}`,
    { effect: 'none', status: answer.status, hint: 'try again later' },
  );
}

function isLimit({ status, headers }: JsonAnswer, said: string | null): boolean {
  if (status !== 403) return false;
  const spent = headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined;
  return spent || said === 'secondary rate limit' || said === 'API rate limit exceeded';
}

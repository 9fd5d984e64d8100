/**
 * The end of a token, by the token itself, and whether it works.
 * https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token
 */
import { abortableWait } from '../../../base/abortable-wait.ts';
import { TOKEN_LIFE } from '../../../policy/providers/github-app/check.ts';
import type { GitHubAppConfig } from '../../../policy/providers/github-app.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext, EndAnswer, Lease, ProbeAnswer } from '../../provider.ts';
import { callApi, refusal, saidBy } from './api.ts';

/** Seconds in which a new token may not be known everywhere at GitHub, so that a 401 says nothing. */
const FRESH_SECONDS = 10;
/** Milliseconds before each further look at a new token; many refusals in a row make GitHub refuse this address. */
const FRESH_PAUSES = [700, 1400];

/** Leases whose token has worked for a probe, or that have been ended: a 401 means something from then on. */
const settled = new WeakSet<Lease>();

/** Deletes the token. An answer of 401 is no end: it says that the token was no good already, and not since when. */
export async function endToken(
  lease: Lease,
  config: GitHubAppConfig,
  context: BrokerContext,
): Promise<EndAnswer> {
  settled.add(lease);
  const answer = await callApi(config, context, {
    method: 'DELETE',
    path: '/installation/token',
    bearer: tokenOf(lease),
  });
  const did = `DELETE /installation/token answered ${answer.status}`;
  return answer.status === 204
    ? { kind: 'ended', did }
    : { kind: 'failed', did, error: refusal(answer).message };
}

/**
 * Asks for the rate limit, which takes no permission and is not counted; where a server of one's own has none, for a
 * repository of the installation. Only GitHub's own words for a bad token count as its death; a token that has not
 * worked yet is looked at again.
 */
export async function probeToken(
  lease: Lease,
  config: GitHubAppConfig,
  context: BrokerContext,
): Promise<ProbeAnswer> {
  for (const pause of [...FRESH_PAUSES, null]) {
    const seen = await look(lease, config, context);
    if (seen.answer.state === 'alive') settled.add(lease);
    const early = seen.answer.state === 'dead' && !settled.has(lease) && seen.age < FRESH_SECONDS;
    if (!early) return seen.answer;
    if (pause === null || context.signal.aborted) {
      return { state: 'unknown', saw: `${seen.answer.saw}, which may be too early for a new token` };
    }
    await abortableWait(pause, context.signal);
  }
  throw new RangeError('the last look has no pause'); // the loop returns
}

async function look(lease: Lease, config: GitHubAppConfig, context: BrokerContext) {
  const bearer = tokenOf(lease);
  let path = '/rate_limit';
  let answer = await callApi(config, context, { method: 'GET', path, bearer });
  if (answer.status === 404 && saidBy(answer) === 'Rate limiting is not enabled') {
    path = '/installation/repositories?per_page=1';
    answer = await callApi(config, context, { method: 'GET', path, bearer });
  }
  const now = answer.date ?? answer.receivedAt;
  const saw = `GET ${path} answered ${answer.status}`;
  const age = (now.getTime() - lease.expiresAt.getTime()) / 1000 + TOKEN_LIFE;
  return { answer: { state: stateOf(answer, now, lease), saw } as ProbeAnswer, age };
}

function stateOf(answer: JsonAnswer, now: Date, lease: Lease): ProbeAnswer['state'] {
  if (answer.status === 200 && answer.body !== null) return 'alive';
  if (answer.status !== 401 || saidBy(answer) !== 'Bad credentials') return 'unknown';
  return now >= lease.expiresAt ? 'expired' : 'dead';
}

/** What GitHub issued with a line break at its end is ended all the same. */
function tokenOf(lease: Lease): string {
  return lease.values['token']?.value.trim() ?? '';
}

/** The smallest provider that does everything right: what the catalogue is tried out on, and a pattern for the real ones. */

import { maybeIssued, statusError } from '../../../src/broker/exchange-error.ts';
import { textAt } from '../../../src/broker/json-body.ts';
import { callJson, type JsonAnswer } from '../../../src/broker/json-exchange.ts';
import type { BrokerContext, IssueRequest, Lease, Provider } from '../../../src/broker/provider.ts';
import { withRetry } from '../../../src/broker/retry.ts';

export function fakeProvider(address: string): Provider {
  const ask = (
    context: BrokerContext,
    path: string,
    rest: Omit<Parameters<typeof callJson>[0], 'url' | 'context' | 'endpointKey'>,
  ) => callJson({ url: new URL(path, address), context, endpointKey: 'address', ...rest });
  const bearer = (lease: Lease) => ({ authorization: `Bearer ${lease.values['token']?.value.trim()}` });

  async function issue(request: IssueRequest, context: BrokerContext): Promise<Lease> {
    const form = { user: 'agent', scope: 'read', seconds: String(request.ttl) };
    let answer: JsonAnswer;
    try {
      answer = await withRetry(
        () => ask(context, '/token', { method: 'POST', form, secrets: { token: ['token'] } }),
        context,
      );
      if (answer.status !== 200) throw statusError(answer);
    } catch (error) {
      throw maybeIssued(error, 'a token', request.deadline);
    }
    const { body } = answer;
    return {
      leaseId: request.leaseId,
      provider: 'local-issuer',
      values: { token: { value: textAt(body, 'token') ?? '', secret: true } },
      defaultInject: { TOKEN: 'token' },
      expiresAt: new Date(textAt(body, 'expires_at') ?? ''),
      principal: textAt(body, 'user') ?? '',
      scope: (textAt(body, 'scope') ?? '').split(' '),
      facts: answer.skew === null ? {} : { clock_skew_seconds: answer.skew },
      handle: null,
      warnings: [],
    };
  }

  return {
    issue,
    minimumLife: 0,
    faultOf(lease) {
      if (lease.principal !== 'agent')
        return { code: 'ERR_PROVIDER_WRONG_PRINCIPAL', text: 'issued a token for somebody else' };
      if (lease.scope.join(' ') !== 'read')
        return { code: 'ERR_PROVIDER_SCOPE', text: 'issued a token with another scope' };
      return null;
    },
    async end(lease, context) {
      const answer = await withRetry(
        () => ask(context, '/token', { method: 'DELETE', headers: bearer(lease), answer: 'ignored' }),
        context,
      );
      if (answer.status === 204) return { kind: 'ended', did: 'DELETE answered 204' };
      return { kind: 'failed', did: `DELETE answered ${answer.status}`, error: statusError(answer).message };
    },
    async probe(lease, context) {
      const { status } = await ask(context, '/whoami', { method: 'GET', headers: bearer(lease) });
      const saw = `GET /whoami answered ${status}`;
      return { state: status === 200 ? 'alive' : status === 401 ? 'dead' : 'unknown', saw };
    },
    settling: [250, 500, 1000],
    preview: () => ({}),
  };
}

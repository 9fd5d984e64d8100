/** AWS STS in the catalogue, through the sandbox. Its tables of errors have tests of their own. */
import type { Fault } from '../../../examples/sandbox/faults.ts';
import { startSandbox } from '../../../examples/sandbox/server.ts';
import { awsSts } from '../../../src/broker/providers/aws-sts/index.ts';
import { brokerContext, issueRequest, variablesOf } from '../../helpers/aws.ts';
import type { Misbehaviour, TransportFault } from '../faults.ts';
import { movableClock, type ProviderFixture } from '../fixture.ts';
import { NOT_FOR_EYES } from '../kit.ts';

export const awsStsFixture: ProviderFixture = {
  name: 'aws-sts',
  routes: { issue: ['AssumeRole'], end: [], probe: [] },
  outcome: 'expires',
  without: {
    'issue: wider_than_asked':
      'STS does not say what a session may do: the policy that was sent is what holds',
    'end: revoke_fails': 'no call ends a session',
    'end: still_alive': 'no call ends a session',
  },
  async start() {
    const sandbox = await startSandbox();
    const clock = movableClock();
    let expected = 0;
    const push = (fault: Fault) => {
      sandbox.faults.push(fault);
      expected += 1;
    };
    return {
      provider: awsSts,
      context: brokerContext(variablesOf(sandbox.credentials.base), { now: clock.now }),
      issueRequest: () => issueRequest({ endpoint: sandbox.url }, 900, clock.now()),
      fault: ({ fault, route, times }) =>
        push({ ...FAULTS[fault], action: route, ...(times === undefined ? {} : { times }) }),
      misbehave: (kind) => push({ kind: 'rewrite', elements: REWRITTEN[kind] ?? {}, action: 'AssumeRole' }),
      met: () => (expected === 0 ? 0 : sandbox.requests.filter(({ fault }) => fault !== null).length),
      hanging: () => sandbox.requests.filter(({ fault }) => fault === 'hang').length,
      strayed: () => 0,
      secrets: () => sandbox.secrets(),
      live: () => sandbox.issuedSessions.filter((one) => (one.expiresAt ?? 0) > sandbox.state.now()).length,
      passTime(seconds) {
        clock.passTime(seconds);
        sandbox.clockOffset += seconds;
      },
      stop: () => sandbox.stop(),
    };
  },
};

const FAULTS: Readonly<Record<TransportFault, Fault>> = {
  refused: { kind: 'error', status: 403, code: 'AccessDenied', message: NOT_FOR_EYES },
  throttled: { kind: 'error', status: 400, code: 'Throttling', message: NOT_FOR_EYES },
  slow: { kind: 'slow', delayMs: 300 },
  hang: { kind: 'hang' },
  server_error: { kind: 'error', status: 500, code: 'InternalFailure', message: NOT_FOR_EYES },
  html: { kind: 'body', status: 200, body: `<html><body>${NOT_FOR_EYES}</body></html>` },
  huge: { kind: 'huge', bytes: 10 * 1024 * 1024 },
  redirect: { kind: 'redirect', to: 'http://127.0.0.1:9/' },
  truncated: { kind: 'truncated' },
  reset_after_effect: { kind: 'reset', when: 'after-effect' },
};

const REWRITTEN: Partial<Record<Misbehaviour, Readonly<Record<string, string>>>> = {
  expired_on_arrival: { Expiration: '2020-01-01T00:00:00Z' },
  longer_than_asked: { Expiration: '2099-01-01T00:00:00Z' },
  wrong_principal: { Arn: 'arn:aws:sts::123456789012:assumed-role/admin/agent-1' },
  value_with_newline: { SessionToken: 'a-session-token&#10;of-two-lines' },
};

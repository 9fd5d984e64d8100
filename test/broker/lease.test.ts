/** What capwrap insists on whoever the issuer is; the provider here answers as each case says. */
import { afterEach, expect, test, vi } from 'vitest';
import { endLease, issueLease } from '../../src/broker/lease.ts';
import type { BrokerContext, IssueRequest, Lease, Provider, Revocation } from '../../src/broker/provider.ts';
import { CapwrapError } from '../../src/errors.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const ENDED: Revocation = { outcome: 'revoked_verified', end: 'ended', probe: 'refused', error: null };
const DEADLINE = new Date('2026-01-01T12:10:00Z');
const REQUEST = { deadline: DEADLINE } as IssueRequest; // the provider of these tests looks at nothing else

const LEASE: Lease = {
  leaseId: '0123456789abcdef',
  provider: 'local-issuer',
  values: { token: { value: 'secret-token', secret: true }, name: { value: 'public', secret: false } },
  defaultInject: {},
  expiresAt: new Date('2026-01-01T12:15:00Z'),
  principal: 'someone',
  scope: [],
  facts: {},
  warnings: [],
};

function setUp(lease: Partial<Lease> = {}, end: Provider['end'] = async () => ENDED) {
  const registered: [string, string][] = [];
  const ends: AbortSignal[] = [];
  const provider: Provider = {
    issue: async () => ({ ...LEASE, ...lease }),
    end: (given, context) => {
      ends.push(context.signal);
      return end(given, context);
    },
    preview: () => ({}),
  };
  const context: BrokerContext = {
    env: {},
    stateDir: '/nowhere',
    signal: AbortSignal.abort(),
    now: () => NOW,
    registerSecret: (name, value) => registered.push([name, value]),
  };
  return { provider, context, registered, ends };
}

afterEach(() => {
  vi.useRealTimers();
});

test('a sound lease is handed on, its secret values known to the masker', async () => {
  const { provider, context, registered, ends } = setUp();
  expect(await issueLease(provider, REQUEST, context)).toEqual(LEASE);
  expect(registered).toEqual([['token', 'secret-token']]);
  expect(ends).toEqual([]);
});

test.each([
  ['no expiry', { expiresAt: new Date(Number.NaN) }, /issued a credential without an expiry/],
  ['an expiry that is over', { expiresAt: NOW }, /had expired at 2026-01-01T12:00:00.000Z/],
  ['an empty value', { values: { token: { value: '', secret: true } } }, /issued an empty "token"/],
  ['a line break in a value', { values: { token: { value: 'a\nb', secret: true } } }, /line break or NUL/],
] as const)(
  'a lease with %s is ended, even in a run that is being interrupted',
  async (_name, part, message) => {
    const { provider, context, ends } = setUp(part);
    const fault = await issueLease(provider, REQUEST, context).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(CapwrapError);
    expect(fault).toMatchObject({ code: 'ERR_PROVIDER_EXPIRY', message: expect.stringMatching(message) });
    expect(Number.isFinite((fault as CapwrapError).issuedUntil?.getTime())).toBe(true); // it goes into the record
    expect(ends.map(({ aborted }) => aborted)).toEqual([false]);
  },
);

test('an end that never comes is given up, and its request cut off', async () => {
  vi.useFakeTimers();
  const { provider, context, ends } = setUp({}, () => new Promise(() => {}));
  const ending = endLease(provider, LEASE, context);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await ending).toMatchObject({ outcome: 'revoke_failed', error: 'no answer within 20 s' });
  expect(ends[0]?.aborted).toBe(true);
});

test('an end that throws is a failed one, without the words of what was thrown', async () => {
  const { provider, context } = setUp({}, () => Promise.reject(new Error('secret-token')));
  expect(await endLease(provider, LEASE, context)).toEqual({
    outcome: 'revoke_failed',
    end: null,
    probe: null,
    error: 'unexpected failure',
  });
});

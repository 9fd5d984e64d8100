/** What capwrap insists on whoever the issuer is; the provider here answers as each case says. */
import { afterEach, expect, test, vi } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import { issueLease, LeaseRefused } from '../../src/broker/lease.ts';
import type {
  BrokerContext,
  EndAnswer,
  IssueRequest,
  Lease,
  ProbeAnswer,
  Provider,
} from '../../src/broker/provider.ts';
import { CapwrapError } from '../../src/errors.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const ENDED: EndAnswer = { kind: 'ended', did: 'ended' };
const DEADLINE = new Date('2026-01-01T12:10:00Z');
const REQUEST = { deadline: DEADLINE, ttl: 600 } as IssueRequest; // the provider of these tests looks at nothing else

const LEASE: Lease = {
  leaseId: '0123456789abcdef',
  provider: 'local-issuer',
  values: { token: { value: 'secret-token', secret: true }, name: { value: 'public', secret: false } },
  defaultInject: {},
  expiresAt: new Date('2026-01-01T12:10:00Z'),
  principal: 'someone',
  scope: [],
  facts: {},
  handle: null,
  warnings: [],
};

function setUp(
  lease: Partial<Lease> = {},
  end: NonNullable<Provider['end']> = async () => ENDED,
  more: Partial<Provider> = {},
) {
  const registered: [string, string][] = [];
  const ends: AbortSignal[] = [];
  const provider: Provider = {
    issue: async () => ({ ...LEASE, ...lease }),
    end: (given, context) => {
      ends.push(context.signal);
      return end(given, context);
    },
    minimumLife: 0,
    preview: () => ({}),
    ...more,
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
  ['no expiry', { expiresAt: new Date(Number.NaN) }, 'EXPIRY', /issued a credential without an expiry/],
  ['an expiry that is over', { expiresAt: NOW }, 'EXPIRY', /had expired at 2026-01-01T12:00:00.000Z/],
  [
    'an empty value',
    { values: { token: { value: '', secret: true } } },
    'INVALID_RESPONSE',
    /issued an empty "token"/,
  ],
  [
    'a line break in a value',
    { values: { token: { value: 'a\nb', secret: true } } },
    'INVALID_RESPONSE',
    /line break or NUL/,
  ],
] as const)(
  'a lease with %s is ended, even in a run that is being interrupted',
  async (_name, part, code, message) => {
    const { provider, context, ends } = setUp(part);
    const fault = await issueLease(provider, REQUEST, context).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(CapwrapError);
    expect(fault).toMatchObject({ code: `ERR_PROVIDER_${code}`, message: expect.stringMatching(message) });
    expect((fault as LeaseRefused).lease.values, 'no error holds a credential').toEqual({});
    expect(Number.isFinite((fault as CapwrapError).issuedUntil?.getTime())).toBe(true); // it goes into the record
    expect(ends.map(({ aborted }) => aborted)).toEqual([false]);
  },
);

test('what has lines by its nature may have them, and nothing may have a NUL', async () => {
  const lease = (value: string) => ({ values: { key: { value, secret: true, lines: true as const } } });
  const { provider, context } = setUp(lease('-----BEGIN\nx\n-----END\n'));
  await expect(issueLease(provider, REQUEST, context)).resolves.toBeDefined();
  const other = setUp(lease('a\0b'));
  await expect(issueLease(other.provider, REQUEST, other.context)).rejects.toThrow(/line break or NUL/);
});

test('an end that never comes is given up, and its request cut off', async () => {
  vi.useFakeTimers();
  const { provider, context, ends } = setUp({}, () => new Promise(() => {}));
  const ending = endLease(provider, LEASE, context);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await ending).toMatchObject({ outcome: 'revoke_failed', error: 'no answer within 20 s' });
  expect(ends[0]?.aborted).toBe(true);
});

test('after an end that was given up, nobody is asked any more', async () => {
  vi.useFakeTimers();
  let looks = 0;
  const probe = async (): Promise<ProbeAnswer> => ({ state: 'alive', saw: `look ${++looks}` });
  const cutOff: NonNullable<Provider['end']> = (_lease, { signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))));
  const { provider, context } = setUp({}, cutOff, { probe, settling: [10] });
  const ending = endLease(provider, LEASE, context);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await ending).toMatchObject({ outcome: 'revoke_failed', error: 'no answer within 20 s' });
  await vi.runAllTimersAsync();
  expect(looks).toBe(1);
});

test('a wait for the credential to die is over with the time for the end', async () => {
  vi.useFakeTimers();
  const { provider, context } = setUp({}, undefined, { ...probing('alive'), settling: [60_000] });
  const ending = endLease(provider, LEASE, context);
  await vi.advanceTimersByTimeAsync(20_000);
  await ending;
  expect(vi.getTimerCount()).toBe(0);
});

test('a probe that never comes does not keep the lease from being ended, and is no failure', async () => {
  vi.useFakeTimers();
  const probe = () => new Promise<ProbeAnswer>(() => {});
  const { provider, context, ends } = setUp({}, undefined, { probe });
  const ending = endLease(provider, LEASE, context);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(ends.length).toBe(1);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(await ending).toEqual({
    outcome: 'revoked_unverified',
    end: 'ended',
    probe: 'no answer in time; before: no answer in time',
    error: null,
  });
});

test('an issuer that is slow to let a credential die has ended it all the same', async () => {
  vi.useFakeTimers();
  const { provider, context } = setUp({}, undefined, { ...probing('alive'), settling: [30_000] });
  const ending = endLease(provider, LEASE, context);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await ending).toMatchObject({ outcome: 'revoked_unverified', end: 'ended' });
});

test('an end that throws is a failed one, without the words of what was thrown', async () => {
  const { provider, context } = setUp({}, () => Promise.reject(new Error('secret-token')));
  expect(await endLease(provider, LEASE, context)).toEqual({
    outcome: 'revoke_failed',
    end: 'no answer to the end of the lease',
    probe: null,
    error: 'unexpected failure',
  });
});

test.each([
  ['longer than the grant', '2026-01-01T12:11:01Z', 0, false],
  ['longer, within what clocks may differ', '2026-01-01T12:10:59Z', 0, true],
  ["longer, within the issuer's own minimum", '2026-01-01T12:15:30Z', 900, true],
  ["longer than the issuer's own minimum", '2026-01-01T12:16:01Z', 900, false],
])('a life that is %s', async (_name, expiry, minimumLife, fine) => {
  const { provider, context } = setUp({ expiresAt: new Date(expiry) }, undefined, { minimumLife });
  const issued = issueLease(provider, REQUEST, context);
  await (fine
    ? expect(issued).resolves.toBeDefined()
    : expect(issued).rejects.toThrow(/longer than the grant of 600 s/));
});

test("what the provider finds wrong ends the lease, and the error carries the lease's end", async () => {
  const { provider, context } = setUp({}, undefined, {
    faultOf: () => ({ code: 'ERR_PROVIDER_WRONG_PRINCIPAL', text: 'issued a credential for somebody else' }),
  });
  const fault = await issueLease(provider, REQUEST, context).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(LeaseRefused);
  expect(fault).toMatchObject({
    code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
    revocation: { outcome: 'revoked_unverified', end: 'ended' },
  });
});

/** What the probe says, look after look; the last one again and again. */
function probing(...states: ProbeAnswer['state'][]): Partial<Provider> {
  let at = 0;
  return {
    settling: [1, 1, 1],
    probe: async () => {
      const state = states[Math.min(at++, states.length - 1)] ?? 'unknown';
      return { state, saw: state };
    },
  };
}

const FAILED: EndAnswer = { kind: 'failed', did: 'asked', error: 'refused' };
const NONE: EndAnswer = { kind: 'not_revocable', did: 'nothing to revoke' };

test.each([
  { name: 'alive, ended, dead', states: ['alive', 'dead'], outcome: 'revoked_verified', probe: 'dead' },
  {
    name: 'dead only after a while',
    states: ['alive', 'alive', 'unknown', 'dead'],
    outcome: 'revoked_verified',
    probe: 'dead',
  },
  { name: 'alive for ever', states: ['alive'], outcome: 'revoked_unverified', probe: 'alive; before: alive' },
  {
    name: 'never shown to be alive',
    states: ['dead', 'dead'],
    outcome: 'revoked_unverified',
    probe: 'dead; before: dead',
  },
  {
    name: 'no answer before',
    states: ['unknown', 'dead'],
    outcome: 'revoked_unverified',
    probe: 'dead; before: unknown',
  },
  {
    name: 'expired in between',
    states: ['alive', 'expired'],
    outcome: 'revoked_unverified',
    probe: 'expired; before: alive',
  },
  { name: 'expired before', states: ['expired'], outcome: 'expired', probe: 'expired' },
  { name: 'ended before', states: ['revoked'], outcome: 'revoked_verified', probe: 'revoked' },
  {
    name: 'a failure that had its effect',
    states: ['alive', 'dead'],
    end: FAILED,
    outcome: 'revoked_verified',
    probe: 'dead',
  },
  {
    name: 'a failure',
    states: ['alive'],
    end: FAILED,
    outcome: 'revoke_failed',
    probe: 'alive; before: alive',
  },
  { name: 'no such operation', states: ['alive'], end: NONE, outcome: 'expires', probe: null },
] as const)('a credential that is $name: $outcome', async ({ states, outcome, probe, ...rest }) => {
  const answer = 'end' in rest ? rest.end : ENDED;
  const { provider, context } = setUp({}, async () => answer, probing(...states));
  expect(await endLease(provider, LEASE, context)).toMatchObject({ outcome, probe });
});

test('without an operation at the issuer a lease ends by time, by the clock of the issuer', async () => {
  const { provider, context } = setUp();
  const { end: _, ...bare } = provider;
  const at = (expiry: string, skew = 0) =>
    endLease(bare, { ...LEASE, expiresAt: new Date(expiry), facts: { clock_skew_seconds: skew } }, context);
  expect((await at('2026-01-01T12:00:01Z')).outcome).toBe('expires');
  expect((await at('2026-01-01T12:00:00Z')).outcome).toBe('expired');
  expect((await at('2026-01-01T12:00:00Z', 5)).outcome).toBe('expires');
});

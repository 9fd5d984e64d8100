/** The clock: what can be told from a Date header, and what a difference means for a grant. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { judgeClock, measureSkew } from '../../src/broker/providers/aws-sts/clock.ts';
import { awsSts } from '../../src/broker/providers/aws-sts/index.ts';
import { brokerContext, errorOf, issueRequest } from '../helpers/aws.ts';

describe('measureSkew', () => {
  test('never claims more than the true difference, and misses at most the round trip and a second', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -7_200_000, max: 7_200_000 }),
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 0, max: 999 }),
        (ahead, there, back, fraction) => {
          const sent = 1_800_000_000_000 + fraction;
          const stamped = new Date(sent + there - ahead);
          const skew = measureSkew(stamped.toUTCString(), new Date(sent), new Date(sent + there + back)) ?? Number.NaN;
          const truth = ahead / 1000;
          expect(Math.abs(skew)).toBeLessThanOrEqual(Math.abs(truth) + 0.5);
          expect(Math.abs(truth - skew)).toBeLessThanOrEqual((there + back) / 1000 + 1.5);
          expect(Object.is(skew, -0)).toBe(false);
        },
      ),
    );
  });

  test.each([undefined, '', 'soon'])('can’t tell from %j', (date) => {
    expect(measureSkew(date, new Date(), new Date())).toBe(null);
  });
});

describe('judgeClock', () => {
  const until = new Date('2026-11-23T12:15:00Z');
  test.each([
    { skew: 0, warnings: [] },
    { skew: 4, warnings: [] },
    { skew: -4, warnings: [] },
    { skew: 5, warnings: [/5 s ahead of STS: the issuer ends the session that much after the deadline$/] },
    { skew: 60, warnings: [/60 s ahead/] },
    { skew: -5, warnings: [/5 s behind STS: the issuer ends the session that much before the deadline$/] },
    { skew: -299, warnings: [/299 s behind/] },
    { skew: null, warnings: [/sent no usable Date header/] },
  ])('$skew s is borne', ({ skew, warnings }) => {
    const got = judgeClock(skew, 300, until);
    expect(got.length).toBe(warnings.length);
    for (const [index, pattern] of warnings.entries()) expect(got[index]).toMatch(pattern);
  });

  test.each([61, 3600, -300, -301])('%d s is not', async (skew) => {
    expect(await errorOf(() => judgeClock(skew, 300, until))).toMatchObject({ code: 'ERR_CLOCK_SKEW', issuedUntil: until });
  });
});

describe('against the sandbox', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox();
  });
  afterAll(() => sandbox.stop());
  afterEach(() => {
    sandbox.clockOffset = 0;
    sandbox.faults.clear();
  });

  function issue() {
    const { accessKeyId, secretAccessKey, sessionToken } = sandbox.credentials.base;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken ?? '' };
    return awsSts.issue(issueRequest({ endpoint: sandbox.url }), brokerContext(env));
  }

  test.each([
    { offset: 240, skew: [-240, -239], warning: /s behind STS/ },
    { offset: -45, skew: [44, 45], warning: /s ahead of STS/ },
  ])('a server that is $offset s off is worked with, and said', async ({ offset, skew, warning }) => {
    sandbox.clockOffset = offset;
    const lease = await issue();
    expect(skew).toContain(lease.facts['clock_skew_seconds']);
    expect(lease.warnings).toEqual([expect.stringMatching(warning)]);
  });

  test('an answer without a Date is said', async () => {
    sandbox.faults.push({ kind: 'date', date: null });
    const lease = await issue();
    expect(lease.facts).not.toHaveProperty('clock_skew_seconds');
    expect(lease.warnings).toEqual([expect.stringMatching(/no usable Date header/)]);
  });
});

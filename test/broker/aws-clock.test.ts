/** The clock: what can be told from a Date header, and what a difference means for a grant. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { measureSkew } from '../../src/broker/measure-skew.ts';
import { judgeClock } from '../../src/broker/providers/aws-sts/clock.ts';
import { awsSts } from '../../src/broker/providers/aws-sts/index.ts';
import { brokerContext, errorOf, issueRequest, variablesOf } from '../helpers/aws.ts';
import { testFailures } from './aws-failures.ts';

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
          const skew =
            measureSkew(stamped.toUTCString(), new Date(sent), new Date(sent + there + back)) ?? Number.NaN;
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
    expect(await errorOf(() => judgeClock(skew, 300, until))).toMatchObject({
      code: 'ERR_CLOCK_SKEW',
      issuedUntil: until,
    });
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
    const context = brokerContext(variablesOf(sandbox.credentials.base));
    return awsSts.issue(issueRequest({ endpoint: sandbox.url }), context);
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

describe('a clock that can’t be worked with', () => {
  testFailures([
    {
      name: 'a clock far behind, which STS refuses',
      set: clock(600),
      code: 'ERR_CLOCK_SKEW',
      message: /^clock of this machine is (?:599|600) s behind STS, which refuses the signature for it$/,
      hint: /^set the clock/,
    },
    {
      name: 'a clock far ahead, which STS refuses',
      set: clock(-600),
      code: 'ERR_CLOCK_SKEW',
      message: /^clock of this machine is (?:599|600) s ahead of STS, which refuses the signature for it$/,
    },
    {
      name: 'a clock ahead by more than the session policy can bear',
      set: clock(-90),
      code: 'ERR_CLOCK_SKEW',
      message:
        /^clock of this machine is (?:89|90) s ahead of STS, so the session policy would end the session (?:89|90) s too late$/,
      mayExist: true,
    },
    {
      name: 'a clock behind by more than the whole grant',
      set: clock(120),
      ttl: 60,
      code: 'ERR_CLOCK_SKEW',
      message:
        /^clock of this machine is (?:119|120) s behind STS, so the session policy of 60 s is over already$/,
      mayExist: true,
    },
    {
      name: 'a clock whose size only the message tells',
      fault: {
        kind: 'body',
        status: 403,
        headers: { date: '', 'content-type': 'text/xml' },
        body: '<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)</Message></Error></ErrorResponse>',
      },
      code: 'ERR_CLOCK_SKEW',
      message: 'clock of this machine is 900 s behind STS, which refuses the signature for it',
    },
  ]);
});

function clock(secondsAhead: number) {
  return (sandbox: Sandbox) => {
    sandbox.clockOffset = secondsAhead;
  };
}

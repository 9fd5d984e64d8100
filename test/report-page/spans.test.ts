import { expect, test } from 'vitest';
import type { LeaseFacts } from '../../src/audit/report/lease-facts.ts';
import { spanOf } from '../../src/report-page/spans.ts';

const HOUR = 3_600_000;
const FACTS: LeaseFacts = {
  state: 'expired',
  start: 0,
  end: null,
  endedLater: null,
  last: 1000,
  expires: HOUR,
  leaked: false,
  verdict: null,
  grade: null,
};

const SPANS: readonly (readonly [string, Partial<LeaseFacts>, { ran: number; usable: number }])[] = [
  ['of a run that ended', { end: 5000 }, { ran: 5000, usable: 5000 }],
  ['left to expire', { state: 'expires', end: 5000 }, { ran: 5000, usable: HOUR }],
  ['whose run died, ended days later', { endedLater: 72 * HOUR }, { ran: 1000, usable: HOUR }],
  [
    'whose run died, revoked before its time was over',
    { state: 'revoked_verified', endedLater: 9000 },
    { ran: 1000, usable: 9000 },
  ],
  [
    'whose run died, and that could not be revoked',
    { state: 'revoke_failed', endedLater: 9000 },
    { ran: 1000, usable: HOUR },
  ],
];
test.each(SPANS)('a lease %s is drawn no longer than is known', (_name, facts, expected) => {
  expect(spanOf(0, { ...FACTS, ...facts }, null, 100 * HOUR)).toMatchObject(expected);
});

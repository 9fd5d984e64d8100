/** How a lease looks, in the timeline and in the table: a colour and, for what matters in an incident, a sign. */
import type { LeaseFacts, LeaseState } from '../audit/report/lease-facts.ts';

/** Names of the page's colours, as its style sheet has them. */
export const HUES = ['verified', 'expiring', 'unverified', 'failed', 'leak', 'denied', 'unfinished'] as const;
export type Hue = (typeof HUES)[number];

export type Sign = '◆' | '▲' | '■' | '□' | '✕' | '○' | '';

const LOOKS: Readonly<Record<LeaseState, readonly [Hue, Sign]>> = {
  revoked_verified: ['verified', ''],
  expires: ['expiring', ''],
  expired: ['expiring', ''],
  not_issued: ['expiring', ''],
  other: ['expiring', ''],
  revoked_unverified: ['unverified', ''],
  revoke_failed: ['failed', '■'],
  unfinished: ['unfinished', '□'],
  denied: ['denied', '✕'],
  asked: ['denied', '○'],
};

/** A leak and a reuse go before how the lease ended. */
export function hueOf({ state, leaked, verdict }: LeaseFacts): Hue {
  return leaked || verdict === 'reuse_detected' ? 'leak' : LOOKS[state][0];
}

export function signsOf({ state, leaked, verdict }: LeaseFacts): readonly Sign[] {
  const signs: Sign[] = [leaked ? '◆' : '', verdict === 'reuse_detected' ? '▲' : '', LOOKS[state][1]];
  return signs.filter((sign) => sign !== '');
}

/** The words of a report, for people; the log's own stand in its stories. */
import type { Verdict } from '../record/reconciled-record.ts';
import type { Counted, LeaseState } from './lease-facts.ts';

export const STATE_WORDS: Readonly<Record<LeaseState, string>> = {
  revoked_verified: 'revoked, found dead',
  revoked_unverified: 'revoked, not verified',
  revoke_failed: 'revocation failed',
  expires: 'left to expire',
  expired: 'expired',
  not_issued: 'nothing issued',
  unfinished: 'unfinished',
  denied: 'denied',
  asked: 'approval asked for',
  other: 'not told',
};

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  reuse_detected: 'reuse detected',
  unverifiable: 'reuse unverifiable',
  expired_without_reuse: 'expired without reuse',
};

export const COUNT_WORDS: Readonly<Record<Counted, string>> = {
  leases: 'leases',
  leaked: 'with a leak',
  reuse_detected: 'reused',
  unfinished: 'unfinished',
  revoke_failed: 'not revoked',
  revoked_unverified: 'revoked, not verified',
  denied: 'denied',
};

export const GRADE_WORDS: Readonly<Record<string, string>> = {
  terminal: 'on a terminal',
  ssh_key: 'by SSH key',
  ssh_key_touch: 'by SSH key with touch',
  ssh_key_verified: 'by SSH key with PIN or fingerprint',
  none: 'without a grade',
  other: 'of a grade not known',
};

/** Why a run does not get the approval that it needs: the key for records, the words for people, the way out. */
import { formatDuration } from '../base/duration.ts';
import { escapeText } from '../base/escape.ts';
import { CapwrapError, type ErrorCode } from '../errors.ts';
import { ANSWER_FAULTS, type AnswerFault } from './judge.ts';

/** Stable keys of records, where `approval_` stands before them. */
export const APPROVAL_FAULTS = [
  'pending',
  'timeout',
  'interrupted',
  'refused',
  'changed',
  'used_up',
  'ended',
  'not_asked_here',
  'cooling_down',
  'rate_limited',
  'hidden',
  ...ANSWER_FAULTS,
] as const;
type ApprovalFaultReason = (typeof APPROVAL_FAULTS)[number];

export interface ApprovalFault {
  readonly reason: ApprovalFaultReason;
  /** The end of a sentence: `approval of "deploy" ...`. */
  readonly why: string;
  readonly hint?: string | undefined;
}

export const FAULTS = {
  pending: (id: string): ApprovalFault => ({
    reason: 'pending',
    why: `is asked for as ${id}, and --no-wait was given`,
    hint: `capwrap run --approval ${id}, once it is approved`,
  }),
  timeout: (): ApprovalFault => ({
    reason: 'timeout',
    why: 'got no answer in time',
    hint: 'give the human more time with --approval-timeout, or ask with --no-wait',
  }),
  interrupted: (): ApprovalFault => ({ reason: 'interrupted', why: 'was interrupted' }),
  refused: (said: string | null): ApprovalFault => ({
    reason: 'refused',
    why: said ? `was denied: ${escapeText(said)}` : 'was denied',
  }),
  changed: (names: readonly string[]): ApprovalFault => ({
    reason: 'changed',
    why: `was for another run: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not as approved`,
    hint: 'ask again, without --approval',
  }),
  used_up: (uses: number): ApprovalFault => ({
    reason: 'used_up',
    why: `was used already, ${uses === 1 ? 'once' : `${uses} times`}, as often as it permits`,
    hint: 'ask again, without --approval',
  }),
  ended: (): ApprovalFault => ({
    reason: 'ended',
    why: 'came too late: the run that asked for it is over',
    hint: 'ask again, without --approval',
  }),
  not_asked_here: (): ApprovalFault => ({
    reason: 'not_asked_here',
    why: 'was not asked for by this user on this machine, so nobody could tell a second use',
    hint: 'use it where it was asked for',
  }),
  cooling_down: (seconds: number): ApprovalFault => ({
    reason: 'cooling_down',
    why: `was denied a short time ago; it can be asked for again in ${formatDuration(seconds)}`,
  }),
  rate_limited: (most: number): ApprovalFault => ({
    reason: 'rate_limited',
    why: `was asked for ${most} times within the hour, as often as the rule permits`,
  }),
  hidden: (): ApprovalFault => ({
    reason: 'hidden',
    why: "can't be asked for: a word of the command is the value of a secret variable, which nobody could see",
    hint: 'hand it over in a file, or let the map set it: a command line is seen by every process',
  }),
  answer: (reason: AnswerFault, detail: string): ApprovalFault => ({
    reason,
    why: `doesn't count: ${detail}`,
  }),
};

export function approvalError(capability: string, { reason, why, hint }: ApprovalFault): CapwrapError {
  return new CapwrapError(CODES[reason] ?? 'ERR_APPROVAL_INVALID', `approval of "${capability}" ${why}`, {
    hint,
  });
}

/** What was neither a "no" nor a request that waits is an approval that isn't one. */
const CODES: Partial<Record<ApprovalFaultReason, ErrorCode>> = {
  pending: 'ERR_APPROVAL_PENDING',
  timeout: 'ERR_APPROVAL_DENIED',
  interrupted: 'ERR_APPROVAL_DENIED',
  refused: 'ERR_APPROVAL_DENIED',
  cooling_down: 'ERR_APPROVAL_DENIED',
  rate_limited: 'ERR_APPROVAL_DENIED',
  hidden: 'ERR_APPROVAL_DENIED',
};

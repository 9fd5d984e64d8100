/** Rows of the error table: what was asked for can't be had. */
import { parameterIn } from './error-facts.ts';
import { asked, mayChain, packed, role, says, source } from './error-phrases.ts';
import type { ErrorRow } from './error-row.ts';

const INVALID = [
  'ValidationError',
  'ValidationException',
  'InvalidParameterValue',
  'InvalidParameterCombination',
];
const THROTTLED = [
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'TooManyRequestsException',
  'LimitExceededException',
  'SlowDown',
];

export const REQUEST_ERRORS: readonly ErrorRow[] = [
  {
    codes: ['MalformedPolicyDocument', 'MalformedPolicyDocumentException'],
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `scope of capability "${e.plan.capability}" makes a session policy that STS can't read`,
    hint: (e) => `look for misspelt actions and ARNs: capwrap explain ${e.plan.capability}`,
  },
  {
    codes: ['PackedPolicyTooLarge', 'PackedPolicyTooLargeException'],
    error: 'ERR_PROVIDER_POLICY_TOO_LARGE',
    message: (e) => `scope of capability "${e.plan.capability}" makes a session policy that ${packed(e)}`,
    hint: () =>
      'shorten scope (fewer statements, patterns in place of lists of resources) or drop session_tags',
  },
  {
    codes: ['RegionDisabledException', 'RegionDisabled'],
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `region "${e.plan.config.region}" has STS switched off for the account of the source`,
    hint: () => 'activate STS there in the IAM console (Account settings), or use another region',
  },
  {
    codes: INVALID,
    when: says(/role chaining|1 hour session limit/i),
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) =>
      `${source(e)} is itself a role session, which can hold ${role(e)} for 1h at most; ${asked(e)} was asked for`,
    hint: () => 'ttl: 1h, or a source that is no role session',
  },
  {
    codes: INVALID,
    when: says(/MaxSessionDuration/i),
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `${role(e)} has a maximum session duration below the ${asked(e)} asked for`,
    hint: (e) =>
      `lower ttl and max_ttl (1h always works), or: aws iam update-role --role-name ${e.plan.role.name} --max-session-duration ${e.plan.durationSeconds}`,
  },
  {
    codes: INVALID,
    when: (e) => parameterIn(e)?.toLowerCase() === 'durationseconds',
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `${role(e)} can't be held for the ${asked(e)} asked for${mayChain(e)}`,
    hint: () => 'ttl: 1h, or less',
  },
  {
    codes: INVALID,
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) =>
      `${role(e)} can't be assumed: STS finds ${parameterIn(e) ? `parameter "${parameterIn(e)}"` : 'a parameter'} invalid`,
    hint: (e) => `compare what is sent with the map: capwrap explain ${e.plan.capability}`,
  },
  {
    codes: THROTTLED,
    error: 'ERR_PROVIDER_UNAVAILABLE',
    message: (e) => `"${e.plan.endpoint.host}" is limiting requests of this account`,
    hint: () => 'run the command again in a few seconds',
  },
];

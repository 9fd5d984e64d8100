/** Whatever went wrong with a call of LookupEvents → one error that says what to change. */
import { describeHttpFault } from '../../../broker/http-fault.ts';
import { measureSkew } from '../../../broker/measure-skew.ts';
import type { Seen } from '../../../broker/providers/aws-sts/transport.ts';
import { CapwrapError, type ErrorCode } from '../../../errors.ts';

/** Where was asked, and with what. */
export interface Asked {
  readonly region: string;
  readonly host: string;
  /** The source of the keys: `profile:security-audit`. */
  readonly label: string;
}

/** True where AWS limits requests: nothing is wrong with this one. */
export function isThrottling(error: unknown): boolean {
  return THROTTLING.includes(codeOf(error) ?? '');
}

/** The SDK's own words are never passed on. */
export function explainLookupFailure(
  error: unknown,
  asked: Asked,
  { answer, fault, sentAt, receivedAt }: Seen,
): CapwrapError {
  if (fault) {
    const { code, text, hint } = describeHttpFault(fault, '--endpoint');
    const named = fault.kind === 'tls_untrusted' ? undefined : hint;
    return new CapwrapError(code, `"${asked.host}" ${text}`, { hint: named });
  }
  if (!answer)
    return new CapwrapError('ERR_INTERNAL', 'the request to CloudTrail could not be built', { cause: error });
  const code = codeOf(error);
  if (answer.status < 400 || code === null) {
    const what =
      answer.status >= 500
        ? `answered ${answer.status}`
        : `answered ${answer.status} with something that is not CloudTrail's`;
    return new CapwrapError(
      answer.status >= 500 ? 'ERR_PROVIDER_UNAVAILABLE' : 'ERR_PROVIDER_INVALID_RESPONSE',
      `"${asked.host}" ${what}`,
      { hint: 'look at --endpoint, and at what stands between this machine and it' },
    );
  }
  const skew = sentAt && receivedAt ? measureSkew(answer.headers['date'], sentAt, receivedAt) : null;
  const facts = { ...asked, skew, caller: callerIn(error) };
  const row = ROWS.find(({ codes }) => codes.includes(code)) ?? otherRow(code, answer.status);
  return new CapwrapError(row.error, row.message(facts), { hint: row.hint(facts) });
}

interface Facts extends Asked {
  /** Seconds that this machine's clock is ahead; null where that can't be told. */
  readonly skew: number | null;
  /** The caller's ARN as AWS names it; null where it doesn't. */
  readonly caller: string | null;
}

interface Row {
  readonly codes: readonly string[];
  readonly error: ErrorCode;
  readonly message: (facts: Facts) => string;
  readonly hint: (facts: Facts) => string;
}

const THROTTLING = [
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'SlowDown',
];

/** Codes: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/CommonErrors.html and the page of LookupEvents. */
const ROWS: readonly Row[] = [
  {
    codes: ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation'],
    error: 'ERR_PROVIDER_REFUSED',
    message: ({ region, label, caller }) =>
      `"${label}"${caller === null ? '' : ` (${caller})`} may not look up events in ${region}`,
    hint: () => 'allow it the action cloudtrail:LookupEvents on the resource *',
  },
  {
    codes: ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'],
    error: 'ERR_SOURCE_INVALID',
    message: ({ label }) => `"${label}" holds a session that has expired`,
    hint: () => 'sign in again, and put the new keys into the profile',
  },
  {
    codes: ['UnrecognizedClientException', 'InvalidClientTokenId', 'InvalidAccessKeyId', 'AuthFailure'],
    error: 'ERR_SOURCE_INVALID',
    message: ({ region, label }) => `"${label}" holds keys that AWS does not know in ${region}`,
    hint: ({ region }) =>
      `look at the keys; or ${region} is a region that the account has not enabled: leave it out`,
  },
  {
    codes: ['SignatureDoesNotMatch', 'InvalidSignatureException', 'IncompleteSignature'],
    error: 'ERR_SOURCE_INVALID',
    message: ({ region, label, skew }) =>
      skew !== null && Math.abs(skew) >= 60
        ? `this machine's clock is ${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} AWS's in ${region}`
        : `"${label}" holds a secret access key that does not fit its access key id`,
    hint: ({ skew }) =>
      skew !== null && Math.abs(skew) >= 60 ? 'set the clock' : 'look at the keys of the profile',
  },
  {
    codes: ['OperationNotPermittedException', 'UnsupportedOperationException'],
    error: 'ERR_PROVIDER_REFUSED',
    message: ({ region }) => `LookupEvents is not offered in ${region}`,
    hint: () => 'leave the region out, and use exported files: --events',
  },
  {
    codes: THROTTLING,
    error: 'ERR_PROVIDER_UNAVAILABLE',
    message: ({ region }) => `CloudTrail in ${region} is limiting the requests of this account`,
    hint: () => 'it takes two a second from all callers together: run the command again later',
  },
];

/** After all the waiting that is done. */
export function throttledFailure(asked: Asked): CapwrapError {
  return explainLookupFailure({ name: 'ThrottlingException' }, asked, {
    sentAt: null,
    receivedAt: null,
    fault: null,
    answer: { status: 400, headers: {}, body: Buffer.alloc(0) },
  });
}

function otherRow(code: string, status: number): Row {
  return {
    codes: [],
    error: status >= 500 ? 'ERR_PROVIDER_UNAVAILABLE' : 'ERR_PROVIDER_REFUSED',
    message: ({ host }) => `"${host}" refused LookupEvents with ${code}`,
    hint: () => 'run the command again; or use exported files: --events',
  };
}

/** As AWS names its errors. A hostile answer could put anything there, a secret it was sent included. */
const ERROR_CODE = /^(?:[A-Z][a-z]+){1,8}$/;

/** What the SDK calls its own failures. */
const OF_SDK = new Set(['Error', 'TypeError', 'SyntaxError', 'UnknownError', 'TimeoutError']);

function codeOf(error: unknown): string | null {
  const name = error !== null && typeof error === 'object' && 'name' in error ? error.name : null;
  return typeof name === 'string' && ERROR_CODE.test(name) && !OF_SDK.has(name) ? name : null;
}

function callerIn(error: unknown): string | null {
  const message = error instanceof Error ? error.message : '';
  return /User: (arn:aws[a-z-]*:(?:iam|sts)::\d{12}:[\w+=,.@/:-]{1,512}) is not/.exec(message)?.[1] ?? null;
}

/** Whatever went wrong with the call → one error that says what to change, and whether a session may exist unseen. */
import { CapwrapError, type ErrorCode } from '../../../errors.ts';
import type { HttpAnswer } from '../../http-exchange.ts';
import { describeHttpFault } from '../../http-fault.ts';
import { measureSkew } from '../../measure-skew.ts';
import type { Proof } from '../../sources/proof.ts';
import { latestExpiry } from './answer.ts';
import { explainStsError } from './error-words.ts';
import type { StsPlan } from './plan.ts';
import type { Seen } from './transport.ts';

/** Sorts a failed call by what was seen of it; the SDK's own words are never passed on. */
export function explainFailure(
  error: unknown,
  plan: StsPlan,
  proof: Proof,
  seen: Seen,
  now: Date,
): CapwrapError {
  const { answer, fault } = seen;
  if (fault) {
    const { code, text, hint } = describeHttpFault(fault, 'endpoint');
    return failure(plan, code, text, hint, fault.sent ? now : null);
  }
  if (!answer) {
    return new CapwrapError('ERR_INTERNAL', 'the request to STS could not be built', { cause: error });
  }
  const awsError = awsErrorIn(error);
  if (awsError && answer.status >= 400) {
    const skew =
      seen.sentAt && seen.receivedAt
        ? measureSkew(answer.headers['date'], seen.sentAt, seen.receivedAt)
        : null;
    const words = explainStsError({ ...awsError, status: answer.status, skew, plan, proof });
    if (answer.status >= 500) return unseen(plan, words.error, words.message, words.hint, now);
    return new CapwrapError(words.error, words.message, { hint: words.hint });
  }
  const [code, text] = strangeAnswer(answer);
  return failure(
    plan,
    code,
    text,
    'look at endpoint, and at what stands between this machine and it',
    mayHaveIssued(answer) ? now : null,
  );
}

interface AwsErrorFields {
  readonly code: string;
  readonly rawMessage: string;
}

/** As AWS names its errors. A hostile answer could put anything there, a secret it was sent included. */
const ERROR_CODE = /^(?:IDP)?(?:[A-Z][a-z]+){1,8}$/;

/** Code and message of an STS error document, from where the SDK puts them; null where the answer was none. */
function awsErrorIn(error: unknown): AwsErrorFields | null {
  const { Error: fields } = (error ?? {}) as {
    Error?: { Code?: unknown; Message?: unknown; message?: unknown };
  };
  if (typeof fields?.Code !== 'string' || !ERROR_CODE.test(fields.Code)) return null;
  return { code: fields.Code, rawMessage: String(fields.Message ?? fields.message ?? '') };
}

function strangeAnswer({ status }: HttpAnswer): readonly [ErrorCode, string] {
  if (status >= 500) return ['ERR_PROVIDER_UNAVAILABLE', `answered ${status}`];
  if (status >= 300 && status < 400) {
    return ['ERR_PROVIDER_INVALID_RESPONSE', `answered ${status}, a redirect, which is not followed`];
  }
  return ['ERR_PROVIDER_INVALID_RESPONSE', `answered ${status} with something that is not STS's`];
}

/** A success that can't be read, or a gateway's error, says nothing about what happened behind it. */
function mayHaveIssued({ status }: HttpAnswer): boolean {
  return status < 300 || status >= 500;
}

function failure(
  plan: StsPlan,
  code: ErrorCode,
  text: string,
  hint: string | undefined,
  unseenSince: Date | null,
): CapwrapError {
  const message = `"${plan.endpoint.host}" ${text}`;
  if (unseenSince === null) return new CapwrapError(code, message, { hint });
  return unseen(plan, code, message, hint, unseenSince);
}

/** No answer, or none that can be trusted: what can't be ruled out is said, and it goes to the record. */
function unseen(
  plan: StsPlan,
  code: ErrorCode,
  message: string,
  hint: string | undefined,
  since: Date,
): CapwrapError {
  const issuedUntil = latestExpiry(plan, since);
  const note = `a session "${plan.sessionName}" may have been issued unseen and would expire by ${issuedUntil.toISOString()}`;
  return new CapwrapError(code, `${message}; ${note}`, { hint, issuedUntil });
}

/** A call that has no usable answer: what it says of the server, and whether it may have had an effect there. */
import { CapwrapError, type ErrorCode } from '../errors.ts';

/** A call that has no usable answer. */
export class ExchangeError extends CapwrapError {
  /** `none`: the request certainly had no effect at the server. `unknown`: it may have had one, unseen. */
  readonly effect: 'none' | 'unknown';
  /** Null where nothing was answered. */
  readonly status: number | null;
  /** True where the same request may have better luck in a moment, and certainly had no effect so far. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, facts: ExchangeFacts) {
    super(code, message, { hint: facts.hint });
    this.effect = facts.effect;
    this.status = facts.status ?? null;
    this.retryable = facts.retryable ?? false;
  }
}

interface ExchangeFacts {
  readonly effect: 'none' | 'unknown';
  readonly status?: number;
  readonly retryable?: boolean;
  readonly hint?: string | undefined;
}

/**
 * The error for an answer of a status that was not hoped for: ERR_PROVIDER_UNAVAILABLE for 429 and 5xx, else
 * ERR_PROVIDER_REFUSED. `said` is a word from `errorWords`, `hint` what to change.
 */
export function statusError(
  answer: { readonly status: number; readonly who: string },
  said: string | null = null,
  hint?: string,
): ExchangeError {
  const { status, who } = answer;
  const word = said === null ? '' : ` (${said})`;
  if (status === 429) {
    return new ExchangeError('ERR_PROVIDER_UNAVAILABLE', `"${who}" is throttling: it answered 429${word}`, {
      effect: 'none', // who limits callers does so before anything else
      retryable: true,
      status,
      hint: hint ?? 'try again later',
    });
  }
  const unavailable = status >= 500;
  const code = unavailable ? 'ERR_PROVIDER_UNAVAILABLE' : 'ERR_PROVIDER_REFUSED';
  const text = unavailable ? `answered ${status}` : `refused with ${status}`;
  return new ExchangeError(code, `"${who}" ${text}${word}`, {
    effect: unavailable ? 'unknown' : 'none',
    status,
    hint,
  });
}

/**
 * The error to throw where a call that issues has failed: where it may have had its effect, it says that `what` (`a
 * token`) may live unseen, and until when, so that the record says so too. Any other error as it is.
 */
export function maybeIssued(error: unknown, what: string, until: Date): unknown {
  if (!(error instanceof ExchangeError) || error.effect === 'none') return error;
  const text = `${what} may have been issued unseen and would expire by ${until.toISOString()}`;
  return new CapwrapError(error.code, `${error.message}; ${text}`, { hint: error.hint, issuedUntil: until });
}

/** The error for a redirect. */
export function redirected(who: string, status: number, endpointKey: string | null): ExchangeError {
  return new ExchangeError(
    'ERR_PROVIDER_INVALID_RESPONSE',
    `"${who}" answered ${status}, a redirect, which is not followed`,
    { effect: 'unknown', status, hint: `look at ${endpointKey ?? 'the address'}: name the server itself` },
  );
}

/** The error for an answer whose body can't be used. */
export function notJson(who: string, status: number, endpointKey: string | null): ExchangeError {
  const hint = `look at ${endpointKey ?? 'the address'}: this does not answer like the server that was meant`;
  const effect = 'unknown';
  if (status === 429) return statusError({ status, who });
  if (status >= 500)
    return new ExchangeError('ERR_PROVIDER_UNAVAILABLE', `"${who}" answered ${status}`, { effect, status });
  if (status === 401 || status === 403)
    return new ExchangeError('ERR_PROVIDER_REFUSED', `"${who}" answered ${status}`, { effect, status, hint });
  return new ExchangeError(
    'ERR_PROVIDER_INVALID_RESPONSE',
    `"${who}" answered ${status} with something that is not a JSON object`,
    { effect, status, hint },
  );
}

/** A header or URL that Node can't send; its own words would quote the value. */
export function unsendable(who: string): ExchangeError {
  return new ExchangeError(
    'ERR_PROVIDER_REFUSED',
    `"${who}" can't be asked: a header has a character that none may have`,
    { effect: 'none' },
  );
}

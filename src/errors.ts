/**
 * Every error that capwrap reports has a stable code, one sentence that says what is wrong, and, where there
 * is one, a hint: the command to type or the line to change. The code decides the exit status.
 */

/** Exit status of each error code. The ranges are the contract that scripts rely on. */
export const EXIT_STATUS = {
  ERR_USAGE: 120,
  ERR_UNSAFE_START: 120,
  ERR_EVENTS_UNREADABLE: 120,
  ERR_MAP_NOT_FOUND: 121,
  ERR_MAP_UNREADABLE: 121,
  ERR_MAP_UNSAFE: 121,
  ERR_MAP_INVALID: 121,
  ERR_MAP_UNTRUSTED: 121,
  ERR_CAPABILITY_UNKNOWN: 121,
  ERR_DENIED: 122,
  ERR_APPROVAL_DENIED: 122,
  ERR_APPROVAL_PENDING: 122,
  ERR_APPROVAL_INVALID: 122,
  ERR_APPROVAL_UNKNOWN: 122,
  ERR_SIGN: 122,
  ERR_COMMAND_CHANGED: 122,
  ERR_SOURCE_UNAVAILABLE: 123,
  ERR_SOURCE_LONG_LIVED: 123,
  ERR_SOURCE_INVALID: 123,
  ERR_PROVIDER_REFUSED: 123,
  ERR_PROVIDER_UNAVAILABLE: 123,
  ERR_PROVIDER_TIMEOUT: 123,
  ERR_PROVIDER_INVALID_RESPONSE: 123,
  ERR_PROVIDER_WRONG_PRINCIPAL: 123,
  ERR_PROVIDER_SCOPE: 123,
  ERR_PROVIDER_EXPIRY: 123,
  ERR_PROVIDER_POLICY_TOO_LARGE: 123,
  ERR_CLOCK_SKEW: 123,
  ERR_ISSUER_NOT_READY: 123,
  ERR_TIME_LIMIT: 124,
  ERR_AUDIT_WRITE: 125,
  ERR_AUDIT_UNSAFE: 125,
  ERR_AUDIT_LOCKED: 125,
  ERR_AUDIT_WITNESS: 125,
  ERR_COLLECTOR_UNAVAILABLE: 125,
  ERR_COLLECTOR_REFUSED: 125,
  ERR_ISSUER_LISTEN: 125,
  ERR_STATE_UNSAFE: 125,
  ERR_CONFIG_UNSAFE: 125,
  ERR_CONFIG_INVALID: 125,
  ERR_ENVIRONMENT: 125,
  ERR_LEAK: 125,
  ERR_OUTPUT_WRITE: 125,
  ERR_INTERNAL: 125,
  ERR_COMMAND_NOT_EXECUTABLE: 126,
  ERR_COMMAND_NOT_FOUND: 127,
} as const;

export type ErrorCode = keyof typeof EXIT_STATUS;

/** The one class of error that capwrap raises on purpose; anything else that is thrown is a defect. */
export class CapwrapError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Set where the issuer did hand out a credential that capwrap then refused: when that one expires. */
  readonly issuedUntil: Date | undefined;

  /** `message`: lower case, no full stop, the subject first in double quotes; never a secret, a response body or a raw library message. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; cause?: unknown; issuedUntil?: Date | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CapwrapError';
    this.code = code;
    this.hint = options.hint;
    this.issuedUntil = options.issuedUntil;
  }

  get exitStatus(): number {
    return EXIT_STATUS[this.code];
  }
}

/** The `code` of a Node system error (`ENOENT`, …), or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

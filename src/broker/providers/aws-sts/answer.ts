/** An answer of STS → a session that is the one asked for, or the reason why it is refused. */
import { CapwrapError, type ErrorCode } from '../../../errors.ts';
import { sessionArn } from './arn.ts';
import type { StsPlan } from './plan.ts';

/** The parts of both answers that matter, as the SDK parses them; every one can be missing. */
export interface StsOutput {
  readonly Credentials?:
    | {
        readonly AccessKeyId?: string | undefined;
        readonly SecretAccessKey?: string | undefined;
        readonly SessionToken?: string | undefined;
        readonly Expiration?: Date | undefined;
      }
    | undefined;
  readonly AssumedRoleUser?: { readonly Arn?: string | undefined } | undefined;
  readonly PackedPolicySize?: number | undefined;
}

export interface StsSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAt: Date;
  readonly principal: string;
  /** Share of the packed limit that policy and tags use, or null. */
  readonly packedPolicyPercent: number | null;
}

/** Difference that the check of the expiry forgives, in seconds. */
const EXPIRY_SKEW_SECONDS = 60;

/** Temporary keys start with ASIA; a long-lived AKIA key is never handed out. */
const TEMPORARY_KEY = /^ASIA[A-Z0-9]{12,124}$/;
const PRINTABLE = /^[\x21-\x7e]+$/;
const ARN = /^arn:aws[a-z-]*:sts::\d{12}:assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}$/;

/**
 * Checks values, principal and expiry. `issuerNow` is the time of the answer by the issuer's clock. Throws
 * ERR_PROVIDER_INVALID_RESPONSE, ERR_PROVIDER_WRONG_PRINCIPAL or ERR_PROVIDER_EXPIRY.
 */
export function checkAnswer(output: StsOutput, plan: StsPlan, issuerNow: Date): StsSession {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '', Expiration } = output.Credentials ?? {};
  const expiresAt = Expiration && Number.isFinite(Expiration.getTime()) ? Expiration : null;
  const refuse = (code: ErrorCode, what: string, hint?: string) =>
    new CapwrapError(code, `"${plan.endpoint.host}" ${what}`, {
      hint,
      issuedUntil: expiresAt ?? latestExpiry(plan, issuerNow),
    });

  if (AccessKeyId === '' || SecretAccessKey === '' || SessionToken === '') {
    throw refuse('ERR_PROVIDER_INVALID_RESPONSE', 'answered without a complete credential', LOOK_AT_ENDPOINT);
  }
  if (!TEMPORARY_KEY.test(AccessKeyId)) {
    throw refuse(
      'ERR_PROVIDER_INVALID_RESPONSE',
      'answered with a key that is not a temporary one (ASIA…)',
      LOOK_AT_ENDPOINT,
    );
  }
  if (!PRINTABLE.test(SecretAccessKey) || !PRINTABLE.test(SessionToken)) {
    throw refuse(
      'ERR_PROVIDER_INVALID_RESPONSE',
      'answered with a blank or control character in a credential',
      LOOK_AT_ENDPOINT,
    );
  }
  const expected = sessionArn(plan.role, plan.sessionName);
  const principal = output.AssumedRoleUser?.Arn;
  if (principal !== expected) {
    const quotable =
      principal !== undefined &&
      ARN.test(principal) &&
      ![SecretAccessKey, SessionToken].some((secret) => sharesRun(principal, secret));
    const other = principal === undefined ? 'without naming its principal' : 'for another principal';
    const got = quotable ? `for "${principal}"` : other;
    throw refuse(
      'ERR_PROVIDER_WRONG_PRINCIPAL',
      `issued a credential ${got}, not for "${expected}"`,
      'compare role_arn in the map with the role; names are case-sensitive',
    );
  }
  assertExpiry(expiresAt, plan, issuerNow, refuse);
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiresAt,
    principal,
    packedPolicyPercent: output.PackedPolicySize ?? null,
  };
}

/** When a session of this plan ends at the latest, as far as was asked. */
export function latestExpiry(plan: StsPlan, issuerNow: Date): Date {
  return new Date(issuerNow.getTime() + plan.durationSeconds * 1000);
}

function assertExpiry(
  expiresAt: Date | null,
  plan: StsPlan,
  issuerNow: Date,
  refuse: (code: ErrorCode, what: string) => CapwrapError,
): asserts expiresAt is Date {
  if (expiresAt === null) throw refuse('ERR_PROVIDER_EXPIRY', 'issued a credential without an expiry');
  const seconds = Math.round((expiresAt.getTime() - issuerNow.getTime()) / 1000);
  if (seconds <= 0) {
    throw refuse('ERR_PROVIDER_EXPIRY', `issued a credential that expired at ${expiresAt.toISOString()}`);
  }
  if (seconds > plan.durationSeconds + EXPIRY_SKEW_SECONDS) {
    throw refuse(
      'ERR_PROVIDER_EXPIRY',
      `issued a credential for ${seconds} s; ${plan.durationSeconds} s were asked for`,
    );
  }
}

const LOOK_AT_ENDPOINT = 'look at endpoint: this does not answer like STS';

/** So many characters in a row are no accident. */
const TELLING_RUN = 12;

/** True where a text holds a part of a secret: a part is no needle of the masker. */
function sharesRun(text: string, secret: string): boolean {
  for (let at = 0; at + TELLING_RUN <= text.length; at++) {
    if (secret.includes(text.slice(at, at + TELLING_RUN))) return true;
  }
  return false;
}

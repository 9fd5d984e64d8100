/** A token as Google answered it, or the reason why it is refused. No call takes it back, so a refusal says until when it lives. */
import { CapwrapError, type ErrorCode } from '../../../errors.ts';
import type { JsonAnswer } from '../../json-exchange.ts';

/** One access token. */
export interface GcpToken {
  readonly token: string;
  /** By Google's clock. */
  readonly expiresAt: Date;
  /** Seconds that this machine's clock is ahead; null where Google did not say. */
  readonly skew: number | null;
}

/** Seconds by which the answers' times may be off. */
const SLACK_SECONDS = 60;

/** Longest token that the documentation speaks of is 12 KB. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;

/** Google's time when the answer came. */
export function issuerNow({ receivedAt, skew }: Pick<JsonAnswer, 'receivedAt' | 'skew'>): Date {
  return new Date(receivedAt.getTime() - (skew ?? 0) * 1000);
}

/**
 * Checks form and life. `expiresAt` is null where the answer has none that is usable; `latest` is when the token may end
 * at the latest, by Google's clock; null where that is Google's to say. Throws ERR_PROVIDER_INVALID_RESPONSE or
 * ERR_PROVIDER_EXPIRY.
 */
export function checkToken(
  answer: JsonAnswer,
  token: string | null,
  expiresAt: Date | null,
  { latest, unseen }: { readonly latest: Date | null; readonly unseen: Date },
): GcpToken {
  const refuse = (code: ErrorCode, what: string) =>
    refusal(answer.who, code, what, token === null ? undefined : (expiresAt ?? unseen));
  if (token === null) throw refuse('ERR_PROVIDER_INVALID_RESPONSE', 'answered without an access token');
  if (!TOKEN.test(token))
    throw refuse(
      'ERR_PROVIDER_INVALID_RESPONSE',
      'issued a token with a blank or control character in it, or of more than 16 KiB',
    );
  if (expiresAt === null)
    throw refuse('ERR_PROVIDER_EXPIRY', 'issued a token without saying how long it lives');
  const now = issuerNow(answer).getTime();
  if (expiresAt.getTime() <= now)
    throw refuse('ERR_PROVIDER_EXPIRY', `issued a token that had expired at ${expiresAt.toISOString()}`);
  if (latest !== null && expiresAt.getTime() > latest.getTime() + SLACK_SECONDS * 1000) {
    const seconds = (time: Date) => Math.round((time.getTime() - now) / 1000);
    throw refuse(
      'ERR_PROVIDER_EXPIRY',
      `issued a token for ${seconds(expiresAt)} s; ${seconds(latest)} s were asked for`,
    );
  }
  return { token, expiresAt, skew: answer.skew };
}

/** `what` is the end of a sentence. `until`: when what was issued and refused expires. */
export function refusal(who: string, code: ErrorCode, what: string, until: Date | undefined): CapwrapError {
  return new CapwrapError(code, `"${who}" ${what}`, {
    hint: 'look at sts_endpoint and iam_endpoint: this does not answer like Google; the token was not used',
    issuedUntil: until,
  });
}

/** Runs the call after something was issued: an error then says until when that lives, too. */
export async function afterIssuing<T>(until: Date, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof CapwrapError)) throw error;
    const later = Math.max(until.getTime(), error.issuedUntil?.getTime() ?? 0);
    throw new CapwrapError(error.code, error.message, { hint: error.hint, issuedUntil: new Date(later) });
  }
}

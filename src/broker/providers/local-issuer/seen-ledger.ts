/** Which tokens were presented before: the ledger that makes a second use show. */

import { isJsonObject, objectIn } from '../../../base/json-object.ts';
import { withLock } from '../../../base/lock.ts';
import { shellQuote } from '../../../base/shell-quote.ts';
import { read, writeJson } from './files.ts';
import { hasOnly, isIssuerName, isSeconds, isTokenId } from './formats.ts';
import { KEPT_AFTER_EXPIRY, unixSeconds } from './times.ts';

interface SeenToken {
  readonly iss: string;
  readonly jti: string;
  /** Unix seconds, as `exp`. */
  readonly first_seen: number;
  readonly exp: number;
}

/**
 * Notes that a token was accepted, durably, and answers whether it had been before. Of any number of processes
 * that present one token at the same time, exactly one gets false. Throws a CapwrapError where the ledger can't be
 * read, locked or written: then nobody can say that the token is new.
 */
export async function noteSeen(
  path: string,
  uid: number,
  token: { readonly iss: string; readonly jti: string; readonly exp: number },
  now: Date,
): Promise<boolean> {
  return withLock(`${path}.lock`, () => {
    const seconds = unixSeconds(now);
    const hint = `to forget every token seen so far: rm ${shellQuote(path)}`;
    const seen = (read(path, uid, parseLedger, hint) ?? []).filter(
      ({ exp }) => exp + KEPT_AFTER_EXPIRY > seconds,
    );
    if (seen.some(({ iss, jti }) => iss === token.iss && jti === token.jti)) return true;
    const { iss, jti, exp } = token;
    writeJson(path, { version: 1, seen: [...seen, { iss, jti, first_seen: seconds, exp }] });
    return false;
  });
}

function parseLedger(text: string): readonly SeenToken[] | null {
  const value = objectIn(text);
  if (!value || !hasOnly(value, ['version', 'seen']) || value['version'] !== 1) return null;
  const { seen } = value;
  return Array.isArray(seen) && seen.every(isSeenToken) ? seen : null;
}

function isSeenToken(value: unknown): value is SeenToken {
  return (
    isJsonObject(value) &&
    hasOnly(value, ['iss', 'jti', 'first_seen', 'exp']) &&
    isIssuerName(value['iss']) &&
    isTokenId(value['jti']) &&
    isSeconds(value['first_seen']) &&
    isSeconds(value['exp'])
  );
}

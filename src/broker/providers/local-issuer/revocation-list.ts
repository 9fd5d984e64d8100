/** The revocation list as it changes: one writer at a time, each change durable before anybody is told of it. */
import { withLock } from '../../../base/lock.ts';
import { CapwrapError } from '../../../errors.ts';
import { type IssuerFiles, readRevocationList, required, writeJson } from './files.ts';
import { isRevokedToken, type RevocationList } from './formats.ts';
import { KEPT_AFTER_EXPIRY, unixSeconds } from './times.ts';

/**
 * Adds a token to the list, durably, and drops what has long expired. A token that is listed already stays as it
 * is. Throws a CapwrapError where the list can't be read, locked or written; then nothing was changed.
 */
export async function revokeToken(
  files: IssuerFiles,
  token: { jti: string; exp: number },
  now: Date,
): Promise<void> {
  await withLock(files.lock, () => {
    const { issuer, revoked } = required(readRevocationList(files));
    if (revoked.some(({ jti }) => jti === token.jti)) return;
    const entry = { jti: token.jti, revoked_at: unixSeconds(now), exp: token.exp };
    if (!isRevokedToken(entry))
      throw new CapwrapError('ERR_INTERNAL', '"revoked.json" can hold no such token');
    writeRevocationList(files, issuer, [...revoked, entry], now);
  });
}

/** Writes the list whole, without the tokens that have long expired. The caller holds the lock. */
export function writeRevocationList(
  files: IssuerFiles,
  issuer: string,
  revoked: RevocationList['revoked'],
  now: Date,
): void {
  const seconds = unixSeconds(now);
  const list: RevocationList = {
    version: 1,
    issuer,
    updated_at: seconds,
    revoked: revoked.filter(({ exp }) => exp + KEPT_AFTER_EXPIRY > seconds),
  };
  writeJson(files.revoked, list);
}

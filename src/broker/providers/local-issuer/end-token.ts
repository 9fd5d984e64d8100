/** The end of a token: shown valid, put on the revocation list, shown refused. */
import { CapwrapError } from '../../../errors.ts';
import type { Lease, Revocation } from '../../provider.ts';
import { type IssuerFiles, readJwks, readName, readRevocationList, required } from './files.ts';
import { revokeToken } from './revocation-list.ts';
import { unixSeconds } from './times.ts';
import { type Verdict, verifyToken } from './verify-token.ts';

/**
 * Revokes the lease's token and reads the published files back. Never throws. `revoked_verified` only where the
 * files made a service accept the token before and refuse it as revoked, and for nothing else, after.
 */
export async function endToken(lease: Lease, files: IssuerFiles, now: () => Date): Promise<Revocation> {
  const before = await check(lease, files, now());
  if (before === 'expired') return { outcome: 'expired', end: null, probe: seen(before), error: null };
  if (before === 'revoked') {
    return {
      outcome: 'revoked_verified',
      end: 'was on the revocation list already',
      probe: seen(before),
      error: null,
    };
  }
  try {
    await revokeToken(files, { jti: lease.leaseId, exp: unixSeconds(lease.expiresAt) }, now());
  } catch (error) {
    return {
      outcome: 'revoke_failed',
      end: 'not added to the revocation list',
      probe: null,
      error: faultOf(error),
    };
  }
  const after = await check(lease, files, now());
  const verified = before === 'valid' && after === 'revoked';
  return {
    outcome: verified ? 'revoked_verified' : 'revoked_unverified',
    end: 'added to the revocation list',
    probe: verified ? seen(after) : `${seen(after)}; before: ${seen(before)}`,
    error: null,
  };
}

type Answer = 'valid' | Extract<Verdict, { status: 'refused' }>['reason'] | 'unreadable';

/** What a service would say of the token now, from the files as they are on disk. */
async function check(lease: Lease, files: IssuerFiles, now: Date): Promise<Answer> {
  try {
    const verdict = await verifyToken(lease.values['token']?.value ?? '', {
      issuer: required(readName(files)),
      audience: String(lease.facts['audience']),
      scope: lease.scope,
      keys: required(readJwks(files)),
      list: required(readRevocationList(files)),
      now,
    });
    return verdict.status === 'valid' ? 'valid' : verdict.reason;
  } catch {
    return 'unreadable';
  }
}

function seen(answer: Answer): string {
  if (answer === 'valid') return 'accepted';
  return answer === 'unreadable' ? "the issuer's files can't be read" : `refused: ${answer}`;
}

/** One line without anything of the token: this code's own errors name files only. */
function faultOf(error: unknown): string {
  return error instanceof CapwrapError ? error.message : 'unexpected failure';
}

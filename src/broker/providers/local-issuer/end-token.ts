/** The end of a token: put on the revocation list; and whether a service would take it. */
import { CapwrapError } from '../../../errors.ts';
import type { EndAnswer, Lease, ProbeAnswer } from '../../provider.ts';
import { type IssuerFiles, readJwks, readName, readRevocationList, required } from './files.ts';
import { revokeToken } from './revocation-list.ts';
import { type Verdict, verifyToken } from './verify-token.ts';

/** Puts a token on the list that services read. Never throws. */
export async function endToken(
  token: { readonly jti: string; readonly exp: number },
  files: IssuerFiles,
  now: Date,
): Promise<EndAnswer> {
  try {
    await revokeToken(files, token, now);
    return { kind: 'ended', did: 'added to the revocation list' };
  } catch (error) {
    return { kind: 'failed', did: 'not added to the revocation list', error: faultOf(error) };
  }
}

/** What a service would say of the token now, from the published files as they are on the disk. */
export async function probeToken(lease: Lease, files: IssuerFiles, now: Date): Promise<ProbeAnswer> {
  const answer = await check(lease, files, now);
  return { state: STATES[answer] ?? 'unknown', saw: seen(answer) };
}

const STATES: Partial<Record<Answer, ProbeAnswer['state']>> = {
  valid: 'alive',
  revoked: 'revoked',
  expired: 'expired',
};

type Answer = 'valid' | Extract<Verdict, { status: 'refused' }>['reason'] | 'unreadable';

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

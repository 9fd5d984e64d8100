/** Words that the rows of the error table share. */
import { formatDuration } from '../../../base/duration.ts';
import { packedPercent, type StsError, skewOf } from './error-facts.ts';

/** A condition on AWS's own message. */
export function says(pattern: RegExp): (error: StsError) => boolean {
  return ({ rawMessage }) => pattern.test(rawMessage);
}

export const role = (e: StsError) => `role "${e.plan.config.roleArn}"`;
export const source = (e: StsError) => `source "${e.proof.label}"`;
/** The command that prints the policies which the capability needs. */
export const awsRole = (e: StsError) => `capwrap init --aws-role ${e.plan.capability}`;
export const asked = (e: StsError) => formatDuration(e.plan.durationSeconds);

export function issuer({ proof }: StsError): string {
  return proof.kind === 'token' ? proof.claims.issuer : 'unknown';
}

export function claims({ proof }: StsError): string {
  if (proof.kind !== 'token') return 'no token was sent';
  return `subject "${proof.claims.subject}", audience "${proof.claims.audience.join(', ')}", issuer "${proof.claims.issuer}"`;
}

export function externalId({ plan }: StsError): string {
  return plan.config.externalId === null
    ? 'whether the trust policy asks for an external id (external_id in the map)'
    : 'that external_id is the one that the trust policy asks for';
}

export function packed(error: StsError): string {
  const percent = packedPercent(error);
  const size = `${error.plan.sessionPolicy.length} characters`;
  return percent === null
    ? `is too large when packed (${size})`
    : `takes ${percent}% of what STS can pack (${size})`;
}

export function mayChain({ plan, proof }: StsError): string {
  const temporary = proof.kind === 'keys' && proof.sessionToken !== null;
  return temporary && plan.durationSeconds > 3600
    ? `: the source is a session, and where that is a role's, STS allows 1h at most`
    : '';
}

export function skewWords(error: StsError): string {
  const skew = skewOf(error);
  if (!skew) return 'too far from that of';
  return `${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'}`;
}

/**
 * Role chaining: a role that assumes another gets a session of one hour at most, and STS refuses to give more rather than
 * to give less. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
 */
import { formatDuration } from '../../../base/duration.ts';
import { CapwrapError } from '../../../errors.ts';

/** The longest session that STS gives to whoever is a role already, in seconds. */
export const MAX_CHAINED_SECONDS = 3600;

/** `who`: the end of a sentence that says how it is known. */
export function chainError(label: string, who: string, seconds: number): CapwrapError {
  const message = `source "${label}" ${who}, and STS gives a role that assumes another 1h at most, not ${formatDuration(seconds)}`;
  return new CapwrapError('ERR_PROVIDER_REFUSED', message, {
    hint: 'ttl: 1h in the map, or --ttl 1h; for more, a source that is a user or a token (web-identity-file, github-actions)',
  });
}

/** A session of a role, as STS names it. */
export function isRoleSession(callerArn: string): boolean {
  return /^arn:aws[a-z-]*:sts::\d{12}:assumed-role\//.test(callerArn);
}

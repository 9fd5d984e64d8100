/** What the caller may say about itself: bounded, and free of characters that could forge a line. */
import { CapwrapError } from '../errors.ts';

/** Characters of a value that a flag or variable may set. */
const MAX_CLAIM_LENGTH = 256;

/** A claim and the flag or variable it came from. */
export interface Claim {
  readonly value: string;
  readonly from: string;
}

/**
 * The flag's value, else the variable's (an empty variable counts as not set), else null. Throws ERR_USAGE for a
 * value that is empty, too long, or holds control characters.
 */
export function readClaim(
  flag: string,
  flagValue: string | undefined,
  variable: string,
  env: Readonly<Record<string, string>>,
): Claim | null {
  const from = flagValue === undefined ? variable : flag;
  const value = flagValue ?? (env[variable] || undefined);
  if (value === undefined) return null;
  const fault = claimFault(value);
  if (fault !== null) throw new CapwrapError('ERR_USAGE', `"${from}" ${fault}`, { hint: `${from}=NAME` });
  return { value, from };
}

/** True for a value that may stand in a fact or a record. */
export function isPlainValue(value: string | undefined): value is string {
  return value !== undefined && claimFault(value) === null;
}

function claimFault(value: string): string | null {
  if (value === '') return 'is empty';
  if (value.length > MAX_CLAIM_LENGTH) return `is longer than ${MAX_CLAIM_LENGTH} characters`;
  return /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value) ? 'contains control characters' : null;
}

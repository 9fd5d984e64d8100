/** What an error of STS is explained from: the request, the proof, and the facts that AWS's message gives away. */
import type { Proof } from '../../sources/proof.ts';
import type { StsPlan } from './plan.ts';

export interface StsError {
  readonly code: string;
  /** AWS's own words: searched for facts, never shown. */
  readonly rawMessage: string;
  readonly status: number;
  /** Seconds that the local clock is ahead, by the answer's `Date`; null where that can't be told. */
  readonly skew: number | null;
  readonly plan: StsPlan;
  readonly proof: Proof;
}

/** The caller's ARN as STS names it: ` (arn:…)`, or nothing. */
export function callerIn({ rawMessage }: StsError): string {
  const arn = /User: (arn:aws[a-z-]*:(?:iam|sts)::\d{12}:[\w+=,.@/:-]{1,512}) is not/.exec(rawMessage)?.[1];
  return arn ? ` (${arn})` : '';
}

const POLICIES: ReadonlyMap<string, string> = new Map([
  ['identity-based policy', "the caller's own policy"],
  ['resource-based policy', "the role's trust policy"],
  ['role trust policy', "the role's trust policy"],
  ['session policy', "the session policy of the caller's session"],
  ['permissions boundary', "the caller's permissions boundary"],
  ['service control policy', 'a service control policy of the organization'],
  ['resource control policy', 'a resource control policy of the organization'],
  ['vpc endpoint policy', 'the policy of the VPC endpoint'],
]);

/**
 * Which policy refused, and whether by an explicit deny, in the forms of
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html; null where STS does not say.
 */
export function refusingPolicy({
  rawMessage,
}: StsError): { readonly policy: string; readonly explicit: boolean } | null {
  const match = /(explicit deny in an?|because no) ([a-z][a-z -]*?(?:policy|boundary))/i.exec(rawMessage);
  const policy = POLICIES.get(match?.[2]?.toLowerCase() ?? '');
  return policy ? { policy, explicit: match?.[1]?.toLowerCase().startsWith('explicit') ?? false } : null;
}

/** The percentage in "Packed policy consumes 112% of allotted space". */
export function packedPercent({ rawMessage }: StsError): number | null {
  const percent = /\b(\d{1,5})\s?(?:%|percent)/.exec(rawMessage)?.[1];
  return percent ? Number(percent) : null;
}

/** The parameter in "Value 'x' at 'roleSessionName' failed to satisfy constraint". */
export function parameterIn({ rawMessage }: StsError): string | null {
  return /\bat '([A-Za-z][\w.]{0,63})'/.exec(rawMessage)?.[1] ?? null;
}

/**
 * Seconds that the local clock is ahead, from the answer's `Date` or else from "Signature expired: 20260101T000000Z is
 * now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)", where the time in brackets is the server's.
 */
export function skewOf({ skew, rawMessage }: StsError): number | null {
  if (skew !== null && skew !== 0) return skew;
  const stamp = '(\\d{8}T\\d{6}Z)';
  const match = new RegExp(`: ${stamp} is .*\\(${stamp} [+-]`).exec(rawMessage);
  const [signed, server] = [parseStamp(match?.[1]), parseStamp(match?.[2])];
  return signed === null || server === null ? skew : Math.round((signed - server) / 1000);
}

function parseStamp(stamp: string | undefined): number | null {
  if (!stamp) return null;
  const time = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return Number.isNaN(time) ? null : time;
}

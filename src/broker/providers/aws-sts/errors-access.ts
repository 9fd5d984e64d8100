/** Rows of the error table: the role may not be assumed by this caller, or not in this way. */
import { callerIn, refusingPolicy } from './error-facts.ts';
import { awsRole, claims, externalId, role, says, source } from './error-phrases.ts';
import type { ErrorRow } from './error-row.ts';

const DENIED = ['AccessDenied', 'AccessDeniedException'];

export const ACCESS_ERRORS: readonly ErrorRow[] = [
  {
    codes: DENIED,
    when: says(/\bsts:TagSession\b/),
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `${role(e)} may not be assumed with session tags: sts:TagSession is not allowed`,
    hint: (e) =>
      `allow sts:TagSession beside sts:AssumeRole: ${awsRole(e)} prints the policies; or remove session_tags`,
  },
  {
    codes: DENIED,
    when: says(/\bsts:SetSourceIdentity\b/),
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) =>
      `${role(e)} may not be assumed with a source identity: sts:SetSourceIdentity is not allowed`,
    hint: (e) =>
      `allow sts:SetSourceIdentity beside sts:AssumeRole: ${awsRole(e)} prints the policies; or remove source_identity`,
  },
  {
    codes: DENIED,
    when: says(/\broot account/i),
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `${source(e)} is the root user of its account, which can't assume roles`,
    hint: () => 'use the key of an IAM user, or a token source',
  },
  {
    codes: DENIED,
    when: (e) => says(/multi-?factor/i)(e) && e.plan.config.mfaSerial !== null,
    error: 'ERR_SOURCE_INVALID',
    message: (e) => `code of MFA device "${e.plan.config.mfaSerial}" is not accepted by STS`,
    hint: () =>
      "wait for the device's next code, as each works once; or the device is not that of the source's user: aws iam list-mfa-devices",
  },
  {
    codes: DENIED,
    when: says(/multi-?factor/i),
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `${role(e)} asks for multi-factor authentication, which this source does not carry`,
    hint: () =>
      'name the device in the map, and its code is asked for: mfa_serial: arn:aws:iam::ACCOUNT:mfa/NAME',
  },
  {
    codes: DENIED,
    when: ({ proof }) => proof.kind === 'token',
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `${role(e)} does not trust the token of ${source(e)}: ${claims(e)}`,
    hint: (e) =>
      `compare that subject with the trust policy that ${awsRole(e)} prints, and check that the role exists`,
  },
  {
    codes: DENIED,
    when: (e) => refusingPolicy(e)?.explicit === true,
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `${role(e)} is denied to ${source(e)}${callerIn(e)} by ${refusingPolicy(e)?.policy}`,
    hint: (e) => `remove that explicit deny of sts:AssumeRole; ${awsRole(e)} prints what the role needs`,
  },
  {
    codes: DENIED,
    when: (e) => refusingPolicy(e) !== null,
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) =>
      `${role(e)} is not open to ${source(e)}${callerIn(e)}: ${refusingPolicy(e)?.policy} does not allow sts:AssumeRole`,
    hint: (e) => `allow it there; ${awsRole(e)} prints what the role needs`,
  },
  {
    codes: DENIED,
    error: 'ERR_PROVIDER_REFUSED',
    message: (e) => `${role(e)} is not open to ${source(e)}${callerIn(e)}: STS allows no sts:AssumeRole`,
    hint: (e) =>
      `check that the role exists and that its trust policy names this caller (${awsRole(e)}), that the caller's own policy allows sts:AssumeRole on it, and ${externalId(e)}`,
  },
];

/** Who and what exists in the sandbox's one account, and a default that fits the example map. */
import type { JSONWebKeySet } from 'jose';
import type { PolicyDocument } from './policy-document.ts';

export const ACCOUNT = '123456789012';

/** An IAM user. Its access keys are made by the sandbox. */
export interface SandboxUser {
  readonly arn: string;
  /** May be replaced while the sandbox runs: permissions are looked up at each call. */
  policy: PolicyDocument;
  /** An MFA device, with the codes that it will show; each works once. */
  readonly mfa?: { readonly serial: string; readonly codes: string[] };
}

export interface WebIdentityTrust {
  readonly issuer: string;
  readonly audience: string;
  /** `StringLike` pattern for the token's `sub`. */
  readonly subject: string;
  readonly jwks: JSONWebKeySet;
}

/** A role's trust policy, reduced to what the sandbox tells apart. */
export interface RoleTrust {
  /** ARNs of users and roles, or `arn:aws:iam::<account>:root`, which leaves it to the caller's own policy. */
  readonly principals: readonly string[];
  readonly externalId?: string;
  /** Whether the trust policy asks for `aws:MultiFactorAuthPresent`. */
  readonly mfa?: boolean;
  /** Whether `sts:TagSession` is allowed. */
  readonly tagSession: boolean;
  /** Whether `sts:SetSourceIdentity` is allowed. */
  readonly setSourceIdentity: boolean;
  /** `StringLike` pattern that `sts:RoleSessionName` must match. */
  readonly sessionName?: string;
  readonly webIdentity?: WebIdentityTrust;
}

export interface SandboxRole {
  readonly arn: string;
  /** Seconds, 3600 to 43200. */
  maxSessionDuration: number;
  trust: RoleTrust;
  /** As for a user. */
  policy: PolicyDocument;
}

export const PREVIEW_DEPLOYER = `arn:aws:iam::${ACCOUNT}:role/preview-deployer`;
/** The role that people and agents are signed in with; a session of it chains. */
export const WORKSTATION = `arn:aws:iam::${ACCOUNT}:role/workstation`;

/** The user whose keys stand in for what an agent's machine has: it may assume roles and nothing else. */
export function defaultUser(): SandboxUser {
  return {
    arn: `arn:aws:iam::${ACCOUNT}:user/agent-base`,
    policy: allow(ASSUME, `arn:aws:iam::${ACCOUNT}:role/*`),
  };
}

/** `preview-deployer`, deliberately wider than the example's scope, so that only the session policy narrows it. */
export function previewDeployer(changes: Partial<SandboxRole> = {}): SandboxRole {
  return {
    arn: PREVIEW_DEPLOYER,
    maxSessionDuration: 3600,
    trust: {
      principals: [`arn:aws:iam::${ACCOUNT}:user/agent-base`, WORKSTATION],
      tagSession: true,
      setSourceIdentity: true,
    },
    policy: allow(['s3:*', 'cloudfront:*Invalidation'], '*'),
    ...changes,
  };
}

/** The workstation's role. */
export function workstation(): SandboxRole {
  return {
    arn: WORKSTATION,
    maxSessionDuration: 43200,
    trust: { principals: [`arn:aws:iam::${ACCOUNT}:root`], tagSession: true, setSourceIdentity: true },
    policy: allow(ASSUME, `arn:aws:iam::${ACCOUNT}:role/*`),
  };
}

/** A policy of one Allow statement. */
export function allow(actions: readonly string[], resource: string): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: resource }],
  };
}

const ASSUME = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];

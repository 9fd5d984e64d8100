/** Everything the sandbox remembers while it runs: credentials, objects, invalidations, and its clock. */
import { createHash, randomBytes } from 'node:crypto';
import {
  ACCOUNT,
  defaultUser,
  previewDeployer,
  type SandboxRole,
  type SandboxUser,
  WORKSTATION,
  workstation,
} from './accounts.ts';
import type { PolicyDocument } from './policy-document.ts';
import { randomId } from './wire.ts';

/** Whom a credential speaks as. */
export interface Principal {
  readonly kind: 'user' | 'role-session';
  readonly arn: string;
  /** `aws:userid`: the unique id, for a session followed by its name. */
  readonly userId: string;
  /** Where the identity policy is looked up, at each call. */
  readonly owner: SandboxUser | SandboxRole;
  readonly sessionPolicy: PolicyDocument | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | null;
}

export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Null for a long-lived key. */
  readonly sessionToken: string | null;
  readonly issuedAt: Date;
  /** Null for a long-lived key. May be moved by a test to let a session expire. */
  expiresAt: Date | null;
  readonly principal: Principal;
}

export interface StoredObject {
  readonly body: Buffer;
  readonly etag: string;
  readonly lastModified: Date;
  /** Headers that come back with the object: content type, encoding, user metadata, checksums. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Invalidation {
  readonly id: string;
  readonly distributionId: string;
  readonly paths: readonly string[];
  readonly callerReference: string;
  readonly createdAt: Date;
}

export interface SandboxOptions {
  /** Port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number;
  /** Serves TLS where set (PEM). */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Region of the buckets. */
  readonly region?: string;
  /** Regions where STS is switched off for this account. */
  readonly disabledRegions?: readonly string[];
  readonly user?: SandboxUser;
  /** Replace `preview-deployer`; the workstation's role is there unless one of its ARN is among them. */
  readonly roles?: readonly SandboxRole[];
  readonly buckets?: readonly string[];
  readonly distributions?: readonly string[];
  /** What a session's policy and tags may take when packed, in bytes. AWS does not publish its figure. */
  readonly packedPolicyBytes?: number;
}

export interface State {
  readonly region: string;
  readonly disabledRegions: readonly string[];
  readonly user: SandboxUser;
  readonly roles: ReadonlyMap<string, SandboxRole>;
  readonly packedPolicyBytes: number;
  /** By access key id. */
  readonly credentials: Map<string, Credential>;
  /** Those that AssumeRole issued, in order. */
  readonly issued: Credential[];
  /** Name → key → object. */
  readonly buckets: ReadonlyMap<string, Map<string, StoredObject>>;
  readonly distributions: ReadonlySet<string>;
  readonly invalidations: Invalidation[];
  /** Seconds that the server's clock is ahead of the machine's. */
  clockOffset: number;
  /** The server's clock. */
  now(): Date;
}

/** A sandbox's state at start. */
export function createState(options: SandboxOptions): State {
  const roles = [workstation(), ...(options.roles ?? [previewDeployer()])];
  return {
    region: options.region ?? 'us-east-1',
    disabledRegions: options.disabledRegions ?? [],
    user: options.user ?? defaultUser(),
    roles: new Map(roles.map((role) => [role.arn, role])),
    packedPolicyBytes: options.packedPolicyBytes ?? 1280,
    credentials: new Map(),
    issued: [],
    buckets: new Map(
      (options.buckets ?? ['acme-previews', 'acme-production']).map((name) => [name, new Map()]),
    ),
    distributions: new Set(options.distributions ?? ['E1EXAMPLE']),
    invalidations: [],
    clockOffset: 0,
    now() {
      return new Date(Date.now() + this.clockOffset * 1000);
    },
  };
}

/** The credentials that exist before anybody has called STS. */
export interface BaseCredentials {
  /** A temporary session of the user, as `GetSessionToken` gives; assuming a role with it is not chaining. */
  readonly base: Credential;
  /** The user's long-lived key. */
  readonly longLived: Credential;
  /** A session of the workstation's role, as single sign-on gives; assuming a role with it chains. */
  readonly roleSession: Credential;
  /** A session of the user that expired an hour ago. */
  readonly expired: Credential;
}

/** Makes fresh base credentials and lets the sandbox know them. */
export function createBaseCredentials(state: State): BaseCredentials {
  const { user } = state;
  const role = state.roles.get(WORKSTATION) ?? workstation();
  const identity = { sessionPolicy: null, tags: {}, transitiveTagKeys: [], sourceIdentity: null };
  const person: Principal = {
    kind: 'user',
    arn: user.arn,
    userId: uniqueId('AIDA', user.arn),
    owner: user,
    ...identity,
  };
  const session: Principal = {
    kind: 'role-session',
    arn: sessionArn(role.arn, 'workstation-user'),
    userId: `${uniqueId('AROA', role.arn)}:workstation-user`,
    owner: role,
    ...identity,
  };
  const inHours = (hours: number) => new Date(state.now().getTime() + hours * 3_600_000);
  return {
    base: addCredential(state, person, inHours(12)),
    longLived: addCredential(state, person, null),
    roleSession: addCredential(state, session, inHours(8)),
    expired: addCredential(state, person, inHours(-1)),
  };
}

/** Makes a credential with random values and lets the sandbox know it. */
export function addCredential(state: State, principal: Principal, expiresAt: Date | null): Credential {
  const credential: Credential = {
    accessKeyId: randomId(expiresAt === null ? 'AKIA' : 'ASIA', 16),
    secretAccessKey: randomBytes(30).toString('base64'),
    sessionToken: expiresAt === null ? null : `IQoJb3JpZ2luX2Vj${randomBytes(240).toString('base64')}`,
    issuedAt: state.now(),
    expiresAt,
    principal,
  };
  state.credentials.set(credential.accessKeyId, credential);
  return credential;
}

/** The unique id of a user (`AIDA`) or role (`AROA`): made from its ARN, so that it is the same in every run. */
export function uniqueId(prefix: 'AIDA' | 'AROA', arn: string): string {
  return prefix + createHash('sha256').update(arn).digest('hex').toUpperCase().slice(0, 17);
}

/** The ARN of a role session. A role's path is not part of it. */
export function sessionArn(roleArn: string, sessionName: string): string {
  return `arn:aws:sts::${ACCOUNT}:assumed-role/${roleArn.split('/').at(-1)}/${sessionName}`;
}

/** The contract that every issuer fulfils: issue, end with a probe, and preview for `explain`. */
import type { ErrorCode } from '../errors.ts';
import type { ApprovalKind, Capability, ProviderConfig } from '../policy/capability.ts';

/** One value of a lease. Secret values are masked everywhere; public ones may be recorded. */
export interface LeaseValue {
  readonly value: string;
  readonly secret: boolean;
  /** True for what has lines by its nature (PEM, a JSON document): a line break in any other value is a fault. */
  readonly lines?: true;
}

/** A credential that was issued. It lives in memory only. */
export interface Lease {
  readonly leaseId: string;
  readonly provider: ProviderConfig['provider'];
  /** Values by the provider's own names (`access_key_id`, `token`, …). */
  readonly values: Readonly<Record<string, LeaseValue>>;
  /** Child variable → name in `values`, used where the map has no `inject`. */
  readonly defaultInject: Readonly<Record<string, string>>;
  /** When the issuer lets it expire. */
  readonly expiresAt: Date;
  /** Who the credential speaks as, as the issuer said. */
  readonly principal: string;
  /** What it may do, as short words for event lines and records. */
  readonly scope: readonly string[];
  /** Public facts of this lease for the record: `session_name`, `access_key_id`, `jti`, … */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** By what another process can end the lease without having the credential; null where nothing but the credential can. */
  readonly handle: LeaseHandle | null;
  /** Things the operator should read, each one line (clock skew, policy nearly full). */
  readonly warnings: readonly string[];
  /**
   * Starts what the child asks on this machine for its credential, after the lease was issued and before the spawn; it is
   * closed with the child. Missing where the lease has none. A failure ends the lease.
   */
  readonly endpoints?: (context: EndpointContext) => Promise<LocalEndpoints>;
}

/** What a local endpoint may use. */
export interface EndpointContext {
  /** capwrap's own end of the grant: from then on nothing is handed out. */
  readonly deadline: Date;
  readonly now: () => Date;
  readonly registerSecret: (name: string, value: string) => void;
}

/** Ways to hand a lease to a tool that asks for it, as records name them. */
export const ENDPOINT_KINDS = ['credentials_endpoint', 'metadata_endpoint', 'git_credentials'] as const;
export type EndpointKind = (typeof ENDPOINT_KINDS)[number];

/** Servers on this machine that live as long as the child. */
export interface LocalEndpoints {
  readonly kind: EndpointKind;
  /** What the child finds them by, beside the lease's injected values. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variables of the isolation (isolation-names.ts) that would keep the child's tools from asking: they are not set. */
  readonly withoutIsolation?: readonly string[];
  /** Cuts every connection. Never rejects; may be called again. */
  close(): Promise<void>;
}

/**
 * What the names of a lease at its issuer may be called: nothing under them is a credential. A provider that needs
 * another one adds it here.
 */
export const HANDLE_NAMES = [
  'jti',
  'exp',
  'accessor',
  'login_accessor',
  'lease_id',
  'kind',
  'id',
  'capwrap_lease_id',
] as const;

/** Public names of a lease at its issuer: an accessor, a lease id, a `jti`. They go into the audit log. */
export type LeaseHandle = Readonly<Partial<Record<(typeof HANDLE_NAMES)[number], string>>>;

/** What a provider gets to issue from: an allowed request, after approval. */
export interface IssueRequest {
  readonly leaseId: string;
  readonly capability: Capability;
  /** Seconds granted. */
  readonly ttl: number;
  /** capwrap's own end of the grant: start + ttl. */
  readonly deadline: Date;
  readonly approval: ApprovalKind;
  readonly actor: string;
  readonly taskId: string;
  /** The head of the audit log behind the record of the grant, where the capability shows it to the issuer. */
  readonly auditHead?: string | null;
}

/** What a provider may use of the world. */
export interface BrokerContext {
  /** The caller's variables; a source reads only the names it documents. */
  readonly env: Readonly<Record<string, string>>;
  /** Directory of capwrap's state (keys of the local issuer). */
  readonly stateDir: string;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Tells the masker of a secret before anything can print it; also for proofs that never reach the child. */
  readonly registerSecret: (name: string, value: string) => void;
}

export const OUTCOMES = [
  'revoked_verified',
  'revoked_unverified',
  'revoke_failed',
  'expires',
  'expired',
  'not_issued',
] as const;
/** How a lease ended, as observed. */
export type Outcome = (typeof OUTCOMES)[number];

/** What was done and seen at the end of a lease; goes to the record as it is. */
export interface Revocation {
  readonly outcome: Exclude<Outcome, 'not_issued'>;
  /** The step that was taken at the issuer, or null where it has none. */
  readonly end: string | null;
  /** What the probe saw, or null where there is none. */
  readonly probe: string | null;
  /** Why an end failed, masked, one line; null where none failed. */
  readonly error: string | null;
}

/** What a use of the credential showed. `saw` is one line for the record, without anything of the credential. */
export interface ProbeAnswer {
  /**
   * `alive`: it works. `dead`: it is refused in the way that its end produces, which proves something only where it
   * was `alive` before. `revoked`: the issuer says that it was revoked. `expired`: its time is over. `unknown`: the probe
   * could not tell (a network error, an answer of another kind).
   */
  readonly state: 'alive' | 'dead' | 'revoked' | 'expired' | 'unknown';
  readonly saw: string;
}

/** What the issuer answered to the end of a lease. `did` is one line for the record. */
export type EndAnswer =
  | { readonly kind: 'ended'; readonly did: string }
  /** The issuer has no such operation for this kind of credential, whatever it answered. */
  | { readonly kind: 'not_revocable'; readonly did: string | null }
  | { readonly kind: 'failed'; readonly did: string; readonly error: string };

/** Why a lease is not the one that was asked for. */
export interface LeaseFault {
  readonly code: ErrorCode;
  /** The end of a sentence: `"https://vault.example" issued a credential that ...`. */
  readonly text: string;
  readonly hint?: string | undefined;
}

/** A module for one issuer. */
export interface Provider {
  /**
   * Obtains a fresh credential that meets the grant. Throws a CapwrapError whose message says what to change. Never
   * retries a request that may have succeeded. What is wrong with a credential that was issued is `faultOf`'s to say, so
   * that it is ended.
   */
  issue(request: IssueRequest, context: BrokerContext): Promise<Lease>;
  /** The shortest life that the issuer gives a credential, in seconds; 0 where it gives any. */
  readonly minimumLife: number;
  /** Seconds that a credential may live although the grant is shorter, where the map accepts that; `minimumLife` by default. */
  acceptedLife?(request: IssueRequest): number;
  /**
   * Seconds that what a run got before it died may live, unseen, for a grant of `ttl` seconds; missing where it is
   * `minimumLife` or the grant, whatever the config says.
   */
  unseenLife?(config: ProviderConfig, ttl: number): number;
  /** In what a lease differs from its request: another principal, more scope. The life is checked for every provider. */
  faultOf?(lease: Lease, request: IssueRequest): LeaseFault | null;
  /** Ends the lease at the issuer; missing where no issuer of this kind can. May throw: that is a failed end. */
  end?(lease: Lease, context: BrokerContext): Promise<EndAnswer>;
  /**
   * Uses the credential in a way that shows whether it works; missing where there is none, null where there is none for
   * this lease. May throw: that is unknown.
   */
  probe?(lease: Lease, context: BrokerContext): Promise<ProbeAnswer | null>;
  /** Milliseconds to wait before each further look at a credential that should be dead by now; none: one look. */
  readonly settling?: readonly number[];
  /**
   * Gives back what was held beside the lease to end it, such as a login of its own. Called once, after the last look,
   * whatever came of it. Answers in one line what is left alive, for the record; null for nothing.
   */
  release?(lease: Lease, context: BrokerContext): Promise<string | null>;
  /**
   * Ends what a dead run has left, by the handle that its `issued` record holds; missing where it takes the credential
   * itself. `config` is of the map that issued the lease, `leaseId` is capwrap's id of it: where the issuer knows that,
   * what the handle names must be of it. May throw: that is a failed end.
   */
  endByHandle?(
    handle: LeaseHandle,
    config: ProviderConfig,
    context: BrokerContext,
    leaseId: string,
  ): Promise<Revocation>;
  /** True where `endByHandle` looks at no `config` and asks nobody outside this machine: it is called without a map, too. */
  readonly handleSuffices?: true;
  /** What would be sent to the issuer, for `explain`; offline, contains no secret. */
  preview(request: IssueRequest): Readonly<Record<string, unknown>>;
}

/** The validated capability map: what every room after the parser relies on. Durations are whole seconds. */
import type { AnswerGrade } from '../base/approval-grade.ts';
import type { FactName, FactSource } from '../request/facts.ts';
import type { ProviderConfig } from './providers/index.ts';

export type { ProviderConfig, ProviderName } from './providers/index.ts';
export type { Source } from './sources/index.ts';

/** One alternative of a rule's `command` condition. */
export type CommandPattern =
  | { readonly kind: 'program'; readonly program: string }
  | { readonly kind: 'prefix'; readonly argv: readonly string[] }
  | { readonly kind: 'pinned'; readonly path: string; readonly sha256: string };

/** A pattern condition holds when any of its patterns matches the fact's value. */
export interface Conditions {
  readonly repo?: readonly string[];
  readonly branch?: readonly string[];
  readonly environment?: readonly string[];
  readonly actor?: readonly string[];
  readonly command?: CommandPattern;
  readonly commit_clean?: boolean;
  readonly ci?: boolean;
  /** The weakest source that a fact may have for this rule to match. */
  readonly sources?: Readonly<Partial<Record<FactName, FactSource>>>;
}

/** `prompt`: any answer counts, one that was typed on a terminal included. `signed`: only a signature does. */
export type ApprovalKind = 'none' | 'prompt' | 'signed';

/** What a rule asks of an approval. */
export interface ApprovalDemand {
  readonly kind: Exclude<ApprovalKind, 'none'>;
  /** The weakest grade that counts; `terminal` for a prompt. */
  readonly grade: AnswerGrade;
  /** Names of the approvers that count; null means each of the map's. */
  readonly approvers: readonly string[] | null;
  /** How many different approvers it takes. */
  readonly count: number;
  /** Whether who asks may also be who approves. */
  readonly selfApproval: 'allow' | 'deny';
  /** The most runs that one approval may permit. */
  readonly uses: number;
  /** The longest that an approval may stand, in seconds. */
  readonly standsFor: number;
  /** A program that hands the request to the approvers; null for none. The program's path is absolute. */
  readonly command: readonly string[] | null;
  /** Seconds after a denial in which nobody is asked again for this capability; 0 for none. */
  readonly cooldown: number;
  /** The most requests for this capability in an hour; null for no limit. */
  readonly perHour: number | null;
}

/** Who may sign approvals. */
export interface Approver {
  readonly name: string;
  /** OpenSSH public keys, a line each. */
  readonly keys: readonly string[];
  /** Names under which this person asks: actors and users of the operating system. */
  readonly actors: readonly string[];
}

/** The most that a rule allows; null for no limit. */
export interface Limits {
  /** Runs in an hour. */
  readonly perHour: number | null;
  /** Runs for one task. */
  readonly perTask: number | null;
  /** Leases that are open at the same time. */
  readonly open: number | null;
}

export interface Rule {
  readonly effect: 'allow' | 'deny';
  readonly when: Conditions;
  readonly approval: ApprovalKind;
  /** What the approval must be like; null where none is asked for. */
  readonly demand: ApprovalDemand | null;
  /** Null where the rule limits nothing. */
  readonly limits: Limits | null;
  /** Cap of this rule on the TTL, in seconds; null means the capability's `max_ttl`. */
  readonly maxTtl: number | null;
  /** Place in the file, for messages: `capabilities.publish-preview-build.rules[0]`. */
  readonly at: string;
}

/** What the child's environment is built from, before the provider adds its values. */
export interface EnvSpec {
  /** Names handed through from the caller where they are set. */
  readonly pass: readonly string[];
  /** Those of `pass` that look like credentials or load code, and that the map names a second time to allow. */
  readonly passSensitive: readonly string[];
  readonly set: Readonly<Record<string, string>>;
}

/** An inline test of the map. */
export interface PolicyTest {
  /** What the test shows; null where the author gave it no name. */
  readonly name: string | null;
  readonly given: {
    readonly repo?: string;
    readonly branch?: string;
    readonly environment?: string;
    readonly actor?: string;
    readonly command?: readonly string[];
    readonly commit_clean?: boolean;
    readonly ci?: boolean;
    readonly ttl?: number;
    readonly justification?: string;
    /** How often each rule counts as used; 0 where not given. */
    readonly usage?: { readonly per_hour?: number; readonly per_task?: number; readonly open?: number };
    /** Sources of the given facts; those not named count as `observed`. */
    readonly sources?: Readonly<Partial<Record<FactName, FactSource>>>;
  };
  readonly expect: 'allow' | 'deny';
  /** Stable reason key that a `deny` must have; null means any. */
  readonly reason: string | null;
  /** Approval that an `allow` must carry; null means any. */
  readonly approval: ApprovalKind | null;
  readonly at: string;
}

export interface Capability {
  readonly name: string;
  readonly description: string | null;
  readonly config: ProviderConfig;
  readonly ttl: number;
  readonly maxTtl: number;
  /** What happens to a TTL over the cap. */
  readonly ttlOver: 'shorten' | 'deny';
  readonly rules: readonly Rule[];
  /** Fixed environment of the capability; null means the caller's claim. */
  readonly environment: string | null;
  readonly justification: 'required' | 'optional';
  readonly env: EnvSpec;
  /** Child variable → name of the lease's value. Empty means the provider's standard names, or none beside `files`. */
  readonly inject: Readonly<Record<string, string>>;
  /** Child variable → name of the lease's value; the variable gets the path of a file that holds it. */
  readonly files: Readonly<Record<string, string>>;
  /** `private` gives the child an empty HOME that is removed afterwards. */
  readonly home: 'inherit' | 'private';
  /** Whether output to a terminal is masked, or the child has the real terminal. */
  readonly terminal: 'masked' | 'direct';
  /** What a secret in the output does, beside being masked: nothing, or the end of the lease and of the child. */
  readonly onLeak: 'mask' | 'fail';
  /** Seconds between TERM and KILL when capwrap ends the child. */
  readonly killAfter: number;
  readonly tests: readonly PolicyTest[];
}

export interface CapabilityMap {
  /** Canonical path of the file. */
  readonly path: string;
  /** Directory that relative paths in the map are resolved against. */
  readonly dir: string;
  /** SHA-256 of the bytes that were parsed, lower-case hex. */
  readonly sha256: string;
  /** Who may sign, by name. */
  readonly approvers: ReadonlyMap<string, Approver>;
  readonly capabilities: ReadonlyMap<string, Capability>;
}

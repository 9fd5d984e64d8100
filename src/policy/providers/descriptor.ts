/** What the policy room knows of one provider: everything about its fields that reviewers, approvers and checks see. */
import type * as v from 'valibot';
import type { MapChange } from '../diff/change.ts';
import type { Report } from '../fault.ts';
import type { Found } from '../lint/check.ts';
import type { Place } from '../map-place.ts';
import type { Source, SourceType } from '../sources/index.ts';
import type { Row } from '../summary-text.ts';

/** The one name of capwrap's own that a lease may fill, for a token that no tool has a name for. */
export const TOKEN_VARIABLE = 'CAPWRAP_TOKEN';

/** Fields as they stand in the map. */
export type RawOf<Fields extends v.ObjectEntries> = v.InferOutput<v.StrictObjectSchema<Fields, string>>;

/** Keys of every capability that a provider's check may look at beside its own. */
export interface RawShared {
  /** Durations as they are written; `seconds` of schema-fields.ts reads them. */
  readonly ttl?: number | string;
  readonly max_ttl?: number | string;
  readonly inject?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** That of `defaults` where the capability has none. */
  readonly home?: 'inherit' | 'private';
}

/** Those of a capability's keys that hold what the schema wants; the others have their fault already. */
export type SoundRaw<Fields extends v.ObjectEntries> = Partial<RawOf<Fields>> & RawShared;

/** A finding of a provider under a code that all providers share; `at` is its full place. */
export interface ProviderFinding extends Found {
  /**
   * `long_lived`: a proof without an expiry is accepted. `broad`: the map allows wide scope by name. `kv`: it allows a
   * secret that nothing ends.
   */
  readonly code: 'long_lived' | 'broad' | 'kv';
}

/**
 * One provider. `Fields` are its own keys in the map, without `inject` and `files`, which all have; `Config` is the
 * validated form: a value for every field (null for what is left out), durations in seconds, absolute paths, names in
 * camel case (map-word.ts). Nothing here reads a file, asks a server or loads a module of the broker: every run loads
 * it.
 */
export interface ProviderPolicy<
  Fields extends v.ObjectEntries,
  Config extends { readonly provider: string },
> {
  readonly name: Config['provider'];
  /** Keys and their schemas, `provider: kind(name, ...)` first. */
  readonly fields: Fields;
  /** Keys of `fields` that hold a mapping with free names; one faulty entry leaves the others usable for checks. */
  readonly freeMappings?: readonly (string & keyof Fields)[];
  /** Lines to copy, by key at any depth: shown where the key is missing or wrong. */
  readonly examples?: Readonly<Record<string, string>>;
  /** Types of source that the provider takes as proof; empty where it needs none. */
  readonly sources: readonly SourceType[];

  /** `dir` is the map's directory, against which relative paths are resolved. */
  normalise(raw: RawOf<Fields>, dir: string): Config;
  /** Reports what it takes two fields to see. `at` is the capability's place. */
  check?(raw: SoundRaw<Fields>, at: Place, report: Report): void;

  /** Values of the lease that `inject` and `files` may name; null where the map or the issuer names them. */
  readonly leaseValues: readonly [string, ...string[]] | null;
  /** What the key `inject` is for, its default included: shown by editors. */
  readonly injectHelp: string;
  /** Child variable → value of the lease where the map has neither `inject` nor `files`. */
  defaultInject(raw: SoundRaw<Fields>): Readonly<Record<string, string>>;
  /**
   * True where the default is no standard of the provider's tools: it is spelled out in the validated form, and so in
   * summaries and differences. Otherwise `inject` is empty there, and the lease's own `defaultInject` counts.
   */
  readonly spellsOutInject: boolean;
  /** Variables that would be a second credential beside the lease, also where the lease gets other names. */
  readonly credentialNames: readonly string[];
  /**
   * Whether a program of the map is started for the lease, to issue it or for its proof: the records of a run say that
   * there was a second process. Missing where none ever is.
   */
  startsProgram?(config: Config): boolean;
  /** Whether the head of the audit log is shown to the issuer, so that it is recorded there. Missing where it never is. */
  wantsAuditHead?(config: Config): boolean;

  /** What the credential may do, as short words for records and lists. */
  scopeWords(config: Config): readonly string[];
  /** Whom or what the credential is for, in one line: the role, the audience, the address and path. Not escaped. */
  target(config: Config): string;
  /** The whole scope with every resource, for approvers and what they sign. Not escaped. */
  reach(config: Config): readonly string[];
  /** Every field that steers a grant, escaped; the row of the provider's name stands before them. */
  summaryRows(config: Config): readonly Row[];
  /** Sources that are read for the lease, each with its place within the capability: `source`. */
  proofs(config: Config): readonly { readonly at: string; readonly source: Source }[];
  /** How a config differs from an earlier one, by `compareFields`. `at` is the capability's place. */
  compare(before: Config, after: Config, at: string): MapChange[];
  /** What is allowed and still worth a second look, beside the sources. */
  lint?(config: Config, capability: string): Iterable<ProviderFinding>;
}

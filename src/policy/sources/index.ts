/**
 * The sources: what serves as proof before the issuer. A new one is a file beside this one, a line in `SOURCES`, and
 * its reader in src/broker/sources/.
 */
import * as v from 'valibot';
import { CapwrapError } from '../../errors.ts';
import { keys } from '../schema-fields.ts';
import { container } from './container.ts';
import type { SourcePolicy } from './descriptor.ts';
import { env } from './env.ts';
import { githubActions } from './github-actions.ts';
import { instance } from './instance.ts';
import { localIssuer } from './local-issuer.ts';
import { profile } from './profile.ts';
import { sso } from './sso.ts';
import { tokenEnv } from './token-env.ts';
import { tokenFile, webIdentityFile } from './token-file.ts';

/** In the order of the documentation. */
export const SOURCES = [
  profile,
  sso,
  env,
  instance,
  container,
  webIdentityFile,
  tokenFile,
  tokenEnv,
  githubActions,
  localIssuer,
] as const;

type Policies = (typeof SOURCES)[number];

/** The proof shown to the issuer. `longLived` records that the map allows a key without an expiry. */
export type Source = ReturnType<Policies['normalise']>;
export type SourceType = Source['type'];

type SchemaOf<Policy> = Policy extends { readonly fields: infer Fields extends v.ObjectEntries }
  ? v.StrictObjectSchema<Fields, string>
  : never;
type PolicyOf<Type extends SourceType> = Extract<Policies, { readonly type: Type }>;
/** A source as it stands in the map. */
export type RawSource<Type extends SourceType = SourceType> = v.InferOutput<SchemaOf<PolicyOf<Type>>>;

type AnySource = SourcePolicy<v.ObjectEntries, Source>;
// Each is typed by its own fields; found by the type of a source, it is only ever given a source of that type.
const BY_TYPE = new Map(SOURCES.map((policy) => [policy.type as string, policy as unknown as AnySource]));

/** What is known of the type of `source`, be it as in the map or validated. */
function sourcePolicy(source: { readonly type: SourceType }): AnySource {
  const policy = BY_TYPE.get(source.type);
  if (policy === undefined) throw new CapwrapError('ERR_INTERNAL', `source "${source.type}" has no policy`);
  return policy;
}

/** The schema of a source of one of these types, for the fields of a provider; wrap it in `mapping` and `must`. */
export function sourceOf<const Types extends readonly [SourceType, ...SourceType[]]>(types: Types) {
  const schemas = SOURCES.filter(({ type }) => types.includes(type)).map(({ fields }) =>
    keys(fields as v.ObjectEntries & { readonly type: v.GenericSchema<SourceType> }),
  );
  // The very schemas of these types, which `filter` can't tell apart.
  return v.variant('type', schemas) as unknown as v.GenericSchema<RawSource<Types[number]>>;
}

/** The validated form. `dir` is the map's directory. */
export function normaliseSource<Type extends SourceType>(
  raw: { readonly type: Type } & RawSource,
  dir: string,
): Extract<Source, { readonly type: Type }> {
  // A policy's form has the policy's type.
  return sourcePolicy(raw).normalise(raw, dir) as Extract<Source, { readonly type: Type }>;
}

/** The source in one word for records and messages. */
export function sourceLabel(source: Source): string {
  return sourcePolicy(source).label(source);
}

/** True for sources that hold a token; the others hold access keys of AWS. */
export function holdsToken(source: { readonly type: SourceType }): boolean {
  return sourcePolicy(source).holds === 'token';
}

/** True for sources whose keys are a role's session. Others may hold one, too: only STS can tell. */
export function holdsRoleSession(source: { readonly type: SourceType }): boolean {
  return sourcePolicy(source).roleSession === true;
}

/** Whether the map allows a key without an expiry as proof. */
export function allowsLongLived(source: Source): boolean {
  return 'longLived' in source && source.longLived;
}

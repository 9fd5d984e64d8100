/** What the policy room knows of one type of source: its keys in the map and its validated form. */
import type * as v from 'valibot';

/**
 * One type of source. `Fields` are its keys in the map, `type: kind(...)` among them; `Config` is its validated form, with
 * a value for every field and absolute paths. A field `longLived` means that a key without an expiry is allowed; the
 * names of all other fields are the map's words in camel case (map-word.ts).
 */
export interface SourcePolicy<Fields extends v.ObjectEntries, Config extends { readonly type: string }> {
  readonly type: Config['type'];
  readonly fields: Fields;
  /** What the source holds: access keys of AWS, or one token. */
  readonly holds: 'keys' | 'token';
  /** True where the keys are those of a role's session: to assume another role with them is role chaining. */
  readonly roleSession?: true;
  /** `dir` is the map's directory. */
  normalise(raw: v.InferOutput<v.StrictObjectSchema<Fields, string>>, dir: string): Config;
  /** The source in one word for records and messages: its type and the name that tells it from its like. */
  label(config: Config): string;
}

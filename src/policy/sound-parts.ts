/** What is left of a map when the keys with faults are set aside, so that no fault waits behind another. */
import type * as v from 'valibot';
import type { RawDefaults, SoundCapability } from './schema.ts';

const PROVIDERS: readonly unknown[] = ['aws-sts', 'local-issuer'] satisfies SoundCapability['provider'][];

export interface SoundParts {
  readonly defaults: RawDefaults;
  readonly capabilities: Readonly<Record<string, SoundCapability>>;
}

/** Each key of `defaults` and of each capability is kept where the schema has nothing against what it holds. */
export function soundParts(value: unknown, issues: readonly v.BaseIssue<unknown>[]): SoundParts {
  const faulty = new Set<string>();
  for (const { path = [] } of issues) {
    const keys = path.map(({ key }) => key);
    for (let length = 1; length <= 3; length += 1) faulty.add(JSON.stringify(keys.slice(0, length)));
  }
  const sound = (object: unknown, ...place: string[]): object =>
    Object.fromEntries(
      Object.entries(mappingOf(object)).filter(([key]) => !faulty.has(JSON.stringify([...place, key]))),
    );

  const { defaults, capabilities } = mappingOf(value);
  // What the schema has accepted is what its types say.
  const known = Object.entries(mappingOf(capabilities)).flatMap(([name, raw]) => {
    const parts = sound(raw, 'capabilities', name) as SoundCapability;
    return PROVIDERS.includes(parts.provider) ? [[name, parts] as const] : [];
  });
  return { defaults: sound(defaults, 'defaults') as RawDefaults, capabilities: Object.fromEntries(known) };
}

function mappingOf(value: unknown): Readonly<Record<string, unknown>> {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMapping ? (value as Record<string, unknown>) : {};
}
